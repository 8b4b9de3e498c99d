import type { Clock } from '../model/clock.ts';
import type { Timeouts } from '../model/plan.ts';
import type { TimeoutPhase } from '../model/record.ts';

/** The state of a request that its time limits depend on. Times on one clock, in ms. */
export interface RequestProgress {
  startedAt: number;
  /** When the request was started again, over another connection. */
  resentAt?: number;
  sentAt?: number;
  firstByteAt?: number;
  lastReadAt?: number;
  /** Since when the consumer has paused the response. No limit runs. */
  pausedAt?: number;
  /** Length of earlier pauses. */
  pausedMs?: number;
  /** End of the last pause. */
  resumedAt?: number;
  /** When the terminator was read; the server has not ended the body yet. */
  terminatedAt?: number;
}

/** The limits of a request. */
export interface DeadlineLimits extends Timeouts {
  /** Time from `sent` to the planned cut of the stream. Default: none. */
  cutAfterMs?: number;
  /** How long to wait for the end of the body after a whole answer, in ms. Default: `LINGER_MS`. */
  lingerMs?: number;
}

/**
 * The limit that runs out next. `linger`: the answer is whole, and the server has not ended the body in time. `cut`: the planned
 * end of the stream.
 */
export interface Deadline {
  phase: TimeoutPhase | 'linger' | 'cut';
  atMs: number;
}

/** How long a client waits for the end of the body after a whole answer, in ms. */
export const LINGER_MS = 1_000;

/** Which limit runs out next, and when. */
export function nextDeadline(progress: RequestProgress, limits: DeadlineLimits): Deadline {
  const { startedAt, resentAt = startedAt, sentAt, firstByteAt, lastReadAt, terminatedAt } = progress;
  const { pausedAt, pausedMs = 0, resumedAt = startedAt } = progress;
  if (terminatedAt !== undefined)
    return { phase: 'linger', atMs: terminatedAt + (limits.lingerMs ?? LINGER_MS) };
  // A slow consumer must not look like a stalled server.
  if (pausedAt !== undefined) return { phase: 'idle', atMs: Number.POSITIVE_INFINITY };
  const total: Deadline = { phase: 'total', atMs: startedAt + pausedMs + limits.totalMs };
  let step: Deadline;
  if (sentAt === undefined) step = { phase: 'connect', atMs: resentAt + limits.connectMs };
  else if (firstByteAt === undefined) step = { phase: 'first_byte', atMs: sentAt + limits.firstByteMs };
  else step = { phase: 'idle', atMs: Math.max(lastReadAt ?? firstByteAt, resumedAt) + limits.idleMs };
  const next = step.atMs < total.atMs ? step : total;
  if (limits.cutAfterMs === undefined || sentAt === undefined) return next;
  const cut: Deadline = { phase: 'cut', atMs: sentAt + pausedMs + limits.cutAfterMs };
  return cut.atMs <= next.atMs ? cut : next;
}

/** The limit of a phase, in ms. */
export function limitOf(phase: TimeoutPhase, timeouts: Timeouts): number {
  switch (phase) {
    case 'connect':
      return timeouts.connectMs;
    case 'first_byte':
      return timeouts.firstByteMs;
    case 'idle':
      return timeouts.idleMs;
    case 'total':
      return timeouts.totalMs;
    default:
      return phase satisfies never;
  }
}

/**
 * Watches the time limits of one request. Has one timer, which is not reset at each read: reads only postpone a limit, which
 * the timer finds out when it fires.
 */
export class DeadlineTimer {
  readonly progress: RequestProgress;
  private readonly clock: Clock;
  private readonly limits: DeadlineLimits;
  private readonly onTimer: () => void;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;

  /** `onTimer` is called when a limit may have run out: then call `expired`. */
  constructor(clock: Clock, limits: DeadlineLimits, startedAt: number, onTimer: () => void) {
    this.clock = clock;
    this.limits = limits;
    this.progress = { startedAt };
    this.onTimer = onTimer;
  }

  /** Sets the timer for the limit that runs out next. Call this when the request enters its next phase. */
  watch(): void {
    const { atMs } = nextDeadline(this.progress, this.limits);
    if (atMs >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = atMs;
    this.timer = setTimeout(
      () => {
        this.timerAt = Number.POSITIVE_INFINITY;
        this.onTimer();
      },
      Math.max(0, Math.ceil(atMs - this.clock.now())),
    );
  }

  /** The limit that has run out by `now`; undefined, and the timer is set again, where none has. */
  expired(now: number): Deadline['phase'] | undefined {
    const { phase, atMs } = nextDeadline(this.progress, this.limits);
    if (atMs <= now) return phase;
    this.watch();
    return undefined;
  }

  /** The consumer pauses the response: no limit runs. False when it is paused already. */
  pause(): boolean {
    if (this.progress.pausedAt !== undefined) return false;
    this.progress.pausedAt = this.clock.now();
    return true;
  }

  /** The consumer goes on. False when the response was not paused. HOT PATH: called for every event that is taken. */
  resume(): boolean {
    const { pausedAt, pausedMs = 0 } = this.progress;
    if (pausedAt === undefined) return false;
    const now = this.clock.now();
    this.progress.pausedAt = undefined;
    this.progress.pausedMs = pausedMs + now - pausedAt;
    this.progress.resumedAt = now;
    return true;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
