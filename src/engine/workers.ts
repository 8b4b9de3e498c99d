import { Worker } from 'node:worker_threads';
import type { LoopLoad } from '../model/load.ts';
import type { Block, Cell } from '../model/plan.ts';
import { split } from '../model/split.ts';
import { type BlockObserver, type BlockRunner, type StopSignals, ThreadLost } from './block.ts';
import type { WorkerReply, WorkerRequest, WorkerSettings } from './worker.ts';

/** Streams that one event loop can time without being late for some of them. */
export const STREAMS_PER_LOOP = 200;

/** Measuring threads for a plan: as many as its highest concurrency needs, and no more than there are cores. */
export function workersFor(highestConcurrency: number, cores: number): number {
  return Math.max(1, Math.min(cores, Math.ceil(highestConcurrency / STREAMS_PER_LOOP)));
}

/** One thread's share of a block; undefined for a thread that has nothing to do in it. */
export interface Share {
  block: Block;
  cell: Cell;
}

/** Cuts a block for `count` threads. Concurrency, requests, arrivals and warm-up of the shares sum to the whole. */
export function shares(block: Block, cell: Cell, count: number): (Share | undefined)[] {
  // Fewer threads than asked for, where a thread would have no stream of its own or nothing to send.
  const useful = Math.max(1, Math.min(count, cell.concurrency, block.requests ?? cell.concurrency));
  const concurrency = split(cell.concurrency, useful);
  const requests = block.requests === undefined ? undefined : split(block.requests, useful);
  const warmup = split(block.warmup, useful);
  return Array.from({ length: count }, (_, index) => {
    if (index >= useful) return undefined;
    return {
      block: {
        ...block,
        warmup: warmup[index]!,
        ...(requests === undefined ? {} : { requests: requests[index]! }),
        ...(block.arrivals && { arrivals: { ...block.arrivals, turn: { first: index, of: useful } } }),
      },
      cell: { ...cell, concurrency: concurrency[index]! },
    };
  });
}

/** A runner over several threads, each with an event loop and connections of its own. */
export interface WorkerRunner extends BlockRunner {
  close(): Promise<void>;
}

/** Starts the threads. Rejects when one cannot be started. Needs the compiled package: a thread runs no TypeScript. */
export async function workerRunner(
  count: number,
  settings: Omit<WorkerSettings, 'thread'>,
  signals: StopSignals,
): Promise<WorkerRunner> {
  const threads = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      MeasuringThread.start({ ...settings, thread: { index, of: count } }),
    ),
  );
  const tell = (request: WorkerRequest) => {
    for (const thread of threads) thread.post(request);
  };
  signals.drain.addEventListener('abort', () => tell({ kind: 'drain' }), { once: true });
  signals.kill.addEventListener('abort', () => tell({ kind: 'kill', reason: String(signals.kill.reason) }), {
    once: true,
  });
  return {
    async run(block, cell, observer) {
      const parts = shares(block, cell, count).map((share, index) =>
        share === undefined ? [] : threads[index]!.run(share, observer),
      );
      for (const part of parts) {
        // Without that share the block is not what was asked for: the others issue no more.
        if (part instanceof Promise) part.catch(() => tell({ kind: 'drain' }));
      }
      const ended = await Promise.allSettled(parts);
      const broken = ended.find((part) => part.status === 'rejected');
      if (broken !== undefined) throw broken.reason;
      return ended.flatMap((part) => (part.status === 'fulfilled' ? part.value : []));
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

class MeasuringThread {
  private readonly worker: Worker;
  private observer: BlockObserver | undefined;
  private settle: { resolve(loads: LoopLoad[]): void; reject(error: Error): void } | undefined;
  private ready: { resolve(): void; reject(error: Error): void } | undefined;
  private lost: ThreadLost | undefined;

  static async start(settings: WorkerSettings): Promise<MeasuringThread> {
    const thread = new MeasuringThread(
      new Worker(new URL('./worker.js', import.meta.url), { workerData: settings }),
    );
    await new Promise<void>((resolve, reject) => {
      thread.ready = { resolve, reject };
    });
    return thread;
  }

  private constructor(worker: Worker) {
    this.worker = worker;
    worker.on('message', (reply: WorkerReply) => this.onReply(reply));
    worker.on('error', (error) => this.fail(`a measuring thread died (${error.message})`));
    worker.on('exit', (code) => this.fail(`a measuring thread ended with code ${code}`));
  }

  post(request: WorkerRequest): void {
    this.worker.postMessage(request);
  }

  run({ block, cell }: Share, observer: BlockObserver): Promise<LoopLoad[]> {
    this.observer = observer;
    return new Promise((resolve, reject) => {
      if (this.lost !== undefined) return reject(this.lost);
      this.settle = { resolve, reject };
      this.post({ kind: 'run', block, cell });
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private onReply(reply: WorkerReply): void {
    switch (reply.kind) {
      case 'ready':
        this.ready?.resolve();
        break;
      case 'observations':
        for (const observation of reply.warmup) this.observer?.warmedUp(observation);
        for (const observation of reply.measured) this.observer?.recorded(observation);
        break;
      case 'done':
        this.settle?.resolve(reply.loads);
        break;
      case 'dying':
        this.fail(`a measuring thread died (${reply.reason})`);
        void this.worker.terminate();
        break;
      default:
        reply satisfies never;
    }
  }

  private fail(message: string): void {
    // The first cause is the one that says why.
    this.lost ??= new ThreadLost(message);
    this.ready?.reject(this.lost);
    this.settle?.reject(this.lost);
  }
}
