import type { Clock } from '../model/clock.ts';
import type { Timeouts } from '../model/plan.ts';
import type { TimeoutPhase } from '../model/record.ts';

/** How far a request has come, as the time limits see it. Times on one clock, in ms. */
export interface RequestProgress {
  startedAt: number;
  /** When the request began to be sent again, over another connection. */
  resentAt?: number;
  sentAt?: number;
  firstByteAt?: number;
  lastReadAt?: number;
  /** The consumer holds the response back since then. No limit runs. */
  pausedAt?: number;
  /** How long it did so before. */
  pausedMs?: number;
  /** When it last went on. */
  resumedAt?: number;
  /** The terminator was read, but the other side has not ended the body. */
  terminatedAt?: number;
}

/** The limit that runs out next. `linger`: the answer is whole, and the wait for its end of body is over. */
export interface Deadline {
  phase: TimeoutPhase | 'linger';
  atMs: number;
}

/** How long an answer that is whole may keep its connection open, in ms. */
export const LINGER_MS = 1_000;

/**
 * Which limit runs out next, and when. The timer that waits for it need not be set anew at each read: when it
 * fires, this is asked again, and a limit that has moved meanwhile is waited for further.
 */
export function nextDeadline(progress: RequestProgress, limits: Timeouts): Deadline {
  const { startedAt, resentAt = startedAt, sentAt, firstByteAt, lastReadAt, terminatedAt } = progress;
  const { pausedAt, pausedMs = 0, resumedAt = startedAt } = progress;
  if (terminatedAt !== undefined) return { phase: 'linger', atMs: terminatedAt + LINGER_MS };
  // A consumer that is behind is no stalled server.
  if (pausedAt !== undefined) return { phase: 'idle', atMs: Number.POSITIVE_INFINITY };
  const total: Deadline = { phase: 'total', atMs: startedAt + pausedMs + limits.totalMs };
  let step: Deadline;
  if (sentAt === undefined) step = { phase: 'connect', atMs: resentAt + limits.connectMs };
  else if (firstByteAt === undefined) step = { phase: 'first_byte', atMs: sentAt + limits.firstByteMs };
  else step = { phase: 'idle', atMs: Math.max(lastReadAt ?? firstByteAt, resumedAt) + limits.idleMs };
  return step.atMs < total.atMs ? step : total;
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

/** The consumer holds the response back from now on. False when it does already. */
export function pauseAt(progress: RequestProgress, now: number): boolean {
  if (progress.pausedAt !== undefined) return false;
  progress.pausedAt = now;
  return true;
}

/** The consumer goes on. False when it did not hold anything back. HOT PATH: asked for every event that is taken. */
export function resumeAt(progress: RequestProgress, clock: Clock): boolean {
  const { pausedAt, pausedMs = 0 } = progress;
  if (pausedAt === undefined) return false;
  const now = clock.now();
  progress.pausedAt = undefined;
  progress.pausedMs = pausedMs + now - pausedAt;
  progress.resumedAt = now;
  return true;
}
