import {
  type Course,
  type DueTimes,
  firstDueFrom,
  type PlacedPhase,
  reachesAt,
  streamsAt,
} from './course.ts';

/** The progress of a block, as seen by one thread. */
export interface PaceState {
  /** Since the start of the block's course. */
  elapsedMs: number;
  /** Number of the request that this thread has taken but not issued; absent if there is none. */
  taken?: number;
  /** Requests in flight from this thread. */
  own: number;
  /** Requests in flight from all threads. */
  inFlight: number;
}

/** What the loop does next. */
export type Pace =
  /** Take the next request's number, so that no other thread issues it. */
  | { kind: 'take' }
  /**
   * Issue the taken request now, or one without a number if none is taken. It belongs to this phase of the course. It was due
   * `dueMs` after the start of the course; if absent, now.
   */
  | { kind: 'issue'; phase: number; dueMs?: number }
  /** The taken request is due but cannot be issued: count it as dropped. */
  | { kind: 'drop'; phase: number; dueMs: number }
  /** Wait until a request ends, or for at most `ms`, and call the pacer again. */
  | { kind: 'wait'; ms?: number }
  /** Issue no more. */
  | { kind: 'stop' };

/** Decides when requests are issued. A pure function. */
export type Pacer = (state: PaceState) => Pace;

// A difference of two times may be smaller than the clock can show: such a wait would never end.
const SHORTEST_WAIT_MS = 1e-6;

/** A share in the streams of a closed loop: of a machine in all, or of a thread in those of its machine. */
export interface StreamShare {
  /** Index among those that share the streams, from 0. */
  index: number;
  of: number;
}

/** The streams of `total` that belong to this share. The shares of all threads add up to `total`. */
export function sharedStreams(total: number, { index, of }: StreamShare): number {
  return Math.floor((total + of - 1 - index) / of);
}

/** What a pacer issues. */
export interface PacerLoad {
  course: Course;
  /** Counted requests of all threads together. Default: no limit. */
  requests?: number;
}

/**
 * A closed loop: keeps this thread's share (the last of `shares`, each of the one before) of the course's streams in flight, until all threads have taken `requests` or the
 * course is over, whichever is first. A number is taken only when a stream is free for it, so that no request waits while
 * another thread has a free stream. Requests of a phase that is not counted have no number.
 */
export function closedLoop({
  course,
  requests = Number.POSITIVE_INFINITY,
  shares = [],
}: PacerLoad & { shares?: readonly StreamShare[] }): Pacer {
  return ({ elapsedMs, taken, own }) => {
    if (elapsedMs >= course.endMs) return { kind: 'stop' };
    const phase = course.at(elapsedMs);
    const isCounted = phase.cell !== undefined;
    if (isCounted && taken !== undefined && taken >= requests) return { kind: 'stop' };
    const streams = shares.reduce(sharedStreams, streamsAt(phase, elapsedMs));
    if (own < streams)
      return isCounted && taken === undefined ? { kind: 'take' } : { kind: 'issue', phase: phase.index };
    const ms = nextStreamAt(phase, streams, shares) - elapsedMs;
    return Number.isFinite(ms) ? { kind: 'wait', ms: Math.max(SHORTEST_WAIT_MS, ms) } : { kind: 'wait' };
  };
}

/** When this thread may have a stream more without the end of a request: in a ramp, or in the next phase. */
function nextStreamAt(phase: PlacedPhase, streams: number, shares: readonly StreamShare[]): number {
  const needed = shares.reduceRight((own, { index, of }) => (own - 1) * of + index + 1, streams + 1);
  return Math.min(phase.endMs, reachesAt(phase, needed));
}

/**
 * An open loop: issues each request when it is due, independent of earlier requests, until the counted `requests` were due or
 * the course is over. A request is dropped if `concurrency` others are in flight. Each thread takes a number in advance and
 * waits until it is due, so a late thread delays only one request. `startMs`: where in the course it begins.
 */
export function openLoop({
  course,
  dueMs: dueAt,
  concurrency,
  requests = Number.POSITIVE_INFINITY,
  startMs = 0,
}: PacerLoad & { dueMs: DueTimes; concurrency: number; startMs?: number }): Pacer {
  const first = startMs > 0 ? firstDueFrom(dueAt, startMs) : 0;
  const countedFrom = course.phases.find(({ cell }) => cell !== undefined)?.startMs ?? 0;
  const limit = Number.isFinite(requests)
    ? firstDueFrom(dueAt, countedFrom) + requests
    : Number.POSITIVE_INFINITY;
  return ({ elapsedMs, taken, inFlight }) => {
    if (taken === undefined) return { kind: 'take' };
    const number = first + taken;
    if (number >= limit) return { kind: 'stop' };
    const dueMs = dueAt(number);
    if (dueMs >= course.endMs) return { kind: 'stop' };
    if (dueMs - elapsedMs > SHORTEST_WAIT_MS) return { kind: 'wait', ms: dueMs - elapsedMs };
    return { kind: inFlight < concurrency ? 'issue' : 'drop', phase: course.at(dueMs).index, dueMs };
  };
}
