import * as z from 'zod';
import { ALWAYS, choice, flag, type IssueSink, list, mapping, share, text, whole } from './fields.ts';
import { mediaFields, requestFields } from './prompt-request.ts';
import { datasetSchema, syntheticSchema, variablesSchema } from './prompt-source.ts';
import { sessionSchema, turnsSchema } from './session.ts';

/** A prompt of a scenario. */

const messageSchema = mapping({
  role: choice(['system', 'user', 'assistant']).describe('The role of the message.'),
  content: text().describe('The text of the message.'),
  ...mediaFields,
});

const contentFields = {
  text: text().optional().describe('The prompt itself, sent as one user message.'),
  file: text().optional().describe("A text file with the prompt, in this scenario's folder or below it."),
  messages: list(messageSchema, 'a list of messages ({ role, content })')
    .optional()
    .describe('A whole conversation, instead of text or file.'),
  dataset: datasetSchema
    .optional()
    .describe('Each request sends another prompt of this file or folder: a path, or a mapping.'),
  synthetic: syntheticSchema
    .optional()
    .describe('Each request sends generated text of a drawn length in tokens.'),
  trace: z
    .literal('lengths', { error: 'the word lengths' })
    .optional()
    .describe(
      'lengths: each request sends generated text as long as that of its request in load.trace, with its prefix blocks, and limits the answer to its recorded length.',
    ),
  variables: variablesSchema
    .optional()
    .describe(
      'Values of {{name}} in text, file, messages and system, drawn for each request: a list, { from, to } or { file }.',
    ),
  system: text().optional().describe('A system message before the prompt.'),
  ...mediaFields,
  maxTokens: whole(1).optional().describe("Limit of the answer length, in tokens. Default: the provider's."),
  ...requestFields,
};

/** The keys of which a prompt has exactly one. */
const SOURCES = ['text', 'file', 'messages', 'dataset', 'synthetic', 'trace'] as const;

const oneOf = (keys: readonly string[]) => ({ oneOf: keys.map((key) => ({ required: [key] })) });

const mixPartSchema = mapping({
  name: text().optional().describe('The name in promptId of the records. Default: its number in the mix.'),
  weight: whole(1).describe('Its share is weight over the sum of all weights.'),
  ...contentFields,
})
  .superRefine((value: unknown, context) => checkContent(value, SOURCES, context), ALWAYS)
  .meta(oneOf(SOURCES));

const PROMPT_SOURCES = [...SOURCES, 'turns', 'mix'] as const;

/** The parser of one of a scenario's `prompts`. */
export const promptSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  ...contentFields,
  mix: list(mixPartSchema, 'a list of prompts with a weight')
    .superRefine(boundedWeights, ALWAYS)
    .optional()
    .describe('Several prompts in one cell, in shares by weight, in a random order.'),
  turns: turnsSchema
    .optional()
    .describe(
      "A conversation: what the user says, turn by turn. The server's answers are carried over. Each session holds a slot of the load level from its first turn to its last.",
    ),
  session: sessionSchema
    .optional()
    .describe('Settings of turns; with dataset, the conversations of the dataset are sent turn by turn.'),
  unique: flag()
    .optional()
    .describe("Whether each request of this prompt is unique. Default: the scenario's unique."),
  sharedPrefix: whole(1)
    .optional()
    .describe('Tokens of generated text at the beginning that requests share, before the nonce.'),
  cacheHits: share()
    .optional()
    .describe(
      'With sharedPrefix: the share of requests with the shared prefix, such as 35%; the others have a prefix that was never sent. Default: 100%.',
    ),
})
  .superRefine((value: unknown, context) => {
    checkContent(value, PROMPT_SOURCES, context);
    if (!isMapping(value)) return;
    if ('cacheHits' in value && !('sharedPrefix' in value)) {
      context.addIssue({
        code: 'custom',
        path: ['cacheHits'],
        message: 'cacheHits needs sharedPrefix, which the prompt does not have',
        params: { hint: 'add sharedPrefix: 1024, the tokens of the prefix' },
      });
    }
    if ('session' in value && !('turns' in value || 'dataset' in value)) {
      context.addIssue({
        code: 'custom',
        path: ['session'],
        message: 'session needs turns or a dataset, which the prompt does not have',
        params: { hint: 'use turns: [first question, second question]' },
      });
    }
    checkFirstTurn(value, context);
    for (const key of ['system', 'variables', 'images', 'audio'].filter(
      (one) => 'mix' in value && one in value,
    )) {
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `a mix has no ${key} of its own`,
        params: { hint: `move ${key} into the prompts of the mix` },
      });
    }
  }, ALWAYS)
  .meta(oneOf(PROMPT_SOURCES));

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function checkFirstTurn(value: { turns?: unknown }, context: IssueSink): void {
  const [first] = Array.isArray(value.turns) ? value.turns : [];
  if (!isMapping(first) || !('tool' in first)) return;
  context.addIssue({
    code: 'custom',
    path: ['turns', 0],
    message: 'the first turn has results of tool calls, but no answer precedes it',
    params: { hint: 'begin with a text' },
  });
}

/** What a source leaves no place for. */
const NOT_WITH: Readonly<Record<string, readonly string[]>> = {
  dataset: ['variables', 'images', 'audio'],
  synthetic: ['variables'],
  trace: ['variables'],
};

function checkContent(value: unknown, sources: readonly string[], context: IssueSink): void {
  if (!isMapping(value)) return;
  const given = sources.filter((key) => key in value);
  if (given.length !== 1) {
    context.addIssue({
      code: 'custom',
      message:
        given.length === 0
          ? 'the prompt has no content'
          : `the prompt has ${given.join(' and ')}, but only one is allowed`,
      params: { hint: `use exactly one of ${sources.slice(0, -1).join(', ')} and ${sources.at(-1)}` },
    });
  }
  for (const [source, keys] of Object.entries(NOT_WITH)) {
    for (const key of keys.filter((one) => source in value && one in value)) {
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${key} do${key === 'audio' ? 'es' : ''} not apply to a ${source} prompt`,
        params: { hint: `use ${key} with text, file or messages` },
      });
    }
  }
  for (const key of ['images', 'audio'].filter((one) => one in value && 'messages' in value)) {
    context.addIssue({
      code: 'custom',
      path: [key],
      message: `a prompt with messages has its ${key} in them`,
      params: { hint: `move ${key} into one of the messages` },
    });
  }
}

/** The order of a mix is drawn for as many requests as the weights sum up to. */
const MAX_WEIGHTS = 10_000;

function boundedWeights(value: unknown, context: IssueSink): void {
  if (!Array.isArray(value)) return;
  const sum = value.reduce((total: number, part: { weight?: unknown } | null) => {
    return total + (typeof part?.weight === 'number' ? part.weight : 0);
  }, 0);
  if (sum <= MAX_WEIGHTS) return;
  context.addIssue({
    code: 'custom',
    message: `the weights sum up to ${sum}, more than ${MAX_WEIGHTS}`,
    params: { hint: 'use smaller numbers in the same relation, such as 70 and 30' },
  });
}

/** A prompt of a mix. */
export type ScenarioMixPart = z.output<typeof mixPartSchema>;
