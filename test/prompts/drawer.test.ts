import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Prompt, PromptSource } from '../../src/model/prompt.ts';
import { checkDatasetFile } from '../../src/prompts/dataset-check.ts';
import { createDrawer, type DrawnPrompt } from '../../src/prompts/drawer.ts';

const folder = mkdtempSync(join(tmpdir(), 'streambench-drawer-'));
afterAll(() => rmSync(folder, { recursive: true }));

function dataset(order: 'shuffle' | 'sequential', size: number): PromptSource {
  const path = join(folder, `${order}${size}.jsonl`);
  writeFileSync(path, Array.from({ length: size }, (_, i) => `{"prompt":"p${i}"}\n`).join(''));
  const checked = checkDatasetFile(openSync(path, 'r'), path, 'jsonl', { order, seed: 1 });
  if (!('dataset' in checked)) throw new Error('expected a dataset');
  return { kind: 'dataset', order, ...checked.dataset };
}

const hello = { name: 'p', messages: [{ role: 'user', content: 'hello' }] } as const;

let nonce = 0;
function draws(prompt: Prompt, count: number, { seed = 1, salt = 's', warmup = false } = {}): DrawnPrompt[] {
  const drawer = createDrawer(prompt, { seed, salt });
  const next = () => (nonce++).toString(36).padStart(8, '0');
  const all = Array.from({ length: count }, (_, number) =>
    drawer.draw({ number, warmup, nonce: prompt.unique ? next() : undefined, freshNonce: next }),
  );
  drawer.close();
  return all;
}

const texts = (drawn: readonly DrawnPrompt[]) => drawn.map(({ messages }) => messages.at(-1)?.content);
const ids = (drawn: readonly DrawnPrompt[]) => drawn.map(({ promptId }) => promptId);

describe('a dataset', () => {
  test('shuffled, is drawn without replacement in every pass, in an order of the seed', () => {
    const prompt: Prompt = { ...hello, source: dataset('shuffle', 20) };
    const drawn = texts(draws(prompt, 60));
    const passes = [0, 20, 40].map((from) => drawn.slice(from, from + 20));
    for (const pass of passes) expect(new Set(pass).size).toBe(20);
    expect(passes[1]).not.toEqual(passes[0]);
    expect(texts(draws(prompt, 60))).toEqual(drawn);
    expect(texts(draws(prompt, 60, { salt: 'other run' }))).toEqual(drawn);
    expect(texts(draws(prompt, 20, { seed: 2 }))).not.toEqual(passes[0]);
  });

  test('in its order; the warm-up takes the prompts that are measured last', () => {
    const prompt: Prompt = { ...hello, source: dataset('sequential', 3) };
    expect(texts(draws(prompt, 5))).toEqual(['p0', 'p1', 'p2', 'p0', 'p1']);
    expect(ids(draws(prompt, 3))).toEqual(['1', '2', '3']);
    expect(texts(draws(prompt, 2, { warmup: true }))).toEqual(['p2', 'p1']);
  });
});

describe('a template', () => {
  const source: PromptSource = {
    kind: 'template',
    variables: [
      { name: 'city', kind: 'list', values: ['Rome', '{{days}}'] },
      { name: 'days', kind: 'range', from: 2, to: 3 },
    ],
  };
  const prompt: Prompt = {
    name: 'p',
    messages: [{ role: 'user', content: '{{city}}, {{ days }}, {{other}}' }],
    source,
  };

  test('gets drawn values, and braces in a value are text', () => {
    const drawn = draws(prompt, 40);
    expect(new Set(texts(drawn))).toEqual(
      new Set([
        'Rome, 2, {{other}}',
        'Rome, 3, {{other}}',
        '{{days}}, 2, {{other}}',
        '{{days}}, 3, {{other}}',
      ]),
    );
    expect(
      drawn.every(({ promptId, messages }) => {
        const [, city, days] = /^city=(.*), days=(.*)$/.exec(promptId ?? '') ?? [];
        return messages[0]?.content === `${city}, ${days}, {{other}}`;
      }),
    ).toBe(true);
    expect(texts(draws(prompt, 40))).toEqual(texts(drawn));
  });
});

describe('generated text', () => {
  const source: PromptSource = {
    kind: 'synthetic',
    input: { shape: 'uniform', mean: 60, sd: 11.55, min: 40, max: 80 },
    output: { shape: 'constant', mean: 7, sd: 0 },
    wordsPerToken: 1,
  };

  test('has the drawn number of words, the same in each run; only its first words are unique', () => {
    const drawn = draws({ ...hello, unique: true, source }, 30);
    const words = texts(drawn).map((text) => (text ?? '').split(' '));
    expect(drawn.map(({ promptId }) => promptId)).toEqual(
      words.map(({ length }) => `input ${length}, output 7`),
    );
    expect(drawn.every(({ maxTokens, hasNonce }) => maxTokens === 7 && hasNonce)).toBe(true);
    expect(new Set(words.map(({ length }) => length)).size).toBeGreaterThan(5);
    const again = draws({ ...hello, unique: true, source }, 30);
    expect(ids(again)).toEqual(ids(drawn));
    const openings = [...drawn, ...again].map(({ messages }) => messages[0]?.content.slice(0, 6 * 4));
    expect(new Set(openings).size).toBe(60);
    const rests = [drawn, again].map((run) => texts(run).map((text) => text?.slice(6 * 4)));
    expect(rests[0]).toEqual(rests[1]);
  });

  test('that need not be unique is the same in every run', () => {
    expect(texts(draws({ ...hello, source }, 5))).toEqual(
      texts(draws({ ...hello, source }, 5, { salt: 'x' })),
    );
  });
});

describe('a mix', () => {
  test('draws each part by its weight, and each part draws on where it was', () => {
    const source: PromptSource = {
      kind: 'mix',
      parts: [
        { weight: 3, prompt: { ...hello, name: 'greeting', maxTokens: 2 } },
        { weight: 1, prompt: { name: 'data', messages: [], source: dataset('sequential', 3) } },
      ],
    };
    const drawn = draws({ ...hello, source }, 16);
    expect(ids(drawn).filter((id) => id === 'greeting')).toHaveLength(12);
    expect(ids(drawn).filter((id) => id !== 'greeting')).toEqual(['data/1', 'data/2', 'data/3', 'data/1']);
    expect(drawn.find(({ promptId }) => promptId === 'greeting')?.maxTokens).toBe(2);
  });
});

describe('a shared prefix', () => {
  const sharedPrefix = { tokens: 50, wordsPerToken: 1, inSystem: false, hitShare: 0.35 };

  test('is that of the warm-up in exactly the planned share; every other one is new, of the same length', () => {
    const prompt: Prompt = { ...hello, unique: true, sharedPrefix };
    const warm = draws(prompt, 1, { warmup: true });
    const drawn = draws(prompt, 40);
    const hits = drawn.filter(({ cachePlan }) => cachePlan === 'hit');
    const misses = drawn.filter(({ cachePlan }) => cachePlan === 'miss');
    expect([hits.length, misses.length]).toEqual([14, 26]);
    expect(new Set(hits.map(({ prefix }) => prefix))).toEqual(new Set([warm[0]?.prefix]));
    const openings = new Set([...misses, warm[0]].map((one) => one?.prefix?.slice(0, 6 * 4)));
    expect(openings.size).toBe(27);
    for (const { prefix } of drawn) expect(prefix?.split(' ')).toHaveLength(50);
    // Another run must not find this one's prefix.
    expect(draws(prompt, 1, { warmup: true, salt: 'other run' })[0]?.prefix).not.toBe(warm[0]?.prefix);
  });

  test('is in the system message of every request where some have one', () => {
    const mixed: Prompt = { ...hello, sharedPrefix: { ...sharedPrefix, inSystem: true } };
    expect(draws(mixed, 1)[0]?.messages).toEqual([{ role: 'system', content: '' }, ...hello.messages]);
  });
});
