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

/**
 * The only load loop: asks the pacer, issues, waits. `issue` gets the request's number in the block and the moment it
 * was due, and must not reject. Resolves with the number of requests issued, when all of them have ended.
 */
export async function runLoop(
  pacer: Pacer,
  issue: (index: number, scheduledAt: number) => Promise<void>,
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
        void issue(issued++, now).then(() => {
          inFlight--;
          wake();
        });
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
