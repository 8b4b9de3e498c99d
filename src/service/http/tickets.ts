import { randomBytes } from 'node:crypto';
import type { Clock } from '../../model/clock.ts';
import type { Caller } from './auth.ts';
import { HttpError } from './http-error.ts';
import type { ChatBody } from './requests.ts';
import { tooManyRequests } from './user-rate-limiter.ts';

/** An authenticated and checked chat request that waits for its stream to be opened. */
export interface Ticket {
  caller: Caller;
  body: ChatBody;
  /** Size of the request's body. */
  bytes: number;
}

const TTL_MS = 30_000;

/** Limits of unused tickets. */
const MAX_TICKETS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_TICKETS_OF_USER = 100;

/**
 * Tickets for clients that can send neither a header nor a body, such as a browser's `EventSource`. A ticket is issued for a
 * token, opens one stream and expires after 30 s, so that no URL ever contains a token.
 */
export class TicketStore {
  // Oldest first: the order in which they expire.
  private readonly tickets = new Map<string, Ticket & { expiresAtMs: number }>();
  private readonly ofUser = new Map<string, number>();
  private readonly clock: Clock;
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Unused tickets, and the bytes of their requests. */
  get waiting(): { tickets: number; bytes: number } {
    return { tickets: this.tickets.size, bytes: this.bytes };
  }

  /** Throws an `HttpError`: 429 when the caller has too many unused tickets, 503 when there are too many in all. */
  issue(ticket: Ticket): { id: string; expiresInMs: number } {
    this.sweep();
    const now = this.clock.now();
    const { subject } = ticket.caller;
    const own = this.ofUser.get(subject) ?? 0;
    if (own >= MAX_TICKETS_OF_USER) {
      const message = `${MAX_TICKETS_OF_USER} tickets of this user are unused`;
      throw tooManyRequests('too_many_tickets', message, TTL_MS / 1000);
    }
    if (this.tickets.size >= MAX_TICKETS || this.bytes + ticket.bytes > MAX_BYTES) {
      const headers = { 'retry-after': '5' };
      throw new HttpError(503, 'too_many_tickets', 'too many tickets are unused', { headers });
    }
    const id = randomBytes(18).toString('base64url');
    this.tickets.set(id, { ...ticket, expiresAtMs: now + TTL_MS });
    this.ofUser.set(subject, own + 1);
    this.bytes += ticket.bytes;
    this.timer ??= this.scheduleSweep();
    return { id, expiresInMs: TTL_MS };
  }

  /** Returns a ticket once; undefined if it is unknown, used or expired. */
  take(id: string): Ticket | undefined {
    this.sweep();
    const ticket = this.tickets.get(id);
    if (ticket !== undefined) this.drop(id, ticket);
    return ticket;
  }

  /** Drops expired tickets. */
  sweep(): void {
    const now = this.clock.now();
    for (const [id, ticket] of this.tickets) {
      if (ticket.expiresAtMs > now) return;
      this.drop(id, ticket);
    }
  }

  /** Drops all tickets. */
  close(): void {
    clearTimeout(this.timer);
    for (const [id, ticket] of this.tickets) this.drop(id, ticket);
  }

  private drop(id: string, { caller: { subject }, bytes }: Ticket): void {
    this.tickets.delete(id);
    this.bytes -= bytes;
    const left = (this.ofUser.get(subject) ?? 1) - 1;
    if (left === 0) this.ofUser.delete(subject);
    else this.ofUser.set(subject, left);
  }

  // Drops the last tickets also when no further one is issued.
  private scheduleSweep(): NodeJS.Timeout {
    return setTimeout(() => {
      this.sweep();
      this.timer = this.tickets.size === 0 ? undefined : this.scheduleSweep();
    }, TTL_MS).unref();
  }
}
