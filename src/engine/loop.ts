import type { Clock } from '../model/clock.ts';
import type { BlockCounts } from './counts.ts';
import type { Pacer } from './pacer.ts';

/** Dependencies of the loop. */
export interface LoopDeps {
  clock: Clock;
  /** Resolves after `ms`, or when `until` resolves if that is earlier. */
  sleep(ms: number, until: Promise<void>): Promise<void>;
  /** When aborted, no more requests are issued; those in flight are awaited. */
  stop: AbortSignal;
}

/** The window in which a loop issues requests. */
export interface LoopWindow {
  /** When it opens, on the loop's clock. Nothing is issued before. */
  opensAt: number;
  /** Shared with the other threads of the block. */
  counts: BlockCounts;
  /** The most requests in flight over all threads. */
  limit: number;
  /** How far into its course the block is when the window opens. Default: 0. */
  startMs?: number;
}

/** A request that is issued. */
export interface IssuedRequest {
  /** Its number in the block, from 0, over all threads. */
  number: number;
  /** When it was due, on the loop's clock. */
  scheduledAt: number;
  /** Requests in flight over all threads, including this one. */
  inFlight: number;
  /** Index of the phase that it belongs to. */
  phase: number;
}

/** Handles the requests that are due. */
export interface RequestHandler {
  /** Sends it; resolves when it has ended, and must not reject. */
  issue(request: IssuedRequest): Promise<void>;
  /** No slot was free for it: `inFlight` others are open. */
  drop?(request: IssuedRequest): void;
}

/**
 * The only load loop: calls the pacer, issues requests, waits. Resolves when all requests that this thread issued have ended,
 * with the number that it issued or dropped.
 */
export async function runLoop(
  pacer: Pacer,
  requests: RequestHandler,
  { clock, sleep, stop }: LoopDeps,
  { opensAt, counts, limit, startMs = 0 }: LoopWindow,
): Promise<number> {
  let done = 0;
  let own = 0;
  let taken: number | undefined;
  let wake = () => {};
  const onStop = () => wake();
  stop.addEventListener('abort', onStop);
  try {
    for (;;) {
      const now = clock.now();
      const elapsedMs = now - opensAt;
      const pace = stop.aborted
        ? ({ kind: 'stop' } as const)
        : elapsedMs < 0
          ? ({ kind: 'wait', ms: -elapsedMs } as const)
          : pacer({ elapsedMs: startMs + elapsedMs, taken, own, inFlight: counts.inFlight() });
      if (pace.kind === 'take') {
        taken = counts.take();
        continue;
      }
      if (pace.kind === 'issue') {
        const inFlight = counts.enter(limit);
        // Another thread took the slot: call the pacer again.
        if (inFlight === 0) continue;
        // A pacer issues only a number that was taken.
        const number = taken ?? 0;
        taken = undefined;
        own++;
        done++;
        const scheduledAt = pace.dueMs === undefined ? now : opensAt + pace.dueMs - startMs;
        void requests.issue({ number, scheduledAt, inFlight, phase: pace.phase }).then(() => {
          own--;
          counts.leave();
          wake();
        });
        continue;
      }
      if (pace.kind === 'drop') {
        const number = taken ?? 0;
        taken = undefined;
        done++;
        const scheduledAt = opensAt + pace.dueMs - startMs;
        requests.drop?.({ number, scheduledAt, inFlight: limit, phase: pace.phase });
        continue;
      }
      if (pace.kind === 'stop' && own === 0) return done;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (pace.kind === 'wait' && pace.ms !== undefined) await sleep(pace.ms, woken);
      else await woken;
    }
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

/** `sleep` on the machine's timers. */
export function timerSleep(ms: number, until: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, Math.ceil(ms)));
    void until.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
