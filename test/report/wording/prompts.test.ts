import { expect, test } from 'vitest';
import type { Prompt } from '../../../src/model/prompt.ts';
import { promptInfos } from '../../../src/model/prompt-info.ts';
import { promptLines } from '../../../src/report/wording/prompts.ts';

const messages = [{ role: 'user', content: 'hi' }] as const;
const prompts: Prompt[] = [
  { name: 'fixed', messages },
  {
    name: 'made',
    messages,
    source: {
      kind: 'synthetic',
      input: { shape: 'lognormal', mean: 1200, sd: 300, min: 8, max: 4000 },
      output: { shape: 'uniform', mean: 15, sd: 3, min: 10, max: 20 },
      wordsPerToken: 1.25,
    },
  },
  {
    name: 'all',
    messages,
    sharedPrefix: { tokens: 2048, wordsPerToken: 1.25, inSystem: false, hitShare: 0.35 },
    source: {
      kind: 'mix',
      parts: [
        { weight: 3, prompt: { name: 'short', messages } },
        {
          weight: 1,
          prompt: {
            name: 'filled',
            messages,
            source: { kind: 'template', variables: [{ name: 'n', kind: 'range', from: 1, to: 10 }] },
          },
        },
      ],
    },
  },
];

test('says what prompts are drawn from and how tokens of generated text are counted', () => {
  expect(promptLines(promptInfos(prompts, false))).toEqual([
    'Prompt made: generated text of 1200 tokens on average (lognormal, sd 300, 8 to 4000), answers limited to 10 to 20 tokens (uniform).',
    'Prompt all: 75 % short, 25 % filled (drawn values of n (10)).',
    'Prompt all: 35 % of the requests share a prefix of 2048 tokens, the others have one that was not sent before.',
    'Generated text: its tokens are estimated, 5 characters each; tokenizer: o200k would count them.',
  ]);
  expect(promptLines(promptInfos(prompts, true)).at(-1)).toBe(
    'Generated text: its tokens are those of the tokenizer (o200k).',
  );
  expect(promptLines(undefined)).toEqual([]);
});
