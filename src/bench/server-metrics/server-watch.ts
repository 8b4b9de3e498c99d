import { Worker } from 'node:worker_threads';
import type { ServerIdle, ServerLoad, ServerSummary } from '../../model/load-report.ts';
import type { Block } from '../../model/plan.ts';
import { knownEngines } from './engines.ts';
import { type Scrape, serverReaders, UNKNOWN, watchServer } from './server-reading.ts';

/** Reads the metrics of a run's servers during each block. */
export interface ServersWatch {
  /** The metrics of each server before the first request. */
  readonly idle: readonly ServerIdle[];
  /** Starts to read the server of this target, where it has metrics. Returns at once. */
  begin(block: Block, target: string): void;
  /** Ends the readings of the block. Returns at once. */
  rest(): void;
  /** The summaries of all blocks. */
  loads(): Promise<ServerLoad[]>;
  close(): Promise<void>;
}

/** Creates a watch. `servers`: metrics URLs by target. Reads each server once before it resolves. */
export async function watchServers(servers: ReadonlyMap<string, string>): Promise<ServersWatch> {
  // No thread without servers, and none under the TypeScript sources: a thread needs the compiled file.
  const reader = servers.size === 0 || import.meta.url.endsWith('.ts') ? readerInProcess() : readerInThread();
  const idle = await Promise.all(
    Array.from(servers, async ([target, url]) => ({ target, ...(await reader.read(url)) })),
  );
  const loads: Promise<ServerLoad>[] = [];
  let current: { block: Block; stop(): Promise<ServerSummary> } | undefined;
  return {
    idle,
    begin(block, target) {
      const url = servers.get(target);
      if (url !== undefined) current = { block, ...reader.watch(url) };
    },
    rest() {
      if (current === undefined) return;
      const { block, stop } = current;
      current = undefined;
      loads.push(stop().then((summary) => ({ round: block.round, cell: block.cell, ...summary })));
    },
    loads: () => Promise.all(loads),
    async close() {
      await current?.stop();
      await reader.close();
    },
  };
}

/**
 * One warning for each server that could not be read, or that is no known inference server. `services`: targets that are reference
 * services of this program, which have process metrics only.
 */
export function unreadable(idle: readonly ServerIdle[], services: readonly string[] = []): string[] {
  const known = `known inference servers: ${knownEngines()}`;
  return idle.flatMap(({ target, reading, failure }) => {
    if (reading === null) {
      return failure === UNKNOWN
        ? `the metrics of target "${target}" have no known names: neither those of a process (process_resident_memory_bytes) nor those of an inference server; ${known}`
        : `the metrics of target "${target}" cannot be read: ${failure}`;
    }
    if (reading.serving !== undefined || services.includes(target)) return [];
    return `target "${target}" has process metrics only, and none of its queue, KV cache and time to first token; ${known}`;
  });
}

interface MetricsReader {
  read(url: string): Promise<Scrape>;
  watch(url: string): { stop(): Promise<ServerSummary> };
  close(): Promise<unknown>;
}

function readerInProcess(): MetricsReader {
  const readerOf = serverReaders();
  return {
    read: (url) => readerOf(url).read(),
    watch: (url) => watchServer(readerOf(url)),
    close: async () => {},
  };
}

/** Messages to the thread. `watch` and its `stop` have the same id. */
export type WatchRequest =
  | { type: 'read'; id: number; url: string }
  | { type: 'watch'; id: number; url: string }
  | { type: 'stop'; id: number };

/** The reply to `read` and to `stop`. */
export interface WatchReply {
  id: number;
  result: Scrape | ServerSummary | null;
}

function readerInThread(): MetricsReader {
  const worker = new Worker(new URL('./server-worker.js', import.meta.url));
  // It must not keep the process alive.
  worker.unref();
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let ids = 0;
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the metrics thread has ended')));
  worker.on('message', ({ id, result }: WatchReply) => {
    waiting.get(id)?.resolve(result as never);
    waiting.delete(id);
  });
  const ask = <T>(request: WatchRequest) =>
    new Promise<T>((resolve, reject) => {
      waiting.set(request.id, { resolve, reject });
      worker.postMessage(request);
    });
  return {
    read: (url) => ask<Scrape>({ type: 'read', id: ids++, url }),
    watch(url) {
      const id = ids++;
      worker.postMessage({ type: 'watch', id, url } satisfies WatchRequest);
      return { stop: () => ask<ServerSummary>({ type: 'stop', id }) };
    },
    close: () => worker.terminate(),
  };
}
