import { timerSleep } from '../../engine/loop.ts';
import type { Clock } from '../../model/clock.ts';
import { UserError } from '../../model/errors.ts';
import { formatTimeLimit } from '../../model/format.ts';
import { unixTime } from '../../model/unix-time.ts';

/** A shard may start this long after `--start-at`: schedulers do not start all tasks at once. */
const START_GRACE_MS = 10_000;

// A later time is probably a mistake in the date or the unit.
const LATEST_MS = 24 * 60 * 60 * 1000;

/**
 * Checks the time of `--start-at`, a text that `unixTime` reads. Throws a `UserError` (`usage`) for a time that was more than 10 s
 * ago, or that is more than 24 h ahead.
 */
export function startTime(text: string, now: Date): Date {
  const at = new Date(unixTime(text) ?? Number.NaN);
  const aheadMs = at.getTime() - now.getTime();
  if (aheadMs >= -START_GRACE_MS && aheadMs <= LATEST_MS) return at;
  if (aheadMs < 0) {
    const ago = `${Math.round(-aheadMs / 1000)} s ago by this machine's clock`;
    throw refused(
      `--start-at ${text} was ${ago}; at most ${formatTimeLimit(START_GRACE_MS)} are accepted`,
      'choose a time at which all shards are running, and check the clocks of the machines',
    );
  }
  throw refused(`--start-at ${text} is more than 24 h ahead`, 'check the date, the time zone and the unit');
}

function refused(message: string, hint: string): UserError {
  return new UserError('usage', { message, hint });
}

/** Where the marks of a run count from. */
export interface RunStart {
  /** On the wall clock. */
  startedAt: Date;
  /** On the monotonic clock. */
  originAt: number;
}

/** The start of a run: now, or the given time. */
export function runStart(clock: Clock, startAt?: Date): RunStart {
  const [originAt, startedAt] = [clock.now(), clock.wallTime()];
  if (startAt === undefined) return { startedAt, originAt };
  return { startedAt: startAt, originAt: originAt + (startAt.getTime() - startedAt.getTime()) };
}

/** Waits for the start of a run, or until `stop` is aborted. Resolves with how late it is, in ms. */
export async function waitForStart({ originAt }: RunStart, clock: Clock, stop: AbortSignal): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
  while (!stop.aborted && clock.now() < originAt) await timerSleep(originAt - clock.now(), stopped);
  return Math.max(0, clock.now() - originAt);
}
