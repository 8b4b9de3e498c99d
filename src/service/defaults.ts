/** How much the service logs. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Every log level, the quietest first. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/**
 * When an answer that is being streamed is written to the store.
 * - `end`: once, when the stream has ended;
 * - `every-chunk`: at each piece of text;
 * - `every-n-chars`: each time `chars` more characters have arrived.
 * All of them write the end.
 */
export type Strategy =
  | { kind: 'end' }
  | { kind: 'every-chunk' }
  | { kind: 'every-n-chars' /** At least 1. */; chars: number };

/** Every kind of strategy. */
export const STRATEGIES = [
  'end',
  'every-chunk',
  'every-n-chars',
] as const satisfies readonly Strategy['kind'][];

/** Characters between two writes of `every-n-chars`, where the user gives no number. */
export const DEFAULT_EVERY_CHARS = 200;

/** Default limits of the service. `ServiceOptions` explains each of them. */
export const DEFAULT_SERVICE_LIMITS = {
  historyMessages: 20,
  maxStreams: 2_000,
  maxStreamsPerUser: 1_000,
  bodyLimitBytes: 1024 * 1024,
  messageLimitBytes: 64 * 1024,
  maxAnswerBytes: 2 * 1024 * 1024,
  maxUnreadBytes: 256 * 1024,
  requestTimeoutMs: 30_000,
  keepAliveMs: 15_000,
  staleMs: 30_000,
  resumeWindowMs: 30_000,
  resumeBytes: 256 * 1024,
  drainMs: 10_000,
} as const;
