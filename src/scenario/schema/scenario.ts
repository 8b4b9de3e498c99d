import * as z from 'zod';
import { DEFAULT_TIMEOUTS, type Timeouts, TOKENIZER_NAMES } from '../../model/plan.ts';
import { NONCE_LENGTH } from '../../model/request.ts';
import { clientProblems, clientSchema } from './client.ts';
import { connectionUse } from './connection.ts';
import {
  ALWAYS,
  type CheckParams,
  choice,
  distinct,
  distinctNames,
  duration,
  flag,
  list,
  mapping,
  text,
  whole,
} from './fields.ts';
import { limitsFields, limitsSchema } from './limits.ts';
import { loadFields, loadSchema } from './load.ts';
import { modeProblems } from './modes.ts';
import { promptSchema } from './prompt.ts';
import { simulatorSchema } from './simulator.ts';
import { targetSchema } from './target.ts';

/** A scenario: one schema is the parser, the type and the published JSON Schema. */

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

/** `forMs`: streams are cut after this long. A feed may be quiet for long: then only limits that are written apply before. */
function timeoutsOf(fields: z.output<typeof timeoutsFields>, forMs: number | undefined): Timeouts {
  const connectMs = fields.connect ?? DEFAULT_TIMEOUTS.connectMs;
  const leastMs = forMs === undefined ? 0 : connectMs + forMs + DEFAULT_TIMEOUTS.connectMs;
  const total = fields.total ?? Math.max(DEFAULT_TIMEOUTS.totalMs, leastMs);
  return {
    connectMs,
    firstByteMs: fields.firstByte ?? total,
    idleMs: fields.idle ?? (forMs === undefined ? DEFAULT_TIMEOUTS.idleMs : total),
    totalMs: total,
  };
}

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
  client: clientSchema
    .optional()
    .describe(
      'What clients do besides reading: they cancel, read slowly, retry, resume. Default: each request is sent once and read to its end as fast as it arrives.',
    ),
  timeouts: timeoutsFields.prefault({}).describe('Time limits of a request.'),
  for: duration()
    .optional()
    .describe(
      'For endless streams, such as feeds: each stream is cut this long after its request was sent. It counts as ok if it brought content, and is marked cut. A stream that ends earlier is an ordinary answer. Default: streams end by themselves.',
    ),
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
  keepChunks: flag()
    .default(false)
    .describe(
      'Store the arrival time of every chunk in the records, for rasters and re-analysis: about 6 bytes per chunk, for the first million chunks of a response.',
    ),
  traceparent: flag()
    .default(false)
    .describe(
      "Send a W3C traceparent header with each request, so that the server's spans join the request's. Its ids are in the record and in the span of --otlp. Default: false, because it changes the request.",
    ),
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
  for (const problem of [...modeProblems(value), ...streamTimeProblems(value), ...clientProblems(value)])
    context.addIssue({ code: 'custom', params: {}, ...problem });
}, ALWAYS);

/** What contradicts `for`, the time after which streams are cut. */
function streamTimeProblems(value: unknown) {
  const { for: forMs, modes, timeouts } = value as Partial<z.output<typeof documentSchema>>;
  if (typeof forMs !== 'number') return [];
  const problems: { path: PropertyKey[]; message: string; params: CheckParams }[] = [];
  if (Array.isArray(modes) && modes.includes('non-streaming')) {
    const params = { hint: 'use modes: [streaming], or remove for' };
    problems.push({
      path: ['modes'],
      message: 'a non-streaming answer cannot be cut after a time (for)',
      params,
    });
  }
  const { total } = timeouts ?? {};
  if (total !== undefined && total <= forMs) {
    const message = `the limit ends every stream before it is cut as planned (for: ${forMs / 1000}s)`;
    problems.push({
      path: ['timeouts', 'total'],
      message,
      params: { hint: 'remove it, or raise it above for' },
    });
  }
  return problems;
}

/** The parser of scenarios. The input is a document with `${env:...}` resolved; the output has times in ms. */
export const scenarioSchema = documentSchema.transform(({ stall, for: streamForMs, timeouts, ...rest }) => ({
  ...rest,
  timeouts: timeoutsOf(timeouts, streamForMs),
  streamForMs,
  stallMs: stall,
}));

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
