import { setMaxListeners } from 'node:events';
import { isPlannedCancel, type RetryPolicy } from '../model/behaviour.ts';
import type { Clock } from '../model/clock.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import { type Block, type Cell, split } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { wholeNumber } from '../model/shard.ts';
import { type BlockCounts, blockCounts, countsMemory } from './counts.ts';
import { type Course, courseOf, dealtDueTimes, dueTimesOf, highestRate, mostStreams } from './course.ts';
import { loopUsage, watchLoad } from './load-monitor.ts';
import { type IssuedRequest, type LoopDeps, runLoop, timerSleep } from './loop.ts';
import { closedLoop, openLoop, type Pacer, type StreamShare, sharedStreams } from './pacer.ts';
import { retrying } from './retries.ts';
import { runSession, type Session } from './session.ts';
import { cutAfter, loadByStage } from './window.ts';

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
  /** Its number among the measured requests of its cell, or among the warm-up requests of this block and thread. From 0. */
  number: number;
  /** True for an unmeasured request. */
  warmup: boolean;
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
  /** The session of a measured request; undefined if it is a single one. Default: all are. */
  session?(cell: Cell, number: number): Session | undefined;
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
  /** A request that is not counted: of the warm-up, or of a phase outside of the measured window. */
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
   * window, or during each stage. Rejects with a `ThreadLost` if a thread died, after the other threads have finished their requests; the observer
   * has received everything that was measured.
   */
  run(block: Block, cell: Cell, observer: BlockObserver): Promise<LoopUtilization[]>;
}

/** A measuring thread died, and its requests are lost: the run cannot continue. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';
}

/** One thread's share of a block. */
export interface ThreadShare extends StreamShare {
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
  const streams = mostStreams(block, cell);
  // Fewer threads if some would have no stream or no request.
  const of = Math.max(1, Math.min(count, streams, block.requests ?? streams));
  const warmup = split(block.warmup, of);
  const connections = split(connectionsFor(streams, highestRate(block, cell), of), of);
  return Array.from({ length: count }, (_, index) => {
    if (index >= of) return undefined;
    return { index, of, warmup: warmup[index] ?? 0, connections: connections[index] ?? 0 };
  });
}

/** The share of a single thread: all of the block. */
function wholeBlock(block: Block, cell: Cell): ThreadShare {
  const connections = connectionsFor(mostStreams(block, cell), highestRate(block, cell));
  return { index: 0, of: 1, warmup: block.warmup, connections };
}

// The number of streams of an open loop depends on the service: one connection for each request of a second.
function connectionsFor(streams: number, rate: number | undefined, atLeast = 1): number {
  return rate === undefined ? streams : Math.min(streams, Math.max(atLeast, Math.ceil(rate)));
}

/** Dependencies of a local runner. */
export interface LocalRunnerDeps {
  clock: Clock;
  sleep: LoopDeps['sleep'];
  /** Sleeps of sessions, several at a time: an alarm is for the loop only. Default: timers. */
  pause?: LoopDeps['sleep'];
  executor: Executor;
  signals: StopSignals;
  /** Start of the run on the clock: the origin of marks. */
  originAt: number;
  /** Default: a failed request is not sent again. */
  retries?: RetryPolicy;
  /** Seed of the waits before retries. Default: 1. */
  seed?: number;
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
export function localRunner(deps: LocalRunnerDeps): LocalRunner {
  const { clock, sleep, pause = timerSleep, executor, signals, originAt, retries, seed = 1 } = deps;
  const loop: LoopDeps = { clock, sleep, stop: signals.drain };
  const alone = (memory = countsMemory()): SharedWindow => ({
    memory,
    counts: blockCounts(memory),
    ready: () => clock.now(),
  });
  // Targets of which every stream was cut at the end of a window: they would use up the grace of every window.
  const endless = new Set<string>();
  // Every request in flight adds a listener to one, and every wait before a retry to the other.
  setMaxListeners(0, signals.kill, signals.drain);
  return {
    async run(block, cell, observer, share = wholeBlock(block, cell), shared = alone()) {
      const { warmup, connections } = share;
      /** Sends a request with its retries. Attempts that are retried go to `retried`. */
      const sender = (signal: AbortSignal) => {
        const stop = AbortSignal.any([signals.drain, signal]);
        setMaxListeners(0, stop);
        const sendRetrying = retrying(retries, { seed, clock, wait: pause, stop });
        return (
          job: Pick<Job, 'number' | 'warmup' | 'scheduledAt'>,
          retried: (attempt: Observation) => void,
        ) =>
          sendRetrying(
            job,
            (scheduledAt) => executor.send({ ...job, cell, scheduledAt, originAt, signal }),
            retried,
          );
      };
      const numberOf = numbering(block);
      const sendWarmup = sender(signals.kill);
      await executor.warm(cell.target, connections);
      const streams = mostStreams(block, cell);
      const slots = sharedStreams(streams, share);
      await runLoop(
        closedLoop({ course: courseOf({ cell: block.cell }, { concurrency: slots }), requests: warmup }),
        {
          issue: async ({ number, scheduledAt }) => {
            const warmedUp = (observation: Observation) => observer.warmedUp(observation);
            warmedUp(await sendWarmup({ number, warmup: true, scheduledAt }, warmedUp));
          },
        },
        loop,
        { opensAt: clock.now(), counts: blockCounts(), limit: slots },
      );
      // The warm-up may have closed connections, or opened some that should be cold.
      if (block.warmup > 0) await executor.warm(cell.target, connections);
      const opensAt = await shared.ready();
      const usage = loopUsage();
      observer.opened?.({ counts: shared.memory, utilization: () => [usage()] });
      const { startMs = 0 } = block;
      const course = courseOf(block, cell);
      const graceMs = endless.has(cell.target) ? 0 : block.graceMs;
      const endsAt = opensAt + course.endMs - startMs;
      const cutting = cutAfter({ graceMs, endsAt }, loop, signals.kill);
      const loads = loadByStage(course, () => watchLoad(clock, originAt));
      const kept = (phase: number, observation: Observation) => {
        const { cell: index, stage } = course.phases[phase] ?? {};
        if (index === undefined) observer.warmedUp(observation);
        else observer.recorded(stage === undefined ? observation : { ...observation, stage });
      };
      let ended = 0;
      const freed = freedSlots(cell.rate === undefined);
      const sendMeasured = sender(cutting.signal);
      const take = (observation: Observation, { inFlight, phase }: IssuedRequest, afterCancel?: true) => {
        if (observation.outcome.kind !== 'cut') ended += 1;
        kept(phase, { ...observation, inFlight, afterCancel });
      };
      const turns = { clock, sleep: pause, stop: signals.drain, originAt, signal: cutting.signal };
      const issue = async (request: IssuedRequest) => {
        loads.enter(request.phase);
        const number = numberOf(request.number);
        const session = executor.session?.(cell, number);
        if (session === undefined) {
          const afterCancel = freed.take();
          const record = (observation: Observation) => take(observation, request, afterCancel);
          const { scheduledAt } = request;
          const last = await sendMeasured({ number, warmup: false, scheduledAt }, record);
          record(last);
          freed.put(last);
        } else
          await runSession(session, request.scheduledAt, { ...turns, endsAt }, (turn) => take(turn, request));
      };
      await runLoop(
        pacerOf(block, cell, course, share),
        {
          issue,
          drop({ scheduledAt, inFlight, phase }) {
            loads.enter(phase);
            const dropped = droppedObservation(cell, streams, scheduledAt - originAt, clock.now() - originAt);
            kept(phase, { ...dropped, inFlight });
          },
        },
        loop,
        { opensAt, counts: shared.counts, limit: streams, startMs },
      );
      cutting.stop();
      if (cutting.isOver && ended === 0) endless.add(cell.target);
      return loads.stop();
    },
  };
}

function pacerOf(block: Block, cell: Cell, course: Course, thread: StreamShare): Pacer {
  const { requests, arrivals, measured, startMs, share } = block;
  if (cell.rate === undefined || arrivals === undefined) {
    // The course is that of the whole cell: a machine has its share of it, and of that each thread.
    const machine = share && { index: share.shard.number - 1, of: share.shard.of };
    return closedLoop({ course, requests, shares: machine === undefined ? [thread] : [machine, thread] });
  }
  // A shard takes its requests from the schedule of all shards.
  const dueMs = dealtDueTimes(dueTimesOf(course, arrivals, measured), share);
  return openLoop({ course, dueMs, concurrency: mostStreams(block, cell), requests, startMs });
}

/** The free slots of a closed loop, in the order in which they became free. */
function freedSlots(isClosed: boolean) {
  const slots: (true | undefined)[] = [];
  return {
    /** The request that ended freed a slot. */
    put(ended: Observation): void {
      if (isClosed) slots.push(isPlannedCancel(ended) ? true : undefined);
    },
    /** True if a cancelled stream freed the slot that is taken. */
    take: () => slots.shift(),
  };
}

/** The number of a request in its cell, over all rounds and machines, by its number in this block on this machine. */
function numbering({ first, drawn = 0, measured = 0, share }: Block): (number: number) => number {
  const whole = (own: number) => (share === undefined ? own : wholeNumber(share, own));
  // The numbers of a block that is limited by time follow those of the blocks that were measured before it.
  return (number) => (first === undefined ? whole(drawn + number) : first + whole(measured + number));
}
