import { type Clock, monotonicClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { definedFields } from '../wire/json.ts';
import { TOOLS, type Tool } from './agent/tools.ts';
import type { Upstream } from './agent/upstream.ts';
import type { Strategy } from './stream/keeper.ts';

/** How much the service logs. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Every level, the quietest first. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** Where log lines go, and which ones: one JSON object per line. */
export interface LogOptions {
  /** Default `silent`. */
  level: LogLevel;
  /** Receives one line with its line feed. */
  write(line: string): void;
}

/** Settings of the service. */
export interface ServiceOptions {
  /** The secret that bearer tokens (JWT, HS256) are signed with. Never shown or logged. */
  secret: string;
  /** The models behind the service; the first answers where a caller does not choose. At least one. */
  upstreams: readonly Upstream[];
  /** SQLite file of the message store. Default `:memory:`. */
  database?: string;
  /** When answers are written. Default `end`. */
  strategy?: Strategy;
  /** No text stays unwritten for longer than this, in ms. Default: no limit. */
  checkpointMs?: number;
  /** Earlier messages of a session that the model is shown. Default 20; 0 for none. */
  historyMessages?: number;
  /** Tools of the agents. Default: a calculator and a clock. */
  tools?: readonly Tool[];
  /** Answers under way at most; more are refused with status 503. Default 2000. */
  maxStreams?: number;
  /** Answers under way for one user at most; more are refused with status 429. Default 1000. */
  maxStreamsPerUser?: number;
  /** Requests of one user in a minute; more are refused with status 429. Default: no limit. */
  requestsPerMinute?: number;
  /** Largest request body, in bytes. Default 1 MiB. */
  bodyLimitBytes?: number;
  /** Largest text of one message, in bytes of UTF-8. Default 64 KiB. */
  messageLimitBytes?: number;
  /** Largest answer, in bytes of text, reasoning and tool calls; a larger one is cut there. Default 2 MiB. */
  maxAnswerBytes?: number;
  /** What may wait for a reader that is behind, in bytes; then no more is read from the model. Default 256 KiB. */
  maxUnreadBytes?: number;
  /** How long a request may take to arrive, in ms: its head, and then its body. Default 30 s. */
  requestTimeoutMs?: number;
  /** Silence on a stream after which a comment is sent, in ms. Default 15 s. */
  keepAliveMs?: number;
  /** How long a client may read nothing while there is something to read, in ms. Default 30 s. */
  staleMs?: number;
  /** How long streams may go on after `close`, in ms. Default 10 s. */
  drainMs?: number;
  /** Origins of the web pages that may call the service. Default `*`: any, because no cookie is ever used. */
  corsOrigins?: '*' | readonly string[];
  /** Default: nothing is logged. */
  log?: LogOptions;
  /** Default: the machine's clock. */
  clock?: Clock;
}

type Optional = 'checkpointMs' | 'log' | 'requestsPerMinute';

/** Settings with nothing left open, but for limits that there need not be. */
export type Settings = Required<Omit<ServiceOptions, Optional>> & Pick<ServiceOptions, Optional>;

/** Completes the settings. Throws a `UserError` for a missing secret or upstream. */
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
    database: ':memory:',
    strategy: { kind: 'end' },
    historyMessages: 20,
    tools: TOOLS,
    maxStreams: 2_000,
    maxStreamsPerUser: 1_000,
    bodyLimitBytes: 1024 * 1024,
    messageLimitBytes: 64 * 1024,
    maxAnswerBytes: 2 * 1024 * 1024,
    maxUnreadBytes: 256 * 1024,
    requestTimeoutMs: 30_000,
    keepAliveMs: 15_000,
    staleMs: 30_000,
    drainMs: 10_000,
    corsOrigins: '*',
    clock: monotonicClock,
    ...definedFields(options),
  };
}
