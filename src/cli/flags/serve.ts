import { type Command, Option } from 'commander';
import { UserError } from '../../model/errors.ts';
import {
  DEFAULT_EVERY_CHARS,
  DEFAULT_SERVICE_LIMITS as DEFAULTS,
  LOG_LEVELS,
  type LogLevel,
  STRATEGIES,
  type Strategy,
} from '../../service/defaults.ts';
import type { Price } from '../../service/index.ts';
import { choiceOption, collect, durationOption, portOption, wholeOption } from './values.ts';

/** The options of `serve`, as commander delivers them. Durations are text. */
export interface ServeFlags {
  port: number;
  host: string;
  jwtSecret?: string;
  upstream: string;
  upstreamUrl?: string;
  model?: string;
  allowUpstream: string[];
  allowUpstreams: string[];
  price?: Record<string, Price>;
  db?: string;
  strategy: Strategy['kind'];
  everyChars: number;
  checkpoint?: string;
  cacheAnswers?: string;
  maxConnection?: string;
  history: number;
  drain: string;
  stallLimit: string;
  requestTimeout: string;
  resumeWindow: string;
  resumeBuffer: number;
  maxMessage: number;
  maxBody: number;
  maxAnswer: number;
  maxStreams: number;
  maxUserStreams: number;
  userRate?: number;
  logLevel: LogLevel;
}

/** The embedded simulator as upstream; it needs neither a key nor a URL. */
export const SIMULATOR = 'simulator';

/** The environment variable with the secret of the tokens. */
export const SECRET_VARIABLE = 'STREAMBENCH_JWT_SECRET';

/** Adds the options of `serve`. */
export function addServeOptions(command: Command): void {
  const limit = (flags: string, description: string) =>
    wholeOption(flags, description, { min: 1, max: 1_000_000_000 });
  command
    .optionsGroup('Server:')
    .addOption(portOption(8090))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--jwt-secret <secret>', `secret of the callers' tokens (HS256); better set ${SECRET_VARIABLE}`)
    .addOption(
      durationOption('--drain <time>', 'time for open streams to finish after the first Ctrl-C or SIGTERM', {
        min: 0,
      }).default(seconds(DEFAULTS.drainMs)),
    )
    .addOption(
      choiceOption(
        '--log-level <level>',
        'silent, error, warn, info or debug; JSON lines on stderr',
        LOG_LEVELS,
      ).default('warn'),
    )
    .optionsGroup('Model behind the service:')
    .option('--upstream <provider>', 'provider, or simulator for the embedded simulator', SIMULATOR)
    .option('--upstream-url <url>', "base URL of the API (default: the provider's)")
    .option('--model <name>', 'model for callers that name none')
    .option(
      '--allow-upstream <provider[:model]>',
      'further upstream that playground callers may choose; repeatable',
      collect,
      [],
    )
    .addOption(
      checkedListOption(
        '--allow-upstreams <pattern>',
        'URLs that playground callers may name as endpoint, such as https://api.openai.com/v1 or https://*.openai.azure.com; repeatable',
        (text) => (/^https?:\/\/[^/]/i.test(text) ? text : undefined),
        'a URL, whose host may begin with *.',
      ),
    )
    .addOption(priceOption())
    .addOption(
      wholeOption('--history <messages>', 'earlier messages of a session that are sent to the model', {
        max: 1_000,
      }).default(DEFAULTS.historyMessages),
    )
    .addOption(
      durationOption(
        '--cache-answers <time>',
        'how long a complete answer is sent again for an identical request of the same user (default: no cache)',
      ),
    )
    .optionsGroup('Message store:')
    .option('--db <file>', 'SQLite file (default: a temporary file, removed at exit)')
    .addOption(
      choiceOption(
        '--strategy <name>',
        'when answers are stored: end, every-chunk or every-n-chars',
        STRATEGIES,
      ).default('end'),
    )
    .addOption(
      wholeOption('--every-chars <count>', 'with every-n-chars: characters between two writes', {
        min: 1,
        max: 1_000_000,
      }).default(DEFAULT_EVERY_CHARS),
    )
    .addOption(durationOption('--checkpoint <time>', 'longest time that text stays unwritten, such as 500ms'))
    .optionsGroup('Limits:')
    .addOption(
      durationOption(
        '--stall-limit <time>',
        'close a stream whose reader takes no data for this long',
      ).default(seconds(DEFAULTS.staleMs)),
    )
    .addOption(
      durationOption(
        '--request-timeout <time>',
        'time limit for the headers and, separately, for the body of a request',
      ).default(seconds(DEFAULTS.requestTimeoutMs)),
    )
    .addOption(
      durationOption(
        '--resume-window <time>',
        'how long a resumable stream waits for its client to reconnect',
      ).default(seconds(DEFAULTS.resumeWindowMs)),
    )
    .addOption(
      durationOption(
        '--max-connection <time>',
        'cut each connection of a stream after this time, as some proxies do (default: no limit)',
      ),
    )
    .addOption(
      limit('--resume-buffer <bytes>', 'text kept of each resumable stream for a reconnect').default(
        DEFAULTS.resumeBytes,
      ),
    )
    .addOption(
      limit('--max-message <bytes>', 'maximum size of a message text, in UTF-8').default(
        DEFAULTS.messageLimitBytes,
      ),
    )
    .addOption(limit('--max-body <bytes>', 'maximum size of a request body').default(DEFAULTS.bodyLimitBytes))
    .addOption(
      limit('--max-answer <bytes>', 'maximum size of an answer text; longer answers are cut').default(
        DEFAULTS.maxAnswerBytes,
      ),
    )
    .addOption(
      limit('--max-streams <count>', 'maximum number of concurrent answers').default(DEFAULTS.maxStreams),
    )
    .addOption(
      limit(
        '--max-user-streams <count>',
        'maximum number of concurrent answers per user (sub of the token)',
      ).default(DEFAULTS.maxStreamsPerUser),
    )
    .addOption(
      limit('--user-rate <count>', 'maximum number of requests per user and minute (default: no limit)'),
    );
}

/** A repeatable option whose values are checked one by one. */
function checkedListOption(
  flags: string,
  description: string,
  parse: (text: string) => string | undefined,
  expected: string,
): Option {
  const option = new Option(flags, description).default([], 'none');
  return option.argParser((text: string, before: readonly string[]) => {
    const value = parse(text);
    if (value === undefined) throw unexpected(option, expected, text);
    return [...before, value];
  });
}

/** `--price`: repeatable; the prices by model. */
function priceOption(): Option {
  const option = new Option(
    '--price <model=input,output>',
    'price of a model in US dollars per million tokens, such as gpt-4o-mini=0.15,0.60; repeatable',
  );
  return option.argParser((text: string, before: Record<string, Price> = {}) => {
    // A model name may contain an equals sign.
    const [, model, input, output] = /^(.+)=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    if (model === undefined) {
      throw unexpected(option, 'MODEL=INPUT,OUTPUT, such as gpt-4o-mini=0.15,0.60', text);
    }
    return { ...before, [model]: { inputPerMillion: Number(input), outputPerMillion: Number(output) } };
  });
}

function unexpected({ long }: Option, expected: string, text: string): UserError {
  return new UserError('usage', {
    message: `${long}: expected ${expected}, got ${JSON.stringify(text)}`,
  });
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
