import * as z from 'zod';
import { DATASET_FORMATS, DATASET_ORDERS } from '../../model/prompt.ts';
import { MIN_SYNTHETIC_TOKENS } from '../../prompts/synthetic-text.ts';
import {
  ALWAYS,
  boundsInOrder,
  choice,
  flag,
  type IssueSink,
  integer,
  list,
  mapping,
  number,
  text,
  whole,
} from './fields.ts';

/** What prompts are drawn from: datasets, variables and generated texts. */

const A_DATASET = 'a file or folder, or a mapping with its path';

const datasetFields = mapping({
  path: text().describe(
    "A .jsonl, .json or .csv file, or a folder of text files, in this scenario's folder or below it.",
  ),
  format: choice(DATASET_FORMATS).optional().describe('The format. Default: by the name; a folder is text.'),
  column: text()
    .optional()
    .describe('The CSV column, or the field of JSON objects, with the prompt. Default: prompt.'),
  history: flag()
    .optional()
    .describe(
      'Send a conversation up to its last question, with the recorded answers before it. false: only its first question. Default: true, but false for ShareGPT.',
    ),
  order: choice(DATASET_ORDERS)
    .default('shuffle')
    .describe(
      'shuffle: in a random order, each prompt once before one is repeated. sequential: as in the file.',
    ),
  count: whole(1)
    .optional()
    .describe('Use at most this many prompts, drawn by the seed; with sequential, the first ones.'),
  minChars: whole(1).optional().describe('Skip shorter prompts. Characters of all messages.'),
  maxChars: whole(1).optional().describe('Skip longer prompts.'),
});

/** The settings of a dataset. */
export type ScenarioDataset = z.output<typeof datasetFields>;

/** The parser of a prompt's `dataset`. */
export const datasetSchema = z
  .union([text(A_DATASET), datasetFields.superRefine(charsInOrder, ALWAYS)], { error: A_DATASET })
  .transform(
    (value): ScenarioDataset => (typeof value === 'string' ? { path: value, order: 'shuffle' } : value),
  );

function charsInOrder(value: unknown, context: IssueSink): void {
  const { minChars, maxChars } = (value ?? {}) as { minChars?: unknown; maxChars?: unknown };
  if (typeof minChars === 'number' && typeof maxChars === 'number' && minChars > maxChars) {
    context.addIssue({
      code: 'custom',
      path: ['maxChars'],
      message: 'maxChars is less than minChars',
      params: {},
    });
  }
}

const VARIABLE_VALUES = 'a list of values, { from, to } or { file }';

const scalar = z
  .union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' })
  .transform(String);

/** The parser of a prompt's `variables`. */
export const variablesSchema = z.record(
  z.string().regex(/^[A-Za-z_][\w.-]*$/, {
    error: 'a name of letters, digits, _ . and -, which begins with a letter',
  }),
  z.union(
    [
      list(scalar, VARIABLE_VALUES),
      mapping({
        from: integer().describe('The smallest whole number.'),
        to: integer().describe('The largest whole number.'),
      }).superRefine((value: unknown, context: IssueSink) => {
        const { from, to } = (value ?? {}) as { from?: unknown; to?: unknown };
        if (typeof from === 'number' && typeof to === 'number' && from > to) {
          context.addIssue({ code: 'custom', path: ['to'], message: 'to is less than from', params: {} });
        }
      }, ALWAYS),
      mapping({
        file: text().describe("A text file with one value per line, in this scenario's folder or below it."),
      }),
    ],
    { error: VARIABLE_VALUES },
  ),
  { error: `a mapping of variables, each with ${VARIABLE_VALUES}` },
);

const TOKEN_SHAPES = ['normal', 'lognormal', 'uniform'] as const;

/** A length in tokens. Both modes of writing a distribution are for people: a mean and a deviation, or two ends. */
function tokenLength(min: number) {
  const expects = `a whole number of at least ${min}, or a mapping (mean, sd, min, max, shape)`;
  return z
    .union(
      [
        whole(min),
        mapping({
          mean: number(min).optional().describe('The mean; not with uniform.'),
          sd: number(0)
            .optional()
            .describe('The standard deviation. Default: 0, which gives a constant; not with uniform.'),
          min: whole(min).optional().describe('Minimum of the samples.'),
          max: whole(min).optional().describe('Maximum of the samples.'),
          shape: choice(TOKEN_SHAPES).default('normal').describe('The shape of the distribution.'),
        })
          .superRefine(boundsInOrder, ALWAYS)
          .superRefine(fitsShape, ALWAYS),
      ],
      { error: expects },
    )
    .transform((value) => {
      if (typeof value === 'number') return { shape: 'constant' as const, mean: value, sd: 0 };
      const { shape, min: low = min, max: high } = value;
      if (shape !== 'uniform')
        return { shape, mean: value.mean ?? low, sd: value.sd ?? 0, min: low, max: high };
      // Half a token further on both sides: samples are rounded, and the ends are as likely as other lengths.
      const [from, to] = [low - 0.5, (high ?? low) + 0.5];
      return { shape, mean: (from + to) / 2, sd: (to - from) / Math.sqrt(12), min: low, max: high };
    });
}

function fitsShape(value: unknown, context: IssueSink): void {
  const { shape, mean, sd, min, max } = (value ?? {}) as Record<string, unknown>;
  const issue = (key: string, message: string, hint: string) =>
    context.addIssue({ code: 'custom', path: [key], message, params: { hint } });
  if (shape !== 'uniform') {
    if (mean === undefined)
      issue('mean', 'the length has no mean', 'add mean, or use shape: uniform with min and max');
    return;
  }
  if (min === undefined || max === undefined) {
    issue('shape', 'uniform needs min and max', 'such as { shape: uniform, min: 100, max: 500 }');
  }
  for (const [key, given] of Object.entries({ mean, sd })) {
    if (given !== undefined) issue(key, `uniform has no ${key}`, 'give min and max only');
  }
}

/** The parser of a prompt's `synthetic`. */
export const syntheticSchema = mapping({
  input: tokenLength(MIN_SYNTHETIC_TOKENS).describe(
    `Length of the prompt in tokens, at least ${MIN_SYNTHETIC_TOKENS}: a number, or { mean, sd, min, max, shape }. shape: normal (the default), lognormal, or uniform from min to max.`,
  ),
  output: tokenLength(1)
    .optional()
    .describe('Limit of the answer in tokens, drawn for each request in the same way. Default: maxTokens.'),
  charsPerToken: number(1, 20)
    .optional()
    .describe(
      'Without a tokenizer: characters that count as one token. Default: 4. With tokenizer: o200k, lengths are exact for it.',
    ),
});
