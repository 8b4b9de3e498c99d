import { setMaxListeners } from 'node:events';
import type { Clock } from '../model/clock.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import { type Block, type Cell, type LoadLevel, split } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { wholeNumber } from '../model/shard.ts';
import { type BlockCounts, blockCounts, countsMemory } from './counts.ts';
import { loopUsage, watchLoad } from './load-monitor.ts';
import { type LoopDeps, runLoop } from './loop.ts';
import { closedLoop, dueTimes, openLoop, type Pacer } from './pacer.ts';

/** The observation of a request that was due but not sent, because every slot of its cell was taken. Times from the start of the run. */
function droppedObservation(
  { mode }: Cell,
  concurrency: number,
  scheduledMs: number,
  nowMs: number,
): Observation {
  return {
    mode,
    outcome: {
      kind: 'dropped',
      message: `not sent: ${concurrency} ${concurrency === 1 ? 'stream was' : 'streams were'} open when it was due`,
      hint: 'the service cannot keep up with this rate: lower load.rate, or raise load.maxConcurrency',
    },
    marks: { scheduled: scheduledMs, started: nowMs },
    reads: 0,
    events: 0,
    comments: 0,
    contentEvents: 0,
    coalesced: 0,
    bytes: 0,
    chars: { answer: 0, thinking: 0 },
    gaps: [],
    tokens: { output: null, source: 'chunks' },
  };
}

/** One request to send. */
export interface Job {
  cell: Cell;
  /** When it was due, on the engine's clock. */
  scheduledAt: number;
  /** Origin of the marks: the start of the run. */
  originAt: number;
  /** Ends the request when aborted. */
  signal: AbortSignal;
}

/** Sends requests for the engine. */
export interface Executor {
  /** Never rejects: a failure is reported in the observation. */
  send(job: Job): Promise<Observation>;
  /**
   * Prepares the connections to a target for a window: opens or closes them. Also resolves if a connection cannot be opened:
   * the requests will report that.
   */
  warm(target: string, connections: number): Promise<void>;
}

/** Signals that end a run early. */
export interface StopSignals {
  /** Issue no more requests; wait for those in flight. */
  drain: AbortSignal;
  /** Cancel the requests in flight as well. */
  kill: AbortSignal;
}

/** Receives a block's observations. Must return at once: it runs on the measuring event loop. */
export interface BlockObserver {
  /** The measured window opens. */
  opened?(window: OpenWindow): void;
  recorded(observation: Observation): void;
  warmedUp(observation: Observation): void;
}

/** The measured window of a block, for a display that follows it live. */
export interface OpenWindow {
  /** The memory of the block's counters, which other threads may read; see `blockCounts`. */
  counts: SharedArrayBuffer;
  /** The utilization of each measuring thread's event loop since the previous call, 0 to 1. */
  utilization(): number[];
}

/** Runs blocks, one after another. */
export interface BlockRunner {
  /**
   * Runs one block. Resolves when the last request has ended, with the load of each measuring thread during the measured
   * window. Rejects with a `ThreadLost` if a thread died, after the other threads have finished their requests; the observer
   * has received everything that was measured.
   */
  run(block: Block, cell: Cell, observer: BlockObserver): Promise<LoopUtilization[]>;
}

/** A measuring thread died, and its requests are lost: the run cannot continue. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';
}

/** One thread's share of a block. */
export interface ThreadShare {
  /** Streams of a closed loop that this thread keeps open. */
  slots: number;
  /** Unmeasured requests that this thread sends. */
  warmup: number;
  /** Connections that this thread opens before the window. */
  connections: number;
}

/** State shared by the threads of a block. */
export interface SharedWindow {
  /** What `counts` counts in. */
  memory: SharedArrayBuffer;
  counts: BlockCounts;
  /** Called when this thread has warmed up. Resolves with the time at which the window of all threads opens. */
  ready(): number | Promise<number>;
}

/**
 * Splits a block among `count` threads: undefined for a thread without work. Slots, warm-up requests and connections add up to
 * the block's. Requests are not split: the threads take them from a shared counter.
 */
export function threadShares(block: Block, cell: Cell, count: number): (ThreadShare | undefined)[] {
  const { concurrency, rate } = loadOf(block, cell);
  // Fewer threads if some would have no stream or no request.
  const useful = Math.max(1, Math.min(count, concurrency, block.requests ?? concurrency));
  const slots = split(concurrency, useful);
  const warmup = split(block.warmup, useful);
  const connections = split(connectionsFor(concurrency, rate, useful), useful);
  return Array.from({ length: count }, (_, index) => {
    if (index >= useful) return undefined;
    return { slots: slots[index] ?? 0, warmup: warmup[index] ?? 0, connections: connections[index] ?? 0 };
  });
}

/** The share of a single thread: all of the block. */
function wholeBlock(block: Block, cell: Cell): ThreadShare {
  const { concurrency, rate } = loadOf(block, cell);
  return { slots: concurrency, warmup: block.warmup, connections: connectionsFor(concurrency, rate) };
}

/** The load that this machine applies: the cell's, or its share of it. */
function loadOf({ share }: Block, { concurrency, rate }: Cell): LoadLevel {
  if (share === undefined) return { concurrency, rate };
  return { concurrency: share.concurrency, rate: rate && rate / share.shard.of };
}

// The number of streams of an open loop depends on the service: one connection for each request of a second.
function connectionsFor(concurrency: number, rate: number | undefined, atLeast = 1): number {
  return rate === undefined ? concurrency : Math.min(concurrency, Math.max(atLeast, Math.ceil(rate)));
}

/** Dependencies of a local runner. */
export interface LocalRunnerDeps {
  clock: Clock;
  sleep: LoopDeps['sleep'];
  executor: Executor;
  signals: StopSignals;
  /** Start of the run on the clock: the origin of marks. */
  originAt: number;
}

/** A runner on this thread's event loop. It can run one thread's share of a block. */
export interface LocalRunner extends BlockRunner {
  run(
    block: Block,
    cell: Cell,
    observer: BlockObserver,
    share?: ThreadShare,
    shared?: SharedWindow,
  ): Promise<LoopUtilization[]>;
}

/** A runner on this thread's event loop. */
export function localRunner({ clock, sleep, executor, signals, originAt }: LocalRunnerDeps): LocalRunner {
  const loop: LoopDeps = { clock, sleep, stop: signals.drain };
  const alone = (memory = countsMemory()): SharedWindow => ({
    memory,
    counts: blockCounts(memory),
    ready: () => clock.now(),
  });
  // Every request in flight adds a listener.
  setMaxListeners(0, signals.kill);
  return {
    async run(block, cell, observer, share = wholeBlock(block, cell), shared = alone()) {
      const { slots, warmup, connections } = share;
      const { concurrency } = loadOf(block, cell);
      const send = (scheduledAt: number) =>
        executor.send({ cell, scheduledAt, originAt, signal: signals.kill });
      await executor.warm(cell.target, connections);
      await runLoop(
        closedLoop({ slots, requests: warmup }),
        { issue: async ({ scheduledAt }) => observer.warmedUp(await send(scheduledAt)) },
        loop,
        { opensAt: clock.now(), counts: blockCounts(), limit: slots },
      );
      // The warm-up may have closed connections, or opened some that should be cold.
      if (block.warmup > 0) await executor.warm(cell.target, connections);
      const opensAt = await shared.ready();
      const usage = loopUsage();
      observer.opened?.({ counts: shared.memory, utilization: () => [usage()] });
      const load = watchLoad(clock, originAt);
      const issued = await runLoop(
        pacerOf(block, cell, slots),
        {
          issue: async ({ scheduledAt, inFlight }) =>
            observer.recorded({ ...(await send(scheduledAt)), inFlight }),
          drop: ({ scheduledAt, inFlight }) => {
            const dropped = droppedObservation(
              cell,
              concurrency,
              scheduledAt - originAt,
              clock.now() - originAt,
            );
            observer.recorded({ ...dropped, inFlight });
          },
        },
        loop,
        { opensAt, counts: shared.counts, limit: concurrency },
      );
      const loopLoad = load.stop();
      // Stopped before its first request: nothing was measured, and the utilization of an empty window is meaningless.
      return issued === 0 ? [] : [loopLoad];
    },
  };
}

function pacerOf(block: Block, cell: Cell, slots: number): Pacer {
  const { requests, durationMs, arrivals, measured, share } = block;
  // The rate of the whole cell: a shard takes its requests from the schedule of all shards.
  if (cell.rate === undefined || arrivals === undefined) return closedLoop({ slots, requests, durationMs });
  const dueInWhole = dueTimes(cell.rate, arrivals, measured);
  const dueMs = share === undefined ? dueInWhole : (index: number) => dueInWhole(wholeNumber(share, index));
  return openLoop({ concurrency: loadOf(block, cell).concurrency, requests, durationMs, dueMs });
}
