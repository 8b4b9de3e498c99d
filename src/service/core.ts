import type { Redactor } from '../model/redaction/redactor.ts';
import type { Authenticate } from './http/auth.ts';
import type { TicketStore } from './http/tickets.ts';
import type { UserRateLimiter } from './http/user-rate-limiter.ts';
import type { Logger } from './packages.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { Settings } from './service-options.ts';
import type { MessageStore } from './store.ts';
import type { LiveStreams } from './stream/live-streams.ts';

/** The parts of a running service that all requests share. */
export interface Core {
  settings: Settings;
  authenticate: Authenticate;
  store: MessageStore;
  streams: LiveStreams;
  tickets: TicketStore;
  rateLimiter: UserRateLimiter;
  /** Removes the upstreams' keys from their answers. */
  redactor: Redactor;
  metrics: ServiceMetrics;
  log: Logger;
  /** True once the service is closing: it accepts no new chats. */
  draining: boolean;
  /** True when other machines can reach the service: metrics then need a token, and no stream is listed. */
  exposed: boolean;
  startedAtMs: number;
  /** Open client connections. */
  connections(): number;
}
