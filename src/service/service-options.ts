import { type Clock, monotonicClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { definedFields } from '../wire/json.ts';
import { type EndpointPattern, parseEndpointPattern } from './agent/caller-endpoint.ts';
import { TOOLS, type Tool } from './agent/tools.ts';
import type { Upstream } from './agent/upstream.ts';
import { DEFAULT_SERVICE_LIMITS, type LogLevel, type Strategy } from './defaults.ts';
import type { Price } from './usage-cost.ts';

/** Where log lines go, and which ones: one JSON object per line. */
export interface LogOptions {
  /** Default `silent`. */
  level: LogLevel;
  /** Receives one line with its line feed. */
  write(line: string): void;
}

/** Settings of the service. */
export interface ServiceOptions {
  /** The secret that signs bearer tokens (JWT, HS256). Never shown or logged. */
  secret: string;
  /** The models behind the service; the first one is the default. At least one. */
  upstreams: readonly Upstream[];
  /** SQLite file of the message store. Default `:memory:`. */
  database?: string;
  /**
   * Addresses that playground callers may name as `model.endpoint`, such as `https://api.openai.com/v1` or
   * `https://*.openai.azure.com`. Default: none.
   */
  allowedEndpoints?: readonly string[];
  /** When answers are written. Default `end`. */
  strategy?: Strategy;
  /** Longest time that text stays unwritten, in ms. Default: no limit. */
  checkpointMs?: number;
  /** Earlier messages of a session that are sent to the model. Default 20; 0 for none. */
  historyMessages?: number;
  /**
   * How long a complete answer is sent again for an identical request of the same user, in ms. Agents, and models at an address
   * of the caller's own, are never answered from the cache. Default: no cache.
   */
  answerCacheMs?: number;
  /** Prices of models by name, for the cost of answers. Default: none. */
  prices?: Readonly<Record<string, Price>>;
  /** Tools of the agents. Default: a calculator and a clock. */
  tools?: readonly Tool[];
  /** Most active streams; further requests are refused with status 503. Default 2000. */
  maxStreams?: number;
  /** Most active streams of one user; further requests are refused with status 429. Default 1000. */
  maxStreamsPerUser?: number;
  /** Most requests of one user per minute; further ones are refused with status 429. Default: no limit. */
  requestsPerMinute?: number;
  /** Largest request body, in bytes. Default 1 MiB. */
  bodyLimitBytes?: number;
  /** Largest text of one message, in bytes of UTF-8. Default 64 KiB. */
  messageLimitBytes?: number;
  /** Largest answer, in bytes of text, reasoning and tool calls; a larger one is cut off there. Default 2 MiB. */
  maxAnswerBytes?: number;
  /** Bytes that are buffered for a slow client before reading from the model pauses. Default 256 KiB. */
  maxUnreadBytes?: number;
  /** Longest time for the head of a request to arrive, and then for its body, in ms. Default 30 s. */
  requestTimeoutMs?: number;
  /** Silence on a stream after which a comment is sent, in ms. Default 15 s. */
  keepAliveMs?: number;
  /** How long a client may read nothing while data is waiting for it, in ms. Default 30 s. */
  staleMs?: number;
  /** How long one connection of a stream lasts, in ms: it is then cut, as by a proxy with such a limit. Default: no limit. */
  maxConnectionMs?: number;
  /** How long a resumable stream continues without its client, and is kept after its end, in ms. Default 30 s. */
  resumeWindowMs?: number;
  /** Text of a resumable stream that is kept for a client that reconnects, in bytes. Default 256 KiB. */
  resumeBytes?: number;
  /** How long active streams may continue after `close`, in ms. Default 10 s. */
  drainMs?: number;
  /** Origins of the web pages that may call the service. Default `*`: any, because the service uses no cookies. */
  corsOrigins?: '*' | readonly string[];
  /** Default: nothing is logged. */
  log?: LogOptions;
  /** Default: the machine's clock. */
  clock?: Clock;
}

type Optional = 'answerCacheMs' | 'checkpointMs' | 'log' | 'maxConnectionMs' | 'requestsPerMinute';
type Parsed = 'allowedEndpoints';

/** Settings with their defaults filled in. */
export type Settings = Required<Omit<ServiceOptions, Optional | Parsed>> &
  Pick<ServiceOptions, Optional> & { allowedEndpoints: readonly EndpointPattern[] };

/** Fills in the defaults. Throws a `UserError` for a missing secret or upstream, and for an invalid pattern. */
export function completeOptions(options: ServiceOptions): Settings {
  if (options.secret === '') {
    throw new UserError('usage', {
      message: 'the secret of the service is empty',
      hint: 'give a long random text',
    });
  }
  if (options.upstreams.length === 0) {
    throw new UserError('usage', {
      message: 'the service has no upstream',
      hint: 'give it at least one client',
    });
  }
  return {
    ...DEFAULT_SERVICE_LIMITS,
    database: ':memory:',
    strategy: { kind: 'end' },
    prices: {},
    tools: TOOLS,
    corsOrigins: '*',
    clock: monotonicClock,
    ...definedFields(options),
    allowedEndpoints: (options.allowedEndpoints ?? []).map(parseEndpointPattern),
  };
}
