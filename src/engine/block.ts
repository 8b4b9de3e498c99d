import { setMaxListeners } from 'node:events';
import type { Clock } from '../model/clock.ts';
import type { LoopLoad } from '../model/load.ts';
import type { Block, Cell } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { dueTimes } from './arrivals.ts';
import { droppedObservation } from './dropped.ts';
import { watchLoad } from './load.ts';
import { type LoopDeps, runLoop } from './loop.ts';
import { closedLoop, openLoop, type Pacer } from './pacer.ts';

/** One request as the engine asks for it. */
export interface Job {
  cell: Cell;
  /** When it was due, on the engine's clock. */
  scheduledAt: number;
  /** What the marks count from: the start of the run. */
  originAt: number;
  /** Aborted: end it now. */
  signal: AbortSignal;
}

/** Sends requests for the engine. */
export interface Executor {
  /** Never rejects: a failure is in the observation. */
  send(job: Job): Promise<Observation>;
  /**
   * Brings the connections to a target to the state in which a window is to find them: open, or none. Resolves also when
   * one cannot be opened, for the requests will tell.
   */
  warm(target: string, connections: number): Promise<void>;
}

/** How to end a run before it is done. */
export interface StopSignals {
  /** Issue no more; wait for what is in flight. */
  drain: AbortSignal;
  /** End what is in flight as well. */
  kill: AbortSignal;
}

/** Told of a block's requests as they end. Must return at once: it runs on the loop that measures. */
export interface BlockObserver {
  recorded(observation: Observation): void;
  warmedUp(observation: Observation): void;
}

/** Runs blocks, one after another. */
export interface BlockRunner {
  /**
   * Runs one block to its end. Resolves with the load of each measuring thread during the measured window, when the
   * last request has ended. Rejects with a `ThreadLost` when a thread has died, after the others have ended what was in
   * flight; the observer has been told of all that was measured.
   */
  run(block: Block, cell: Cell, observer: BlockObserver): Promise<LoopLoad[]>;
}

/** A measuring thread has died, and what it had in flight with it: the run cannot go on. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';
}

/** What a runner on this thread needs. */
export interface LocalRunnerDeps {
  clock: Clock;
  sleep: LoopDeps['sleep'];
  executor: Executor;
  signals: StopSignals;
  /** The start of the run on the clock; marks count from it. */
  originAt: number;
}

/** A runner on this thread's event loop. */
export function localRunner({ clock, sleep, executor, signals, originAt }: LocalRunnerDeps): BlockRunner {
  const loop: LoopDeps = { clock, sleep, stop: signals.drain };
  // Every request in flight listens to it.
  setMaxListeners(0, signals.kill);
  return {
    async run(block, cell, observer) {
      const { concurrency, rate } = cell;
      // How many streams an open loop will have is for the service to say: a connection for each request of a second.
      const connections = rate === undefined ? concurrency : Math.min(concurrency, Math.ceil(rate));
      const send = (scheduledAt: number) =>
        executor.send({ cell, scheduledAt, originAt, signal: signals.kill });
      await executor.warm(cell.target, connections);
      await runLoop(
        closedLoop({ concurrency, requests: block.warmup }),
        { issue: async (scheduledAt) => observer.warmedUp(await send(scheduledAt)) },
        loop,
      );
      // What the warm-up did to the connections is undone: it has cost some, or opened some that are to be cold.
      if (block.warmup > 0) await executor.warm(cell.target, connections);
      const load = watchLoad();
      const issued = await runLoop(
        pacerOf(block, cell),
        {
          issue: async (scheduledAt) => observer.recorded(await send(scheduledAt)),
          drop: (scheduledAt) =>
            observer.recorded(droppedObservation(cell, scheduledAt - originAt, clock.now() - originAt)),
        },
        loop,
      );
      const loopLoad = load.stop();
      // Stopped before its first request, it measured nothing, and a window of no length is always busy.
      return issued === 0 ? [] : [loopLoad];
    },
  };
}

function pacerOf({ requests, durationMs, arrivals }: Block, { concurrency, rate }: Cell): Pacer {
  if (rate === undefined || arrivals === undefined) return closedLoop({ concurrency, requests, durationMs });
  return openLoop({ concurrency, requests, durationMs, dueMs: dueTimes(rate, arrivals) });
}
