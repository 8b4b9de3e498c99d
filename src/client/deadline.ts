import type { Timeouts } from '../model/plan.ts';
import type { TimeoutPhase } from '../model/record.ts';

/** How far a request has come, as the time limits see it. Times on one clock, in ms. */
export interface Progress {
  startedAt: number;
  /** When the request began to be sent again, over another connection. */
  resentAt?: number;
  sentAt?: number;
  firstByteAt?: number;
  lastReadAt?: number;
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
export function nextDeadline(progress: Progress, limits: Timeouts): Deadline {
  const { startedAt, resentAt = startedAt, sentAt, firstByteAt, lastReadAt, terminatedAt } = progress;
  if (terminatedAt !== undefined) return { phase: 'linger', atMs: terminatedAt + LINGER_MS };
  const total: Deadline = { phase: 'total', atMs: startedAt + limits.totalMs };
  let step: Deadline;
  if (sentAt === undefined) step = { phase: 'connect', atMs: resentAt + limits.connectMs };
  else if (firstByteAt === undefined) step = { phase: 'first_byte', atMs: sentAt + limits.firstByteMs };
  else step = { phase: 'idle', atMs: (lastReadAt ?? firstByteAt) + limits.idleMs };
  return step.atMs < total.atMs ? step : total;
}
