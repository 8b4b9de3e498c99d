import * as z from 'zod';
import {
  ARRIVALS,
  DEFAULT_TIMEOUTS,
  type LoadLevel,
  type Timeouts,
  TOKENIZER_NAMES,
} from '../../model/plan.ts';
import { NONCE_LENGTH } from '../../model/request.ts';
import { connectionUse } from './connection.ts';
import {
  ALWAYS,
  choice,
  distinct,
  distinctNames,
  duration,
  flag,
  list,
  mapping,
  positive,
  text,
  whole,
} from './fields.ts';
import { limitsFields, limitsSchema } from './limits.ts';
import { modeProblems } from './modes.ts';
import { simulatorSchema } from './simulator.ts';
import { targetSchema } from './target.ts';

/** A scenario: one schema is the parser, the type and the published JSON Schema. */

const messageSchema = mapping({
  role: choice(['system', 'user', 'assistant']).describe('The role of the message.'),
  content: text().describe('The text of the message.'),
});

const promptSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  text: text().optional().describe('The prompt itself, sent as one user message.'),
  file: text().optional().describe("A text file with the prompt, in this scenario's folder or below it."),
  messages: list(messageSchema, 'a list of messages ({ role, content })')
    .optional()
    .describe('A whole conversation, instead of text or file.'),
  system: text().optional().describe('A system message before the prompt.'),
  maxTokens: whole(1).optional().describe("Limit of the answer length, in tokens. Default: the provider's."),
  unique: flag()
    .optional()
    .describe("Whether each request of this prompt is unique. Default: the scenario's unique."),
})
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    const given = ['text', 'file', 'messages'].filter((key) => key in value);
    if (given.length === 1) return;
    context.addIssue({
      code: 'custom',
      message:
        given.length === 0
          ? 'the prompt has no content'
          : `the prompt has ${given.join(' and ')}, but only one is allowed`,
      params: { hint: 'use exactly one of text, file and messages' },
    });
  }, ALWAYS)
  .meta({ oneOf: [{ required: ['text'] }, { required: ['file'] }, { required: ['messages'] }] });

const DEFAULT_REQUESTS = 20;
const DEFAULT_ROUNDS = 5;
/** A load that one event loop measures without being late. */
const DEFAULT_MAX_CONCURRENCY = 200;

const loadFields = mapping({
  concurrency: z
    .union([whole(1), list(whole(1), 'a list of whole numbers of at least 1').superRefine(distinct)], {
      error: 'a whole number of at least 1, or a list of them such as [1, 4, 16]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe('Concurrent streams: a number, or a list of load levels. Default: 1.'),
  rate: z
    .union([positive(), list(positive(), 'a list of numbers above 0').superRefine(distinct)], {
      error: 'a number above 0, or a list of them such as [5, 20]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe(
      'Instead of concurrency: requests per second, or a list of load levels. Requests are sent when due, whether or not earlier ones have finished (open loop).',
    ),
  arrivals: choice(ARRIVALS)
    .optional()
    .describe(
      'With rate: random intervals (poisson), as from independent users, or constant ones. Default: poisson.',
    ),
  maxConcurrency: whole(1)
    .optional()
    .describe(
      `With rate: maximum number of concurrent streams. A request beyond it is not sent and counts as dropped. Default: ${DEFAULT_MAX_CONCURRENCY}.`,
    ),
  requests: whole(1)
    .optional()
    .describe(
      `Measured requests per cell, over all rounds; each round needs at least as many as there are concurrent streams. Default: ${DEFAULT_REQUESTS}, or more if the rounds need more; no limit if duration is set.`,
    ),
  duration: duration()
    .optional()
    .describe('Time limit per cell, over all rounds, such as 30s. After it no more requests are sent.'),
  rounds: whole(1)
    .optional()
    .describe(
      `Number of rounds. Each round measures every cell, so that drift affects all cells alike. Default: ${DEFAULT_ROUNDS}, or fewer if a round had too few requests for the highest concurrency.`,
    ),
  warmup: whole(0).default(1).describe('Unmeasured requests before the first round of each cell.'),
});

/** The parser of a scenario's `load`. */
export const loadSchema = loadFields
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    if ('rate' in value && 'concurrency' in value) {
      context.addIssue({
        code: 'custom',
        message: 'the load has concurrency and rate, but only one is allowed',
        params: { hint: 'with rate, use maxConcurrency to limit the concurrent streams' },
      });
    }
    for (const key of ['arrivals', 'maxConcurrency']) {
      if (!(key in value) || 'rate' in value) continue;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${key} needs rate, which the load does not have`,
        params: { hint: 'with concurrency, a request is sent when an earlier one has finished' },
      });
    }
  }, ALWAYS)
  .transform(({ duration: durationMs, rounds, warmup, arrivals = 'poisson', ...rest }, context) => {
    const { rate, concurrency = [1], maxConcurrency = DEFAULT_MAX_CONCURRENCY } = rest;
    const levels: LoadLevel[] = rate
      ? rate.map((one) => ({ concurrency: maxConcurrency, rate: one }))
      : concurrency.map((one) => ({ concurrency: one }));
    // A round of 4 requests cannot keep 8 streams open, so the cell would not reach its load level.
    const least = rate ? 1 : Math.max(...concurrency);
    const enough = Math.max(DEFAULT_REQUESTS, least * (rounds ?? 1));
    const requests = rest.requests ?? (durationMs === undefined ? enough : undefined);
    const fitting = requests === undefined ? Number.POSITIVE_INFINITY : Math.floor(requests / least);
    // With one stream, the plan reduces the rounds to the number of requests.
    if (requests !== undefined && least > 1 && fitting < (rounds ?? 1))
      context.addIssue(tooFew(requests, least, rounds ?? 1));
    return {
      levels,
      arrivals,
      requests,
      durationMs,
      rounds: rounds ?? Math.max(1, Math.min(DEFAULT_ROUNDS, fitting)),
      warmup,
    };
  });

function tooFew(requests: number, streams: number, rounds: number) {
  const share = Math.floor(requests / rounds);
  const round = rounds === 1 ? 'the round' : `a round of ${rounds}`;
  const fewerRounds = Math.floor(requests / streams);
  const ways = [
    `requests: ${streams * rounds}${rounds === 1 ? '' : ` (${streams} in each of ${rounds} rounds)`}`,
    ...(fewerRounds > 0 ? [`rounds: ${fewerRounds}`] : []),
    ...(share > 0 ? [`a concurrency of at most ${share}`] : []),
  ];
  return {
    code: 'custom' as const,
    path: ['requests'],
    message: `${requests} ${requests === 1 ? 'request is' : 'requests are'} too few for ${streams} concurrent streams: ${round} has ${share} per cell`,
    params: { hint: `use ${ways.join(', or ')}` },
  };
}

const DEFAULT_LENGTHS = [16, 256];
const DEFAULT_LENGTH_REQUESTS = 5;

const verdictSchema = mapping({
  lengths: list(whole(1), 'a list of lengths in tokens such as [16, 256]')
    .superRefine(distinct)
    .refine((lengths) => Math.max(...lengths) >= 2 * Math.min(...lengths), {
      error: 'a list of lengths of which one is at least twice another, such as [16, 256]',
    })
    .default(DEFAULT_LENGTHS)
    .describe('Answer lengths, in tokens. Default: [16, 256].'),
  requests: whole(3)
    .default(DEFAULT_LENGTH_REQUESTS)
    .describe('Requests per length, with one stream, spread over the rounds. Default: 5.'),
});

const timeoutsFields = mapping({
  connect: duration().optional().describe('Time until a new connection is ready. Default: 10s.'),
  firstByte: duration()
    .optional()
    .describe('Time from the request to the first byte of the body. Default: total.'),
  idle: duration().optional().describe('Time between two reads of the body. Default: 60s.'),
  total: duration().optional().describe('Time of the whole request. Default: 5m.'),
});

const timeoutsSchema = timeoutsFields.transform((fields): Timeouts => {
  const { connect, firstByte, idle, total = DEFAULT_TIMEOUTS.totalMs } = fields;
  return {
    connectMs: connect ?? DEFAULT_TIMEOUTS.connectMs,
    firstByteMs: firstByte ?? total,
    idleMs: idle ?? DEFAULT_TIMEOUTS.idleMs,
    totalMs: total,
  };
});

const A_CHECK = 'a check such as "ttft.p50: 10%"';

/** YAML reads `- ttft.p50: 10%` as a mapping with one key. */
const regressionSchema = z
  .union([text(A_CHECK), z.record(z.string(), z.string({ error: 'a tolerance such as 10%' }))], {
    error: A_CHECK,
  })
  .refine((value) => typeof value === 'string' || Object.keys(value).length === 1, {
    error: `${A_CHECK}, one in each item`,
  })
  .transform((value) =>
    typeof value === 'string'
      ? value
      : Object.entries(value)
          .map(([figure, tolerance]) => `${figure}: ${tolerance}`)
          .join(),
  );

const VERSION = 'the number 1, the version of this format';

const documentSchema = mapping({
  version: z.literal(1, { error: VERSION }).describe('Version of the format: 1.'),
  name: text().describe('The name of the scenario in reports.'),
  description: text().optional().describe('The question that the scenario answers.'),
  seed: whole(0).default(1).describe('Seed of all random choices: the same seed gives the same plan.'),
  targets: list(targetSchema, 'a list of targets')
    .superRefine(distinctNames('targets'), ALWAYS)
    .describe('The endpoints to measure.'),
  prompts: list(promptSchema, 'a list of prompts')
    .superRefine(distinctNames('prompts'), ALWAYS)
    .describe('The prompts. Each prompt has its own cells.'),
  unique: flag()
    .default(true)
    .describe(
      `Each request, including warm-up, starts with its own nonce, so that no prefix cache can answer: ${NONCE_LENGTH} characters and an empty line before the prompt, or in place of {{nonce}} in the target's body. false: all requests of a prompt are identical. Default: true.`,
    ),
  modes: list(choice(['streaming', 'non-streaming']), 'a list of streaming, non-streaming')
    .superRefine(distinct)
    .prefault(['streaming'])
    .describe('Streaming, non-streaming or both. Both are interleaved.'),
  load: loadSchema.prefault({}).describe('The load levels and the number of requests.'),
  verdict: verdictSchema
    .optional()
    .describe(
      'A length test for each target, with short and long answers to the first prompt. If longer answers start later, the answer is generated before it is sent. Its requests only count for the streaming verdict.',
    ),
  connection: connectionUse.default('warm'),
  timeouts: timeoutsSchema.prefault({}).describe('Time limits of a request.'),
  limits: limitsSchema
    .optional()
    .describe('Size limits of a response. A larger one ends the request with the outcome too_large.'),
  stall: duration().prefault('1s').describe('A longer gap between content events counts as a stall.'),
  keepGoing: flag()
    .default(false)
    .describe(
      'Continue when every request to a target fails. Default: false, which stops the run after 5 equal failures.',
    ),
  keepText: flag().default(false).describe('Store the answer texts in the records.'),
  tokenizer: choice(['none', ...TOKENIZER_NAMES])
    .default('none')
    .describe(
      'Counts output tokens from the text when the provider sends no usage. none: each content event counts as a token. o200k: the package gpt-tokenizer, which must be installed next to streambench; it runs while no stream is open.',
    ),
  thresholds: z
    .array(text('an expression such as "ttft.p95 < 2s"'), {
      error: 'a list of expressions such as "ttft.p95 < 2s"',
    })
    .default([])
    .describe('Limits that the run must meet, such as "ttft.p95{prompt=short} < 800ms".'),
  objectives: z
    .array(text('a condition such as "ttft < 500ms"'), {
      error: 'a list of conditions such as "ttft < 500ms"',
    })
    .default([])
    .describe(
      'Limits that each request must meet, such as "ttft < 500ms" and "longest_gap < 200ms". Goodput counts the requests that meet all of them: per second (goodput) and as a share (goodput.rate).',
    ),
  regressions: z
    .array(regressionSchema, { error: 'a list of checks such as "ttft.p50: 10%"' })
    .default([])
    .describe(
      'What is compared with a baseline, the most important figure first: ttft.p50, "ttft.p95: 15%" with its tolerance, or "ttft.p95: 15% and 20ms" with the smallest difference that counts. Also token_rate.p50, errors.rate, goodput, goodput.rate. Default: the median and mean of ttft (of ttfa where the model reasons) and of total, the tails of ttft and gap, and errors.rate.',
    ),
  simulator: simulatorSchema.optional().describe('Settings of the embedded simulator (provider: simulator).'),
}).superRefine((value: unknown, context) => {
  for (const problem of modeProblems(value)) context.addIssue({ code: 'custom', params: {}, ...problem });
}, ALWAYS);

/** The parser of scenarios. The input is a document with `${env:...}` resolved; the output has times in ms. */
export const scenarioSchema = documentSchema.transform(({ stall, ...rest }) => ({ ...rest, stallMs: stall }));

/** A valid scenario with defaults. Times are in ms. */
export type Scenario = z.output<typeof scenarioSchema>;

/** A prompt of a scenario, with exactly one of `text`, `file` and `messages`. */
export type ScenarioPrompt = Scenario['prompts'][number];

/** The keys of nested mappings, for hints about a key that is one level too high. */
export const NESTED_KEYS: Readonly<Record<string, readonly string[]>> = {
  load: Object.keys(loadFields.shape),
  timeouts: Object.keys(timeoutsFields.shape),
  limits: Object.keys(limitsFields.shape),
  simulator: ['profiles'],
};
