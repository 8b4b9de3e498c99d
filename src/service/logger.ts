import { type Redactor, redactValue } from '../model/redaction/redactor.ts';
import { type Logger, pino, stdTimeFunctions } from './packages.ts';
import type { LogOptions } from './service-options.ts';

const SECRET_KEYS = ['authorization', 'token', 'apiKey', 'secret', 'ticket', 'cookie'];

/**
 * A logger that never writes a credential: it masks the secret fields of an entry, down to the third level, and
 * everything in a text that `redactor` hides.
 */
export function createLogger(options: LogOptions | undefined, redactor: Redactor): Logger {
  const { level = 'silent', write = () => {} } = options ?? {};
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
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

/** What was thrown, with its stack, for the log. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
