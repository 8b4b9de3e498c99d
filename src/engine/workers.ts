import { Worker } from 'node:worker_threads';
import { monotonicClock } from '../model/clock.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import { type BlockObserver, type BlockRunner, type StopSignals, ThreadLost, threadShares } from './block.ts';
import { countsMemory } from './counts.ts';
import { loopUsage } from './load-monitor.ts';
import type { ThreadCommand, ThreadReply, ThreadSettings } from './worker.ts';

// Time for the `open` command to reach every thread: a message takes a fraction of a millisecond, more on busy cores.
const OPENING_LEAD_MS = 20;

/**
 * Streams that one event loop can stamp without being late: with 500 streams of 50 events per second it is a third busy. Another
 * thread costs 40 to 80 MB and a later start.
 */
const STREAMS_PER_LOOP = 500;
/**
 * The same on one or two cores, where another thread takes time from the service. On two cores with the server beside, it lowered
 * the error of the p99 gap from 7.5 to 4.3 ms at 500 streams, for 100 MB, and made no stamp more exact at 1,000.
 */
const STREAMS_PER_LOOP_OF_TWO = 1_000;

/** Number of measuring threads for a plan: as its highest concurrency requires, at most one per core. */
export function workersFor(highestConcurrency: number, cores: number): number {
  const streams = cores <= 2 ? STREAMS_PER_LOOP_OF_TWO : STREAMS_PER_LOOP;
  return Math.max(1, Math.min(cores, Math.ceil(highestConcurrency / streams)));
}

/** A runner with several threads, each with its own event loop and connections. */
export interface WorkerRunner extends BlockRunner {
  close(): Promise<void>;
}

/** Starts the threads. Rejects if one cannot be started. Needs the compiled package: a thread cannot run TypeScript. */
export async function workerRunner(
  count: number,
  settings: Omit<ThreadSettings, 'thread'>,
  signals: StopSignals,
): Promise<WorkerRunner> {
  const threads = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      MeasuringThread.start({ ...settings, thread: { index, of: count } }),
    ),
  );
  const broadcast = (command: ThreadCommand) => {
    for (const thread of threads) thread.post(command);
  };
  signals.drain.addEventListener('abort', () => broadcast({ kind: 'drain' }), { once: true });
  signals.kill.addEventListener(
    'abort',
    () => broadcast({ kind: 'kill', reason: String(signals.kill.reason) }),
    {
      once: true,
    },
  );
  return {
    async run(block, cell, observer) {
      const counts = countsMemory();
      const shares = threadShares(block, cell, count);
      const running = threads.flatMap((thread, index) => {
        const share = shares[index];
        if (share === undefined) return [];
        return [{ thread, ...thread.run({ block, cell, share, counts }, observer) }];
      });
      for (const { done } of running) {
        // The block is incomplete without this thread: the others stop issuing.
        done.catch(() => broadcast({ kind: 'drain' }));
      }
      // A thread that died counts as warm; the others then open a window in which they send nothing.
      await Promise.all(running.map(({ warm }) => warm));
      const at = monotonicClock.now() + OPENING_LEAD_MS;
      for (const { thread } of running) thread.post({ kind: 'open', at });
      const usages = running.map(({ thread }) => thread.usage());
      observer.opened?.({ counts, utilization: () => usages.map((usage) => usage()) });
      const ended = await Promise.allSettled(running.map(({ done }) => done));
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
  private settle: { resolve(loads: LoopUtilization[]): void; reject(error: Error): void } | undefined;
  private isWarm = () => {};
  private ready: { resolve(): void; reject(error: Error): void } | undefined;
  private lost: ThreadLost | undefined;

  static async start(settings: ThreadSettings): Promise<MeasuringThread> {
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
    worker.on('message', (reply: ThreadReply) => this.onReply(reply));
    worker.on('error', (error) => this.fail(`a measuring thread died (${error.message})`));
    worker.on('exit', (code) => this.fail(`a measuring thread ended with code ${code}`));
  }

  post(command: ThreadCommand): void {
    this.worker.postMessage(command);
  }

  /** The utilization of the thread's event loop since the previous call, 0 to 1. Does not interrupt the thread. */
  usage(): () => number {
    const { performance } = this.worker;
    return loopUsage(() => performance.eventLoopUtilization());
  }

  /** Starts a share of a block. `warm` resolves when the thread is ready for the window to open, or has died. */
  run(
    work: Omit<Extract<ThreadCommand, { kind: 'run' }>, 'kind'>,
    observer: BlockObserver,
  ): { warm: Promise<void>; done: Promise<LoopUtilization[]> } {
    this.observer = observer;
    const warm = new Promise<void>((resolve) => {
      this.isWarm = resolve;
    });
    const done = new Promise<LoopUtilization[]>((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    if (this.lost === undefined) this.post({ kind: 'run', ...work });
    else this.fail(this.lost.message);
    return { warm, done };
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private onReply(reply: ThreadReply): void {
    switch (reply.kind) {
      case 'ready':
        this.ready?.resolve();
        break;
      case 'warm':
        this.isWarm();
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
    // The first error is the cause.
    this.lost ??= new ThreadLost(message);
    this.ready?.reject(this.lost);
    this.isWarm();
    this.settle?.reject(this.lost);
  }
}
