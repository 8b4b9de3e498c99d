import type { Arrivals } from '../model/plan.ts';
import { createRandom } from '../model/seeded-random.ts';

/**
 * When the requests of an open loop are due: in ms from the opening of the window, as a function of the request's number only.
 * So threads that share a window and its numbers send the same schedule as one thread. `before`: requests that were sent in an
 * earlier window, whose schedule this one continues. Default: 0.
 */
export function dueTimes(
  ratePerSecond: number,
  { process, seed }: Arrivals,
  before = 0,
): (index: number) => number {
  const everyMs = 1000 / ratePerSecond;
  switch (process) {
    case 'constant':
      return (index) => index * everyMs;
    case 'poisson': {
      const at = poisson(everyMs, seed);
      const openedAt = before === 0 ? 0 : at(before - 1);
      return (index) => at(before + index) - openedAt;
    }
    default:
      return process satisfies never;
  }
}

/** Times of a Poisson process: exponential intervals with this mean. */
function poisson(everyMs: number, seed: number): (index: number) => number {
  const random = createRandom(seed);
  const times: number[] = [];
  return (index) => {
    // 1 - next() because log(0) is infinite.
    while (times.length <= index) times.push((times.at(-1) ?? 0) - everyMs * Math.log(1 - random.next()));
    // `!`: the loop above has filled the list up to this index.
    return times[index]!;
  };
}

/** The progress of a block, as seen by one thread. */
export interface PaceState {
  /** Since the block's window opened. */
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
  /** Issue the taken request now. It was due `dueMs` after the window opened; if absent, now. */
  | { kind: 'issue'; dueMs?: number }
  /** The taken request is due but cannot be issued: count it as dropped. */
  | { kind: 'drop'; dueMs: number }
  /** Wait until a request ends, or for at most `ms`, and call the pacer again. */
  | { kind: 'wait'; ms?: number }
  /** Issue no more. */
  | { kind: 'stop' };

/** Decides when requests are issued. A pure function. */
export type Pacer = (state: PaceState) => Pace;

/** When a block ends: after a number of requests or a duration, whichever is first. */
export interface StopCondition {
  /** Requests of all threads together. */
  requests?: number;
  durationMs?: number;
}

/**
 * A closed loop: keeps `slots` requests of this thread in flight until all threads have taken `requests` or `durationMs` has
 * passed, whichever is first. A number is taken only when a slot is free for it, so that no request waits while another thread
 * has a free slot.
 */
export function closedLoop(load: StopCondition & { slots: number }): Pacer {
  const { slots, requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = load;
  return ({ elapsedMs, taken, own }) => {
    if (elapsedMs >= durationMs) return { kind: 'stop' };
    if (taken !== undefined) return { kind: taken < requests ? 'issue' : 'stop' };
    if (own < slots) return { kind: 'take' };
    return Number.isFinite(durationMs) ? { kind: 'wait', ms: durationMs - elapsedMs } : { kind: 'wait' };
  };
}

/**
 * An open loop: issues each request when it is due (`dueMs`, by its number), independent of earlier requests, until `requests`
 * were due or `durationMs` has passed. A request is dropped if `concurrency` others are in flight. Each thread takes a number
 * in advance and waits until it is due, so a late thread delays only one request.
 */
export function openLoop(
  load: StopCondition & { concurrency: number; dueMs: (number: number) => number },
): Pacer {
  const { concurrency, requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = load;
  return ({ elapsedMs, taken, inFlight }) => {
    if (taken === undefined) return { kind: 'take' };
    if (taken >= requests) return { kind: 'stop' };
    const dueMs = load.dueMs(taken);
    if (dueMs >= durationMs) return { kind: 'stop' };
    if (elapsedMs < dueMs) return { kind: 'wait', ms: dueMs - elapsedMs };
    return { kind: inFlight < concurrency ? 'issue' : 'drop', dueMs };
  };
}
