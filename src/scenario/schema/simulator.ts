import * as z from 'zod';
import {
  A_DURATION,
  ALWAYS,
  boundsInOrder,
  choice,
  duration,
  flag,
  mapping,
  number,
  text,
  whole,
} from './fields.ts';

/** The settings of the embedded simulator in a scenario. */

const SHAPES = ['normal', 'lognormal', 'exponential'] as const;

/** Shape of a distribution. With a standard deviation of 0, `normal` and `lognormal` are constants. */
export type DistributionShape = (typeof SHAPES)[number];

/** A distribution of times, in ms. Samples are clamped to `minMs` and `maxMs`. */
export interface DurationDistribution {
  meanMs: number;
  sdMs: number;
  minMs?: number;
  maxMs?: number;
  shape: DistributionShape;
}

/** A distribution of counts. Samples are clamped to `min` and `max`. */
export interface NumberDistribution {
  mean: number;
  sd: number;
  min?: number;
  max?: number;
  shape: DistributionShape;
}

function parts<T extends z.ZodType<number>>(value: () => T) {
  return {
    mean: value().describe('The mean.'),
    sd: value()
      .optional()
      .describe('The standard deviation. Default: 0, which gives a constant; for exponential, the mean.'),
    min: value().optional().describe('Minimum of the samples.'),
    max: value().optional().describe('Maximum of the samples.'),
    shape: choice(SHAPES).default('lognormal').describe('The shape of the distribution.'),
  };
}

function spread(mean: number, sd: number | undefined, shape: DistributionShape): number {
  return sd ?? (shape === 'exponential' ? mean : 0);
}

/** A time: a fixed one, or drawn from a distribution. */
export const durationDistribution = z
  .union(
    [
      duration({ zero: true }),
      mapping(parts(() => duration({ zero: true }))).superRefine(boundsInOrder, ALWAYS),
    ],
    { error: `${A_DURATION}, or a mapping (mean, sd, min, max, shape)` },
  )
  .transform((value): DurationDistribution => {
    if (typeof value === 'number') return { meanMs: value, sdMs: 0, shape: 'lognormal' };
    const { mean, sd, min, max, shape } = value;
    return {
      meanMs: mean,
      sdMs: spread(mean, sd, shape),
      minMs: min,
      maxMs: max,
      shape,
    };
  });

const BY_PROMPT = 'by-prompt';

const A_LENGTH = 'a whole number of at least 1, by-prompt, or a mapping (mean, sd, min, max, shape)';

const tokenDistribution = z
  .union(
    [
      z.literal(BY_PROMPT, { error: A_LENGTH }),
      whole(1),
      mapping(parts(() => number(0))).superRefine(boundsInOrder, ALWAYS),
    ],
    { error: A_LENGTH },
  )
  .transform((value): NumberDistribution | typeof BY_PROMPT => {
    if (value === BY_PROMPT) return value;
    if (typeof value === 'number') return { mean: value, sd: 0, shape: 'lognormal' };
    const { mean, sd, min, max, shape } = value;
    return {
      mean,
      sd: spread(mean, sd, shape),
      min,
      max,
      shape,
    };
  });

const profileSchema = mapping({
  ttft: durationDistribution.describe(
    'Time from the request to the first token: 200ms, or { mean, sd, min, max, shape }.',
  ),
  cachedTtft: durationDistribution
    .optional()
    .describe(
      'Time to the first token for a repeated prompt. The profile then simulates a prefix cache and reports cached tokens. Default: no cache.',
    ),
  gap: durationDistribution.describe('Time between two tokens: 20ms, or { mean, sd, min, max, shape }.'),
  tokens: tokenDistribution.describe(
    "Answer length in tokens; by-prompt: short prompts get short answers. A prompt's maxTokens limits it.",
  ),
  chunkTokens: whole(1).default(1).describe('Tokens per chunk.'),
  thinking: whole(0).optional().describe('Reasoning tokens before the answer. Default: 0.'),
  tools: flag().optional().describe('The answer ends with a tool call. Default: false.'),
  mode: choice(['real', 'replay', 'burst', 'coarse'])
    .optional()
    .describe(
      'How the answer is sent. real (the default): each token as it is generated. replay: generated first, then sent slowly. ' +
        'burst: generated first, then sent at once. coarse: as it is generated, but in a few large lumps.',
    ),
  replayGap: duration({ zero: true })
    .optional()
    .describe('With mode replay: time between two chunks. Default: 20ms.'),
  lumpChunks: whole(1).optional().describe('With mode coarse: chunks per lump. Default: 16.'),
  headersWithFirstToken: flag()
    .optional()
    .describe('Send status line and headers together with the first chunk. Default: false.'),
  slots: whole(1)
    .optional()
    .describe('Answers at once; further requests wait in order of arrival. Default: no limit.'),
  queue: whole(0)
    .optional()
    .describe(
      'With slots: requests that may wait; further ones are refused with status 429. Default: no limit.',
    ),
  error: mapping({
    rate: number(0, 1).describe('Share of failing requests, from 0 to 1.'),
    kind: choice(['http_500', 'http_429', 'inband', 'truncate']).describe('How they fail.'),
  })
    .optional()
    .describe('Simulated failures.'),
});

/** The parser of the simulator's settings. */
export const simulatorSchema = mapping({
  seed: whole(0).optional().describe("Seed of the simulator. Default: the scenario's seed."),
  profiles: z
    .record(text('the name of a profile'), profileSchema, { error: 'a mapping of profiles by name' })
    .default({})
    .describe('Profiles by name. A target selects one by its profile, or else by its model.'),
  cassettes: z
    .record(text('the name of a profile'), text('a file written by streambench record'), {
      error: 'a mapping of cassette files by the name of a profile',
    })
    .optional()
    .describe(
      'Recorded answers as profiles: files written by `streambench record`, by the name of the profile. Content and times are those of the recording.',
    ),
}).superRefine((value, context) => {
  for (const name of Object.keys(value.cassettes ?? {})) {
    if (!Object.hasOwn(value.profiles, name)) continue;
    const message = `there is also a profile ${JSON.stringify(name)}`;
    context.addIssue({ code: 'custom', path: ['cassettes', name], message, params: {} });
  }
});
