import type { Clock } from '../model/clock.ts';
import type { Pacer } from './pacer.ts';

/** What the loop needs beside its pacer. */
export interface LoopDeps {
  clock: Clock;
  /** Resolves after `ms`, or when `until` resolves if that is sooner. */
  sleep(ms: number, until: Promise<void>): Promise<void>;
  /** Aborted: issue no more. What is in flight is waited for. */
  stop: AbortSignal;
}

/** What the loop does with a request that is due. */
export interface Requests {
  /** Sends it; resolves when it has ended, and must not reject. Gets the moment at which it was due. */
  issue(scheduledAt: number): Promise<void>;
  /** No slot was free for it. */
  drop?(scheduledAt: number): void;
}

/**
 * The only load loop: asks the pacer, issues, waits. Resolves with the number of requests that were due, when all that
 * were issued have ended.
 */
export async function runLoop(
  pacer: Pacer,
  requests: Requests,
  { clock, sleep, stop }: LoopDeps,
): Promise<number> {
  const openedAt = clock.now();
  let issued = 0;
  let inFlight = 0;
  let wake = () => {};
  const onStop = () => wake();
  stop.addEventListener('abort', onStop);
  try {
    for (;;) {
      const now = clock.now();
      const pace = stop.aborted
        ? ({ kind: 'stop' } as const)
        : pacer({ elapsedMs: now - openedAt, issued, inFlight });
      if (pace.kind === 'issue') {
        inFlight++;
        issued++;
        void requests.issue(pace.dueMs === undefined ? now : openedAt + pace.dueMs).then(() => {
          inFlight--;
          wake();
        });
        continue;
      }
      if (pace.kind === 'drop') {
        issued++;
        requests.drop?.(openedAt + pace.dueMs);
        continue;
      }
      if (pace.kind === 'stop' && inFlight === 0) return issued;
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
