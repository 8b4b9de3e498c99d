import { type Redactor, redactValue } from '../model/redaction/redactor.ts';
import { type Logger, pino, stdTimeFunctions } from './packages.ts';
import type { LogOptions } from './service-options.ts';

const SECRET_KEYS = ['authorization', 'token', 'apiKey', 'secret', 'ticket', 'cookie'];

/**
 * A logger that never writes a credential: the values of secret fields are left out at up to three levels of an entry, and
 * what `redactor` hides is hidden in every text.
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
