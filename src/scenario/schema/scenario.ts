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
  role: choice(['system', 'user', 'assistant']).describe('Who speaks.'),
  content: text().describe('What is said.'),
});

const promptSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  text: text().optional().describe('The prompt itself, sent as one user message.'),
  file: text()
    .optional()
    .describe("A text file that holds the prompt, in this scenario's folder or below it."),
  messages: list(messageSchema, 'a list of messages ({ role, content })')
    .optional()
    .describe('A whole conversation, instead of text or file.'),
  system: text().optional().describe('A system message that comes first.'),
  maxTokens: whole(1)
    .optional()
    .describe("Upper limit of the answer's length in tokens. Default: the provider's."),
  unique: flag().optional().describe("Whether this prompt is made unique. Default: the scenario's unique."),
})
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    const given = ['text', 'file', 'messages'].filter((key) => key in value);
    if (given.length === 1) return;
    context.addIssue({
      code: 'custom',
      message:
        given.length === 0
          ? 'the prompt says nothing'
          : `the prompt has ${given.join(' and ')}, which exclude each other`,
      params: { hint: 'give exactly one of text, file and messages' },
    });
  }, ALWAYS)
  .meta({ oneOf: [{ required: ['text'] }, { required: ['file'] }, { required: ['messages'] }] });

const DEFAULT_REQUESTS = 20;
const DEFAULT_ROUNDS = 5;
/** What one event loop times without being late. */
const DEFAULT_MAX_CONCURRENCY = 200;

const loadFields = mapping({
  concurrency: z
    .union([whole(1), list(whole(1), 'a list of whole numbers of at least 1').superRefine(distinct)], {
      error: 'a whole number of at least 1, or a list of them such as [1, 4, 16]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe('Streams at once: one number, or a list that makes a cell of each. Default: 1.'),
  rate: z
    .union([positive(), list(positive(), 'a list of numbers above 0').superRefine(distinct)], {
      error: 'a number above 0, or a list of them such as [5, 20]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe(
      'Instead of concurrency: requests a second, sent when they are due whatever became of the ones before (an open loop).',
    ),
  arrivals: choice(ARRIVALS)
    .optional()
    .describe(
      'With rate: requests at random moments, as from independent users, or at even distances. Default: poisson.',
    ),
  maxConcurrency: whole(1)
    .optional()
    .describe(
      `With rate: the most streams at once; a request that finds them all open is not sent, and counts as dropped. Default: ${DEFAULT_MAX_CONCURRENCY}.`,
    ),
  requests: whole(1)
    .optional()
    .describe(
      `Measured requests of each cell, all rounds together; a round needs as many as there are streams at once. Default: ${DEFAULT_REQUESTS}, or as many as the rounds need where that is more; no limit when duration is given.`,
    ),
  duration: duration()
    .optional()
    .describe('Time of each cell, all rounds together, after which it sends no more requests, such as 30s.'),
  rounds: whole(1)
    .optional()
    .describe(
      `The cells take turns in this many rounds, so that drift hits all alike. Default: ${DEFAULT_ROUNDS}, or fewer where a round's requests could not fill the highest concurrency.`,
    ),
  warmup: whole(0).default(1).describe('Unmeasured requests of each cell, before its first round.'),
});

/** The parser of a scenario's `load`. */
export const loadSchema = loadFields
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    if ('rate' in value && 'concurrency' in value) {
      context.addIssue({
        code: 'custom',
        message: 'the load has concurrency and rate, which exclude each other',
        params: { hint: 'with a rate, maxConcurrency limits the streams at once' },
      });
    }
    for (const key of ['arrivals', 'maxConcurrency']) {
      if (!(key in value) || 'rate' in value) continue;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${key} belongs to a rate, and the load has none`,
        params: { hint: 'with concurrency, a request is sent when the one before has ended' },
      });
    }
  }, ALWAYS)
  .transform(({ duration: durationMs, rounds, warmup, arrivals = 'poisson', ...rest }, context) => {
    const { rate, concurrency = [1], maxConcurrency = DEFAULT_MAX_CONCURRENCY } = rest;
    const levels: LoadLevel[] = rate
      ? rate.map((one) => ({ concurrency: maxConcurrency, rate: one }))
      : concurrency.map((one) => ({ concurrency: one }));
    // A round of 4 requests cannot keep 8 streams open: the cell would claim a load that never was.
    const least = rate ? 1 : Math.max(...concurrency);
    const enough = Math.max(DEFAULT_REQUESTS, least * (rounds ?? 1));
    const requests = rest.requests ?? (durationMs === undefined ? enough : undefined);
    const fitting = Math.floor((requests ?? Number.POSITIVE_INFINITY) / least);
    // Of one stream, fewer rounds do: the plan makes as many as there are requests.
    if (least > 1 && fitting < (rounds ?? 1)) context.addIssue(tooFew(requests!, least, rounds ?? 1));
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
    ...(share > 0 ? [`a concurrency of ${share} at most`] : []),
  ];
  return {
    code: 'custom' as const,
    path: ['requests'],
    message: `${requests} ${requests === 1 ? 'request is' : 'requests are'} too few for ${streams} streams at once: ${round} has ${share} of each cell`,
    params: { hint: `what would work: ${ways.join(', or ')}` },
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
    .describe('Lengths of the answers, in tokens. Default: [16, 256].'),
  requests: whole(3)
    .default(DEFAULT_LENGTH_REQUESTS)
    .describe('Requests for each length, at one stream, spread over the rounds. Default: 5.'),
});

const timeoutsFields = mapping({
  connect: duration().optional().describe('Until a new connection is ready. Default: 10s.'),
  firstByte: duration()
    .optional()
    .describe('From the request to the first byte of the body. Default: total.'),
  idle: duration().optional().describe('Between two reads, once the body has begun. Default: 60s.'),
  total: duration().optional().describe('The whole request. Default: 5m.'),
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

const VERSION = 'the number 1, the version of this format';

const documentSchema = mapping({
  version: z.literal(1, { error: VERSION }).describe('Version of the format: 1.'),
  name: text().describe('The name of the scenario in reports.'),
  description: text().optional().describe('What the scenario is to find out.'),
  seed: whole(0)
    .default(1)
    .describe('Seed of everything that is drawn at random: the same seed gives the same plan.'),
  targets: list(targetSchema, 'a list of targets')
    .superRefine(distinctNames('targets'), ALWAYS)
    .describe('What is measured.'),
  prompts: list(promptSchema, 'a list of prompts')
    .superRefine(distinctNames('prompts'), ALWAYS)
    .describe('What is asked. Each prompt makes cells of its own.'),
  unique: flag()
    .default(true)
    .describe(
      `Each request, warm-up included, begins with a nonce of its own: ${NONCE_LENGTH} characters and an empty line in front of the prompt, or where the target's body has {{nonce}}. So no prefix cache answers. false: all requests of a prompt are the same bytes. Default: true.`,
    ),
  modes: list(choice(['streaming', 'non-streaming']), 'a list of streaming, non-streaming')
    .superRefine(distinct)
    .prefault(['streaming'])
    .describe('Streaming, non-streaming, or both, measured side by side.'),
  load: loadSchema.prefault({}).describe('How many requests, how many at once or how many a second.'),
  verdict: verdictSchema
    .optional()
    .describe(
      'A length test for each target: short and long answers to the first prompt tell whether longer ones begin later, as they do where an answer is made before it is sent. Its requests are in no figure but the verdict.',
    ),
  connection: connectionUse.default('warm'),
  timeouts: timeoutsSchema.prefault({}).describe('Time limits of a request.'),
  limits: limitsSchema.optional().describe('What a server may send; more ends the request as too_large.'),
  stall: duration()
    .prefault('1s')
    .describe('A gap between content events that is longer than this counts as a stall.'),
  keepGoing: flag()
    .default(false)
    .describe(
      'Go on when a target fails from its first request on. Without it the run stops after 5 failures of the same kind.',
    ),
  keepText: flag().default(false).describe('Keep the answers in the records.'),
  tokenizer: choice(['none', ...TOKENIZER_NAMES])
    .default('none')
    .describe(
      'Counts the output tokens of answers whose provider sends no usage, from their text. none: chunks stand in for tokens. o200k: the package gpt-tokenizer, which is installed beside streambench; it counts when no stream is open.',
    ),
  thresholds: z
    .array(text('an expression such as "ttft.p95 < 2s"'), {
      error: 'a list of expressions such as "ttft.p95 < 2s"',
    })
    .default([])
    .describe('Conditions that the run must meet, such as "ttft.p95{prompt=short} < 800ms".'),
  objectives: z
    .array(text('a condition such as "ttft < 500ms"'), {
      error: 'a list of conditions such as "ttft < 500ms"',
    })
    .default([])
    .describe(
      'What a single request must meet to count as good, such as "ttft < 500ms" and "longest_gap < 200ms". With them the run has a goodput: good requests a second (goodput) and their share (goodput.rate).',
    ),
  simulator: simulatorSchema.optional().describe('Settings of the embedded simulator (provider: simulator).'),
}).superRefine((value: unknown, context) => {
  for (const problem of modeProblems(value)) context.addIssue({ code: 'custom', params: {}, ...problem });
}, ALWAYS);

/** The parser of scenarios. Its input is the document after `${env:...}` was resolved; its output has times in ms. */
export const scenarioSchema = documentSchema.transform(({ stall, ...rest }) => ({ ...rest, stallMs: stall }));

/** A scenario, checked and with its defaults filled in. Times are in ms. */
export type Scenario = z.output<typeof scenarioSchema>;

/** A prompt as a scenario gives it: exactly one of `text`, `file` and `messages` is there. */
export type ScenarioPrompt = Scenario['prompts'][number];

/** The keys of the document's parts, for hints about a key that was written one level too high. */
export const NESTED_KEYS: Readonly<Record<string, readonly string[]>> = {
  load: Object.keys(loadFields.shape),
  timeouts: Object.keys(timeoutsFields.shape),
  limits: Object.keys(limitsFields.shape),
  simulator: ['profiles'],
};
