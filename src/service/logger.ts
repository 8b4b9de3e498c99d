import { type Logger, pino, stdTimeFunctions } from 'pino';
import { type Redactor, redactValue } from '../model/redaction/redactor.ts';

/** How much the service says. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Every level, the quietest first. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** Where log lines go and which: one JSON object a line. */
export interface LogOptions {
  /** Default `silent`. */
  level: LogLevel;
  /** Takes a line with its line feed. */
  write(line: string): void;
}

export type { Logger } from 'pino';

/** A logger that never writes a credential, wherever in an entry it was put, nor what `redactor` hides in any text. */
export function createLogger(options: LogOptions | undefined, redactor: Redactor): Logger {
  const { level = 'silent', write = () => {} } = options ?? {};
  const keys = ['authorization', 'token', 'apiKey', 'secret', 'ticket', 'cookie'];
  const paths = keys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino(
    {
      name: 'streambench-serve',
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { log: (entry) => redactValue(entry, redactor.message) as typeof entry },
      redact: { paths, censor: '[redacted]' },
    },
    { write },
  );
}
