import { createRedactor, type Redactor } from '../model/redaction/redactor.ts';
import { AnswerCache } from './answer-cache.ts';
import { type Authenticate, createAuthenticator } from './http/auth.ts';
import { TicketStore } from './http/tickets.ts';
import { UserRateLimiter } from './http/user-rate-limiter.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './packages.ts';
import { createMetrics, type ServiceMetrics } from './service-metrics.ts';
import type { Settings } from './service-options.ts';
import type { MessageStore } from './store.ts';
import { LiveStreams } from './stream/live-streams.ts';

// Characters of all cached answers.
const MAX_CACHED_CHARACTERS = 32 * 1024 * 1024;

/** The parts of a running service that all requests share. */
export interface Core {
  settings: Settings;
  authenticate: Authenticate;
  store: MessageStore;
  streams: LiveStreams;
  tickets: TicketStore;
  /** Undefined without `answerCacheMs`. */
  answers?: AnswerCache;
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

/** Creates the parts. They count as exposed until the address is known. */
export function createCore(settings: Settings, store: MessageStore, connections: () => number): Core {
  const { clock } = settings;
  const streams = new LiveStreams(settings, clock);
  const keys = settings.upstreams.flatMap(({ secrets = [] }) => secrets);
  return {
    settings,
    store,
    streams,
    authenticate: createAuthenticator(settings.secret, clock),
    tickets: new TicketStore(clock),
    answers:
      settings.answerCacheMs === undefined
        ? undefined
        : new AnswerCache({ ttlMs: settings.answerCacheMs, maxCharacters: MAX_CACHED_CHARACTERS }, clock),
    rateLimiter: new UserRateLimiter(settings.requestsPerMinute, clock),
    redactor: createRedactor(keys),
    metrics: createMetrics({
      activeStreams: () => streams.active,
      peakStreams: () => streams.peakActive,
      connections,
    }),
    log: createLogger(
      settings.log,
      createRedactor([...keys, { name: '[jwt secret]', value: settings.secret }]),
    ),
    draining: false,
    exposed: true,
    startedAtMs: clock.now(),
    connections,
  };
}

/** Frees what the parts hold. */
export function releaseCore({ tickets, metrics, store }: Core): void {
  tickets.close();
  metrics.close();
  store.close();
}
