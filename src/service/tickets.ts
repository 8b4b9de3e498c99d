import { randomBytes } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import type { Caller } from './auth.ts';
import type { ChatBody } from './requests.ts';

/** What a ticket stands for: a chat request that was authenticated and checked. */
export interface Ticket {
  caller: Caller;
  body: ChatBody;
}

const TTL_MS = 30_000;
const MAX_TICKETS = 10_000;

/**
 * Tickets for readers that can send neither a header nor a body, such as a browser's `EventSource`: bought with a token,
 * good for one stream, and worthless after 30 s, so that no token ever stands in a URL.
 */
export class TicketBox {
  private readonly tickets = new Map<string, Ticket & { expiresAtMs: number }>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  issue(ticket: Ticket): { id: string; expiresInMs: number } {
    const now = this.clock.now();
    // In order of age, so what has expired, or is too much, is at the front.
    for (const [id, { expiresAtMs }] of this.tickets) {
      if (expiresAtMs > now && this.tickets.size < MAX_TICKETS) break;
      this.tickets.delete(id);
    }
    const id = randomBytes(18).toString('base64url');
    this.tickets.set(id, { ...ticket, expiresAtMs: now + TTL_MS });
    return { id, expiresInMs: TTL_MS };
  }

  /** The ticket, once; undefined when there is none, it was used, or its time is over. */
  take(id: string): Ticket | undefined {
    const ticket = this.tickets.get(id);
    this.tickets.delete(id);
    return ticket === undefined || ticket.expiresAtMs <= this.clock.now() ? undefined : ticket;
  }
}
