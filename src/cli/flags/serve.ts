import type { Command } from 'commander';
import type { LogLevel, Strategy } from '../../service/index.ts';
import { choiceOption, collect, durationOption, portOption, wholeOption } from './values.ts';

/** The options of `serve`, as commander delivers them. Durations stay text. */
export interface ServeFlags {
  port: number;
  host: string;
  jwtSecret?: string;
  upstream: string;
  upstreamUrl?: string;
  model?: string;
  allowUpstream: string[];
  db?: string;
  strategy: Strategy['kind'];
  everyChars: number;
  checkpoint?: string;
  history: number;
  drain: string;
  stallLimit: string;
  requestTimeout: string;
  maxMessage: number;
  maxBody: number;
  maxAnswer: number;
  maxStreams: number;
  maxUserStreams: number;
  userRate?: number;
  logLevel: LogLevel;
}

/** The upstream that needs neither a key nor an address. */
export const SIMULATOR = 'simulator';

/** The variable that holds the secret of the tokens. */
export const SECRET_VARIABLE = 'STREAMBENCH_JWT_SECRET';

// Checked against the service's own types, which it must not be loaded for.
const STRATEGIES: readonly Strategy['kind'][] = ['end', 'every-chunk', 'every-n-chars'];
const LOG_LEVELS: readonly LogLevel[] = ['silent', 'error', 'warn', 'info', 'debug'];

/** Adds the options of `serve`. */
export function addServeOptions(command: Command): void {
  const limit = (flags: string, description: string) =>
    wholeOption(flags, description, { min: 1, max: 1_000_000_000 });
  command
    .addOption(portOption(8090))
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--jwt-secret <secret>', `signs the callers' tokens (HS256); better given as ${SECRET_VARIABLE}`)
    .option(
      '--upstream <provider>',
      'the model behind the service: a provider, or the embedded simulator',
      SIMULATOR,
    )
    .option('--upstream-url <url>', "the provider's address, where it is not the usual one")
    .option('--model <name>', 'the model, for callers that name none')
    .option(
      '--allow-upstream <provider[:model]>',
      'a further upstream that playground callers may name; can be repeated',
      collect,
      [],
    )
    .option('--db <file>', 'SQLite file of the message store (default: a temporary one, removed at the end)')
    .addOption(
      choiceOption(
        '--strategy <name>',
        'when answers are stored: end, every-chunk or every-n-chars',
        STRATEGIES,
      ).default('end'),
    )
    .addOption(
      wholeOption('--every-chars <number>', 'the characters of every-n-chars', {
        min: 1,
        max: 1_000_000,
      }).default(200),
    )
    .addOption(
      durationOption(
        '--checkpoint <duration>',
        'no text stays unwritten for longer than this, such as 500ms',
      ),
    )
    .addOption(
      wholeOption('--history <messages>', 'earlier messages of a session that the model is shown', {
        max: 1_000,
      }).default(20),
    )
    .addOption(
      durationOption('--drain <duration>', 'how long streams may go on after the first Ctrl-C or SIGTERM', {
        min: 0,
      }).default('10s'),
    )
    .addOption(
      durationOption(
        '--stall-limit <duration>',
        'how long a reader may take nothing before its stream is ended',
      ).default('30s'),
    )
    .addOption(
      durationOption(
        '--request-timeout <duration>',
        'how long the head, and then the body, of a request may take',
      ).default('30s'),
    )
    .addOption(limit('--max-message <bytes>', 'largest text of one message, in UTF-8').default(65_536))
    .addOption(limit('--max-body <bytes>', 'largest body of a request').default(1_048_576))
    .addOption(
      limit('--max-answer <bytes>', 'largest text of an answer; a larger one is cut there').default(
        2_097_152,
      ),
    )
    .addOption(limit('--max-streams <number>', 'answers under way at most').default(2000))
    .addOption(
      limit('--max-user-streams <number>', 'answers under way for one user (sub of the token)').default(1000),
    )
    .addOption(limit('--user-rate <number>', 'requests of one user in a minute (default: no limit)'))
    .addOption(
      choiceOption(
        '--log-level <level>',
        'silent, error, warn, info or debug; JSON lines on stderr',
        LOG_LEVELS,
      ).default('warn'),
    );
}
