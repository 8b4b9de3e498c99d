/** How far a block has come. */
export interface PaceState {
  /** Since the block's window opened. */
  elapsedMs: number;
  /** Requests issued so far, and those that were dropped. */
  issued: number;
  /** Requests issued and not ended. */
  inFlight: number;
}

/** What the loop does next. */
export type Pace =
  /** Issue a request now. It was due `dueMs` after the window opened; where that is absent, now. */
  | { kind: 'issue'; dueMs?: number }
  /** The request is due and cannot be issued: count it, and leave it. */
  | { kind: 'drop'; dueMs: number }
  /** Wait until a request ends, at most `ms` where that is given, and ask again. */
  | { kind: 'wait'; ms?: number }
  /** Issue no more. */
  | { kind: 'stop' };

/** Decides when requests are issued. Pure: the same argument has the same answer. */
export type Pacer = (state: PaceState) => Pace;

/** A closed loop: keeps `concurrency` requests in flight until `requests` were issued or `durationMs` has passed, whichever is first. */
export function closedLoop(load: { concurrency: number; requests?: number; durationMs?: number }): Pacer {
  const { concurrency, requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = load;
  return ({ elapsedMs, issued, inFlight }) => {
    if (issued >= requests || elapsedMs >= durationMs) return { kind: 'stop' };
    if (inFlight < concurrency) return { kind: 'issue' };
    return Number.isFinite(durationMs) ? { kind: 'wait', ms: durationMs - elapsedMs } : { kind: 'wait' };
  };
}

/**
 * An open loop: issues each request when it is due (`dueMs`, by its number), whatever became of the ones before, until
 * `requests` were due or `durationMs` has passed. A request that finds `concurrency` others in flight is dropped.
 */
export function openLoop(load: {
  concurrency: number;
  dueMs: (index: number) => number;
  requests?: number;
  durationMs?: number;
}): Pacer {
  const { concurrency, requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = load;
  return ({ elapsedMs, issued, inFlight }) => {
    if (issued >= requests) return { kind: 'stop' };
    const dueMs = load.dueMs(issued);
    if (dueMs >= durationMs) return { kind: 'stop' };
    if (elapsedMs < dueMs) return { kind: 'wait', ms: dueMs - elapsedMs };
    return { kind: inFlight < concurrency ? 'issue' : 'drop', dueMs };
  };
}
