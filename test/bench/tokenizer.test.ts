import { describe, expect, it } from 'vitest';
import {
  createTokenCounter,
  type ImportModule,
  loadTokenizer,
  withCountedTokens,
} from '../../src/bench/tokenizer.ts';
import type { UserError } from '../../src/model/errors.ts';
import { TOKENIZER_NAMES } from '../../src/model/plan.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { record as okRecord } from '../metrics/records.ts';

/** One token for each word. */
const words = (text: string) => text.split(' ').length;

function record(more: Partial<RequestRecord> = {}): RequestRecord {
  const tokens = { output: 4, source: 'chunks', first: 1 } as const;
  return { ...okRecord(), contentEvents: 4, tokens, text: 'one two three', ...more };
}

describe('loadTokenizer', () => {
  const asked: string[] = [];
  const fake: ImportModule = async (specifier) => {
    asked.push(specifier);
    return {
      countTokens(text: string, { disallowedSpecial }: { disallowedSpecial: Set<string> }) {
        expect(disallowedSpecial.size).toBe(0);
        return text.length;
      },
    };
  };

  it('knows o200k', async () => {
    expect(TOKENIZER_NAMES).toEqual(['o200k']);
    const count = await loadTokenizer('o200k', fake);
    expect(asked).toEqual(['gpt-tokenizer/encoding/o200k_base']);
    expect([count(''), count('hello'), count('a\0b')]).toEqual([0, 5, 2]);
  });

  it.each([
    ['letters', '好'],
    ['signs', '='],
    ['white space', '\n'],
  ])('gives long runs in pieces: %s', async (_name, sign) => {
    const lengths: number[] = [];
    const count = await loadTokenizer('o200k', async () => ({
      countTokens: (text: string) => lengths.push(text.length),
    }));
    count(`one two ${sign.repeat(1000)} three`);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(410);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(1014);
    lengths.length = 0;
    count('an ordinary text, with words and signs. '.repeat(100));
    expect(lengths).toEqual([4000]);
  });

  it('names the package that is missing, and the way out', async () => {
    const missing: ImportModule = () =>
      Promise.reject(new Error("Cannot find package 'gpt-tokenizer'\nat x"));
    const error: UserError = await loadTokenizer('o200k', missing).catch((reason) => reason);
    expect(error).toMatchObject({ name: 'UserError', code: 'usage' });
    expect(error.problems[0]!.message).toMatch(
      /^the tokenizer "o200k" needs the package gpt-tokenizer.*gpt-tokenizer'$/,
    );
    expect(error.problems[0]!.hint).toContain('npm install gpt-tokenizer');
  });
});

describe('withCountedTokens', () => {
  it('counts text, reasoning and tool calls, and says where the count is from', () => {
    const counted = withCountedTokens(record({ thinking: 'let me think', toolText: 'get {}' }), words);
    expect(counted.tokens).toEqual({ output: 8, reasoning: 3, source: 'tokenizer', first: 2 });
  });

  it('counts a whole answer, of which chunks can say nothing', () => {
    const whole = record({ mode: 'non-streaming', tokens: { output: null, source: 'chunks', input: 7 } });
    expect(withCountedTokens(whole, words).tokens).toEqual({ output: 3, source: 'tokenizer', input: 7 });
  });

  it('leaves counted by the providers alone, and answers without text', () => {
    const usage = record({ tokens: { output: 9, source: 'usage' } });
    expect(withCountedTokens(usage, words)).toBe(usage);
    const empty = record({ text: '' });
    expect(withCountedTokens(empty, words)).toBe(empty);
  });
});

describe('createTokenCounter', () => {
  function released(options: { keepText: boolean; maxChars?: number }, records: readonly RequestRecord[]) {
    let calls = 0;
    const counter = createTokenCounter((text) => ++calls && words(text), options);
    for (const one of records) counter.hold(one);
    expect(calls).toBe(0);
    const out: RequestRecord[] = [];
    counter.release((one) => out.push(one));
    counter.release(() => expect.unreachable());
    return { out, uncounted: counter.uncounted };
  }

  it('counts when told to, in the order of coming, and forgets the texts', () => {
    const usage = record({ seq: 2, tokens: { output: 9, source: 'usage' } });
    const { out, uncounted } = released({ keepText: false }, [record({ seq: 1, thinking: 'hm' }), usage]);
    expect(out.map(({ seq, tokens }) => [seq, tokens.output, tokens.source])).toEqual([
      [1, 4, 'tokenizer'],
      [2, 9, 'usage'],
    ]);
    for (const one of out) expect(Object.keys(one)).not.toEqual(expect.arrayContaining(['text']));
    expect(out[0]).not.toHaveProperty('thinking');
    expect(uncounted).toBe(0);
  });

  it('keeps the texts where the run does', () => {
    expect(released({ keepText: true }, [record()]).out[0]!.text).toBe('one two three');
  });

  it('holds no more than its limit: what is beyond stays at chunks', () => {
    const { out, uncounted } = released({ keepText: false, maxChars: 20 }, [
      record(),
      record(),
      record({ text: 'a' }),
    ]);
    expect(out.map(({ tokens }) => tokens.source)).toEqual(['tokenizer', 'chunks', 'tokenizer']);
    expect(uncounted).toBe(1);
    expect(out[1]).not.toHaveProperty('text');
  });
});
