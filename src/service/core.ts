import type { Redactor } from '../model/redaction/redactor.ts';
import type { Authenticate } from './http/auth.ts';
import type { TicketBox } from './http/tickets.ts';
import type { UserRequests } from './http/user-requests.ts';
import type { Logger } from './packages.ts';
import type { ServiceMetrics } from './service-metrics.ts';
import type { Settings } from './service-options.ts';
import type { MessageStore } from './store.ts';
import type { LiveStreams } from './stream/live-streams.ts';

/** What every request of a running service shares. */
export interface Core {
  settings: Settings;
  authenticate: Authenticate;
  store: MessageStore;
  streams: LiveStreams;
  tickets: TicketBox;
  userRequests: UserRequests;
  /** Takes the upstreams' keys out of what they answer. */
  redactor: Redactor;
  metrics: ServiceMetrics;
  log: Logger;
  /** True once the service is closing: it takes no new chats. */
  draining: boolean;
  /** True when other machines can reach the service: what tells of its inside then needs a token. */
  exposed: boolean;
  startedAtMs: number;
  /** Open client connections. */
  connections(): number;
}
