import type { Authenticate } from './auth.ts';
import type { Logger } from './log.ts';
import type { ServiceMetrics } from './metrics.ts';
import type { Settings } from './options.ts';
import type { MessageStore } from './store.ts';
import type { LiveStreams } from './streams.ts';
import type { TicketBox } from './tickets.ts';

/** What every request of a running service shares. */
export interface Core {
  settings: Settings;
  authenticate: Authenticate;
  store: MessageStore;
  streams: LiveStreams;
  tickets: TicketBox;
  metrics: ServiceMetrics;
  log: Logger;
  /** True once the service is closing: it takes no new chats. */
  draining: boolean;
  startedAtMs: number;
  /** Open client connections. */
  connections(): number;
}
