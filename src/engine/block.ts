import { setMaxListeners } from 'node:events';
import type { Clock } from '../model/clock.ts';
import type { LoopLoad } from '../model/load-report.ts';
import { type Block, type Cell, split } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { type BlockCounts, blockCounts } from './counts.ts';
import { watchLoad } from './load-monitor.ts';
import { type LoopDeps, runLoop } from './loop.ts';
import { closedLoop, dueTimes, openLoop, type Pacer } from './pacer.ts';

/** What is kept of a request that was due and not sent, because every slot of its cell was taken. Times from the start of the run. */
export function droppedObservation(cell: Cell, scheduledMs: number, nowMs: number): Observation {
  const { mode, concurrency } = cell;
  return {
    mode,
    outcome: {
      kind: 'dropped',
      message: `not sent: ${concurrency} ${concurrency === 1 ? 'stream was' : 'streams were'} open when it was due`,
      hint: 'the service falls behind this rate: lower load.rate, or raise load.maxConcurrency to see how far',
    },
    marks: { scheduled: scheduledMs, started: nowMs },
    ...{ reads: 0, events: 0, comments: 0, contentEvents: 0, coalesced: 0, bytes: 0 },
    chars: { answer: 0, thinking: 0 },
    gaps: [],
    tokens: { output: null, source: 'chunks' },
  };
}

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

/** One thread's part of a block. */
export interface ThreadShare {
  /** The streams of a closed loop that this thread keeps open. */
  slots: number;
  /** Unmeasured requests that this thread sends. */
  warmup: number;
  /** Connections that this thread opens before the window. */
  connections: number;
}

/** What the threads of a block have in common. */
export interface SharedWindow {
  counts: BlockCounts;
  /** Called when this thread is warm. Resolves with the moment, on the clock, at which the window of all threads opens. */
  ready(): number | Promise<number>;
}

/**
 * Cuts a block for `count` threads: undefined for a thread that has nothing to do in it. Slots, warm-up and connections of the
 * parts sum to the whole. Requests are not cut: the threads take them from one count.
 */
export function threadShares(block: Block, cell: Cell, count: number): (ThreadShare | undefined)[] {
  const { concurrency, rate } = cell;
  // Fewer threads than asked for, where a thread would have no stream of its own or nothing to send.
  const useful = Math.max(1, Math.min(count, concurrency, block.requests ?? concurrency));
  const slots = split(concurrency, useful);
  const warmup = split(block.warmup, useful);
  // How many streams an open loop will have depends on the service: a connection for each request of a second.
  const connections = split(
    rate === undefined ? concurrency : Math.min(concurrency, Math.max(useful, Math.ceil(rate))),
    useful,
  );
  return Array.from({ length: count }, (_, index) =>
    index < useful
      ? { slots: slots[index]!, warmup: warmup[index]!, connections: connections[index]! }
      : undefined,
  );
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

/** A runner on this thread's event loop. It runs a part of a block where other threads run the rest. */
export interface LocalRunner extends BlockRunner {
  run(
    block: Block,
    cell: Cell,
    observer: BlockObserver,
    part?: ThreadShare,
    together?: SharedWindow,
  ): Promise<LoopLoad[]>;
}

/** A runner on this thread's event loop. */
export function localRunner({ clock, sleep, executor, signals, originAt }: LocalRunnerDeps): LocalRunner {
  const loop: LoopDeps = { clock, sleep, stop: signals.drain };
  const alone = (): SharedWindow => ({ counts: blockCounts(), ready: () => clock.now() });
  // Every request in flight listens to it.
  setMaxListeners(0, signals.kill);
  return {
    async run(block, cell, observer, part = threadShares(block, cell, 1)[0]!, together = alone()) {
      const { slots, warmup, connections } = part;
      const send = (scheduledAt: number) =>
        executor.send({ cell, scheduledAt, originAt, signal: signals.kill });
      await executor.warm(cell.target, connections);
      await runLoop(
        closedLoop({ slots, requests: warmup }),
        { issue: async ({ scheduledAt }) => observer.warmedUp(await send(scheduledAt)) },
        loop,
        { opensAt: clock.now(), counts: blockCounts(), limit: slots },
      );
      // What the warm-up did to the connections is undone: it has cost some, or opened some that are to be cold.
      if (block.warmup > 0) await executor.warm(cell.target, connections);
      const opensAt = await together.ready();
      const load = watchLoad(clock, originAt);
      const issued = await runLoop(
        pacerOf(block, cell, slots),
        {
          issue: async ({ scheduledAt, inFlight }) =>
            observer.recorded({ ...(await send(scheduledAt)), inFlight }),
          drop: ({ scheduledAt, inFlight }) => {
            const dropped = droppedObservation(cell, scheduledAt - originAt, clock.now() - originAt);
            observer.recorded({ ...dropped, inFlight });
          },
        },
        loop,
        { opensAt, counts: together.counts, limit: cell.concurrency },
      );
      const loopLoad = load.stop();
      // Stopped before its first request, it measured nothing, and a window of no length is always busy.
      return issued === 0 ? [] : [loopLoad];
    },
  };
}

function pacerOf(
  { requests, durationMs, arrivals, measured }: Block,
  { concurrency, rate }: Cell,
  slots: number,
): Pacer {
  if (rate === undefined || arrivals === undefined) return closedLoop({ slots, requests, durationMs });
  return openLoop({ concurrency, requests, durationMs, dueMs: dueTimes(rate, arrivals, measured) });
}
