import type { Clock } from '../../model/clock.ts';
import { HttpError } from './http-error.ts';

// More users than this are not remembered at once: those who asked longest ago begin anew.
const MAX_USERS = 10_000;
const MINUTE_MS = 60_000;

/** Counts the requests of each user, and refuses those over a number per minute. */
export class UserRequests {
  private readonly perMinute: number;
  private readonly clock: Clock;
  /** What each user may still send, and when that was counted; the user who asked longest ago is first. */
  private readonly users = new Map<string, { left: number; atMs: number }>();

  /** `perMinute` is also what a user who was quiet may send at once; undefined for no limit. */
  constructor(perMinute: number | undefined, clock: Clock) {
    this.perMinute = perMinute ?? Number.POSITIVE_INFINITY;
    this.clock = clock;
  }

  /** Counts a request. Throws an `HttpError` 429 that tells when the next one is let in. */
  count(subject: string): void {
    const { perMinute, users } = this;
    if (perMinute === Number.POSITIVE_INFINITY) return;
    const now = this.clock.now();
    const user = users.get(subject) ?? { left: perMinute, atMs: now };
    const left = Math.min(perMinute, user.left + ((now - user.atMs) * perMinute) / MINUTE_MS);
    users.delete(subject);
    users.set(subject, { left: left >= 1 ? left - 1 : left, atMs: now });
    if (users.size > MAX_USERS) {
      const [oldest] = users.keys();
      users.delete(oldest!);
    }
    if (left >= 1) return;
    const waitSeconds = Math.ceil(((1 - left) * MINUTE_MS) / perMinute / 1000);
    throw tooMany('too_many_requests', `more than ${perMinute} requests in a minute`, waitSeconds);
  }
}

/** A refusal of what is one too many for a user. */
export function tooMany(code: string, message: string, retryAfterSeconds: number): HttpError {
  const headers = { 'retry-after': String(Math.max(1, retryAfterSeconds)) };
  return new HttpError(429, code, message, { headers });
}
