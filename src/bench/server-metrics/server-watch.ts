import { Worker } from 'node:worker_threads';
import type { ServerIdle, ServerLoad, ServerReading, ServerSummary } from '../../model/load-report.ts';
import type { Block } from '../../model/plan.ts';
import { readServer, watchServer } from './server-reading.ts';

/** The watch over the servers of a run, block by block. */
export interface ServersWatch {
  /** What each server said when nothing had been sent yet. */
  readonly idle: readonly ServerIdle[];
  /** Begins to read the server of this target, where there is something to read. Returns at once. */
  begin(block: Block, target: string): void;
  /** The block is over. Returns at once. */
  rest(): void;
  /** All that was read. */
  loads(): Promise<ServerLoad[]>;
  close(): Promise<void>;
}

/** Starts a watch. `servers`: the targets that have metrics, and where. The servers are read once before it resolves. */
export async function watchServers(servers: ReadonlyMap<string, string>): Promise<ServersWatch> {
  // Nothing to read, no thread.
  const reader = servers.size === 0 || import.meta.url.endsWith('.ts') ? readerHere() : readerThread();
  const idle = await Promise.all(
    Array.from(servers, async ([target, url]) => ({ target, reading: await reader.read(url) })),
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

/** The servers that could not be read, a sentence each. */
export function unreadable(idle: readonly ServerIdle[]): string[] {
  return idle
    .filter(({ reading }) => reading === null)
    .map(
      ({ target }) =>
        `the metrics of target "${target}" cannot be read, or say nothing of a process (process_resident_memory_bytes)`,
    );
}

interface Reader {
  read(url: string): Promise<ServerReading | null>;
  watch(url: string): { stop(): Promise<ServerSummary> };
  close(): Promise<unknown>;
}

function readerHere(): Reader {
  return { read: readServer, watch: (url) => watchServer(url), close: async () => {} };
}

/** What the thread is asked. A watch and its stop have the same id. */
export type WatchRequest =
  | { type: 'read'; id: number; url: string }
  | { type: 'watch'; id: number; url: string }
  | { type: 'stop'; id: number };

/** What it answers to `read` and to `stop`. */
export interface WatchReply {
  id: number;
  result: ServerReading | ServerSummary | null;
}

function readerThread(): Reader {
  const worker = new Worker(new URL('./server-worker.js', import.meta.url));
  // It must not keep a program alive that has ended for other reasons.
  worker.unref();
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let ids = 0;
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that reads metrics has ended')));
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
    read: (url) => ask<ServerReading | null>({ type: 'read', id: ids++, url }),
    watch(url) {
      const id = ids++;
      worker.postMessage({ type: 'watch', id, url } satisfies WatchRequest);
      return { stop: () => ask<ServerSummary>({ type: 'stop', id }) };
    },
    close: () => worker.terminate(),
  };
}
