import type { Arrivals, Block, LoadLevel, LoadPhase, RunPlan, TraceArrivals } from '../model/plan.ts';
import { type Deal, shareOf, wholeNumber } from '../model/shard.ts';
import { unitArrivals } from './arrivals.ts';

/** A phase with its place in the course. Times in ms from the start of the course. */
export interface PlacedPhase extends LoadPhase {
  index: number;
  startMs: number;
  /** Infinite if only the number of requests limits it. */
  endMs: number;
}

/** How the load of a block changes over time. */
export interface Course {
  phases: readonly PlacedPhase[];
  /** When the last phase ends. */
  endMs: number;
  /** The phase at this time; the last one after the end. */
  at(ms: number): PlacedPhase;
}

/** The course of a block: its phases, or the load of its cell for all of its time. */
export function courseOf(
  { phases, cell, durationMs }: Pick<Block, 'phases' | 'cell' | 'durationMs'>,
  { concurrency, rate }: LoadLevel,
): Course {
  const level = rate ?? concurrency;
  return placed(phases ?? [{ cell, durationMs, from: level, to: level }]);
}

function placed(phases: readonly LoadPhase[]): Course {
  let endMs = 0;
  const all = phases.map((phase, index): PlacedPhase => {
    const startMs = endMs;
    endMs += phase.durationMs ?? Number.POSITIVE_INFINITY;
    return { ...phase, index, startMs, endMs };
  });
  const last = all.at(-1);
  if (last === undefined) throw new Error('a block has no phase');
  return { phases: all, endMs, at: (ms) => all.find((phase) => ms < phase.endMs) ?? last };
}

/**
 * The most streams that this machine has in a block: of a closed loop those of the highest phase, of an open loop those that are
 * allowed.
 */
export function mostStreams(
  { phases = [], share }: Pick<Block, 'phases' | 'share'>,
  { concurrency, rate }: LoadLevel,
): number {
  const most = rate === undefined ? highest(phases, concurrency) : concurrency;
  return share === undefined ? most : shareOf(most, share.shard);
}

/** The most streams that this machine has in any block of a plan. */
export function mostStreamsOf({ blocks, cells, sweep }: Pick<RunPlan, 'blocks' | 'cells' | 'sweep'>): number {
  // The blocks of a sweep are chosen while it runs.
  const swept = sweep === undefined ? 1 : sweep.by === 'rate' ? sweep.maxConcurrency : sweep.max;
  return Math.max(
    swept,
    ...blocks.map((block) => mostStreams(block, cells[block.cell] ?? { concurrency: 1 })),
  );
}

/** The highest rate of an open loop's block on this machine; undefined for a closed loop. */
export function highestRate(
  { phases = [], share }: Pick<Block, 'phases' | 'share'>,
  { rate }: LoadLevel,
): number | undefined {
  return rate === undefined ? undefined : highest(phases, rate) / (share?.shard.of ?? 1);
}

function highest(phases: readonly LoadPhase[], level: number): number {
  return phases.length === 0 ? level : Math.max(...phases.flatMap(({ from, to }) => [from, to]));
}

/** Concurrent streams of a closed loop at this time, over all threads. */
export function streamsAt({ startMs, durationMs, from, to }: PlacedPhase, ms: number): number {
  if (durationMs === undefined || from === to) return to;
  const share = Math.min(1, (ms - startMs) / durationMs);
  // A wait for the next stream may end the smallest difference too early.
  return Math.floor(from + (to - from) * share + 1e-6);
}

/** When a rising ramp reaches this many streams; infinite if it does not. */
export function reachesAt({ startMs, durationMs, from, to }: PlacedPhase, streams: number): number {
  if (durationMs === undefined || to <= from || streams > to) return Number.POSITIVE_INFINITY;
  return startMs + (Math.max(0, streams - from) / (to - from)) * durationMs;
}

/** When each request of an open loop is due, in ms from the start of the course, as a function of its number only. */
export type DueTimes = (index: number) => number;

/**
 * The due times of an open loop: the arrivals of a process with a mean interval of 1, placed where the expected number of
 * requests reaches them. So the rate is followed exactly through ramps and stages, and threads that share a block send the same
 * schedule as one thread. Infinite for a request that is due after the end. `before`: requests that earlier parts of the run
 * have measured, after which the process continues.
 */
export function dueTimesOf({ phases, endMs }: Course, arrivals: Arrivals, before = 0): DueTimes {
  if (arrivals.process === 'trace') return recordedTimes(arrivals, endMs, before);
  const arrival = unitArrivals(arrivals);
  const origin = arrival(before);
  let expected = 0;
  const counted = phases.map((phase) => {
    const fromUnit = expected;
    expected += expectedIn(phase, phase.endMs);
    return { phase, fromUnit, toUnit: expected };
  });
  return (index) => {
    const at = arrival(before + index) - origin;
    const found = counted.find(({ toUnit }) => at < toUnit);
    return found === undefined ? Number.POSITIVE_INFINITY : timeOf(found.phase, at - found.fromUnit);
  };
}

/** The times of a trace, which are due whatever the load of the course. */
function recordedTimes({ dueMs }: TraceArrivals, endMs: number, before: number): DueTimes {
  const originMs = dueMs[before] ?? 0;
  return (index) => {
    const at = (dueMs[before + index] ?? Number.POSITIVE_INFINITY) - originMs;
    return at < endMs ? at : Number.POSITIVE_INFINITY;
  };
}

/** The due times of the requests that a machine sends, of those of all machines. */
export function dealtDueTimes(dueMs: DueTimes, deal: Deal | undefined): DueTimes {
  return deal === undefined ? dueMs : (index) => dueMs(wholeNumber(deal, index));
}

/** The number of the first request that is due at this time or later. */
export function firstDueFrom(dueMs: DueTimes, ms: number): number {
  let index = 0;
  while (dueMs(index) < ms) index += 1;
  return index;
}

/** The expected number of requests from the start of a phase to this time. */
function expectedIn({ startMs, durationMs, from, to }: PlacedPhase, untilMs: number): number {
  if (durationMs === undefined) return to > 0 ? Number.POSITIVE_INFINITY : 0;
  const seconds = (untilMs - startMs) / 1000;
  return from * seconds + (((to - from) * 1000) / durationMs / 2) * seconds ** 2;
}

/** When the expected number of requests since the start of a phase reaches `units`: the inverse of `expectedIn`. */
function timeOf({ startMs, durationMs, from, to }: PlacedPhase, units: number): number {
  if (durationMs === undefined || from === to) return startMs + (units * 1000) / to;
  // This form of the solution of the quadratic equation is also exact where the ramp starts at 0 or is nearly flat.
  const scaled = (units * 1000) / durationMs;
  const root = Math.sqrt(Math.max(0, from ** 2 + 2 * (to - from) * scaled));
  return scaled === 0 ? startMs : startMs + durationMs * ((2 * scaled) / (from + root));
}
