import type { Clock } from '../../model/clock.ts';
import { HttpError } from './http-error.ts';

// Most users that are remembered. Beyond it, the one whose last request is oldest is forgotten and starts with a full bucket.
const MAX_USERS = 10_000;
const MINUTE_MS = 60_000;

/** A token bucket per user: refuses requests over a rate per minute. */
export class UserRateLimiter {
  private readonly perMinute: number;
  private readonly clock: Clock;
  /** Requests that each user may still send, and when that was counted. The least recent user is first. */
  private readonly users = new Map<string, { left: number; atMs: number }>();

  /** `perMinute` is also the largest burst; undefined for no limit. */
  constructor(perMinute: number | undefined, clock: Clock) {
    this.perMinute = perMinute ?? Number.POSITIVE_INFINITY;
    this.clock = clock;
  }

  /** Counts a request. Throws an `HttpError` 429 with the time until the next one is accepted. */
  count(subject: string): void {
    const { perMinute, users } = this;
    if (perMinute === Number.POSITIVE_INFINITY) return;
    const now = this.clock.now();
    const user = users.get(subject) ?? { left: perMinute, atMs: now };
    const left = Math.min(perMinute, user.left + ((now - user.atMs) * perMinute) / MINUTE_MS);
    users.delete(subject);
    users.set(subject, { left: left >= 1 ? left - 1 : left, atMs: now });
    if (users.size > MAX_USERS) {
      const [leastRecent = subject] = users.keys();
      users.delete(leastRecent);
    }
    if (left >= 1) return;
    const waitSeconds = Math.ceil(((1 - left) * MINUTE_MS) / perMinute / 1000);
    throw tooManyRequests('too_many_requests', `more than ${perMinute} requests per minute`, waitSeconds);
  }
}

/** A refusal because of a limit per user. */
export function tooManyRequests(code: string, message: string, retryAfterSeconds: number): HttpError {
  const headers = { 'retry-after': String(Math.max(1, retryAfterSeconds)) };
  return new HttpError(429, code, message, { headers });
}
