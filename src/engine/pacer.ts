/** How far a block has come. */
export interface PaceState {
  /** Since the block's window opened. */
  elapsedMs: number;
  /** Requests issued so far. */
  issued: number;
  /** Requests issued and not ended. */
  inFlight: number;
}

/** What the loop does next. */
export type Pace =
  /** Issue a request now. */
  | { kind: 'issue' }
  /** Wait until a request ends, at most `ms` where that is given, and ask again. */
  | { kind: 'wait'; ms?: number }
  /** Issue no more. */
  | { kind: 'stop' };

/** Decides when requests are issued. Pure: all it knows is in its argument. */
export type Pacer = (state: PaceState) => Pace;

/** Keeps `concurrency` requests in flight until `requests` were issued or `durationMs` has passed, whichever is first. */
export function closedLoop(load: { concurrency: number; requests?: number; durationMs?: number }): Pacer {
  const { concurrency, requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = load;
  return ({ elapsedMs, issued, inFlight }) => {
    if (issued >= requests || elapsedMs >= durationMs) return { kind: 'stop' };
    if (inFlight < concurrency) return { kind: 'issue' };
    return Number.isFinite(durationMs) ? { kind: 'wait', ms: durationMs - elapsedMs } : { kind: 'wait' };
  };
}
