import { describe, expect, test } from 'vitest';
import { lengthTest, pooledLengthTest } from '../../../src/analysis/streaming/length-test.ts';
import { figures } from './figures.ts';

type Changes = Parameters<typeof figures>[0];

const group = (tokens: number, waits: readonly number[], changes: Changes = {}) =>
  waits.map((begunMs) => figures({ tokens, begunMs, ...changes }));
const result = (short: readonly number[], long: readonly number[], changes: Changes = {}) =>
  lengthTest(group(16, short), group(256, long, changes))?.result;

test('the groups have their medians, and the ratio of their waits', () => {
  expect(lengthTest(group(16, [300, 100, 200]), group(256, [700, 500, 900, 600]))).toMatchObject({
    short: { n: 3, tokens: 16, waitMs: 200 },
    long: { n: 4, tokens: 256, waitMs: 600 },
    ratio: 3,
  });
});

test('lengths must differ by a factor of two', () => {
  const of = (tokens: number) =>
    lengthTest(group(50, [400, 400, 400]), group(tokens, [900, 900, 900]))!.result;
  expect([of(99), of(100)]).toEqual(['same_length', 'grows']);
});

test('streams without content are left out, and cold ones where three are warm', () => {
  const [short, long] = [group(16, [400, 400, 400]), group(256, [400, 400, 400])];
  expect(lengthTest([...short, null], [...long, null])).toMatchObject({ short: { n: 3 }, long: { n: 3 } });
  expect(lengthTest([...short.slice(1), null], long)).toBeUndefined();
  const cold = figures({ tokens: 16, begunMs: 5000, cold: true });
  expect(lengthTest([...short, cold, cold], long)).toMatchObject({ short: { n: 3, waitMs: 400 } });
  expect(lengthTest([...short.slice(1), cold], long)).toMatchObject({ short: { n: 3 } });
});

describe('the wait grows', () => {
  test('from a ratio of 1.5 on', () => {
    expect(result([1000, 1000, 1000], [1500, 1500, 1500])).toBe('grows');
    expect(result([1000, 1000, 1000], [1490, 1490, 1490])).not.toBe('grows');
  });

  test('where chance has less than 1 % of it: by t with the pooled variance', () => {
    // Logarithms 0 and ln 2 apart, each side spread by d: pooled d^2, error d * sqrt(2 / 3), four degrees of freedom. p is
    // below 1 % from t = 4.604 on: d = ln 2 / (4.604 * 0.8165) = 0.1844.
    const spread = (d: number) => {
      const around = (ms: number) => [ms * Math.exp(-d), ms, ms * Math.exp(d)];
      return result(around(1000), around(2000));
    };
    expect([spread(0.184), spread(0.185)]).toEqual(['grows', 'open']);
  });

  test('and by ranks, where there are five of each', () => {
    // Two replicas: the medians differ, but the ranks overlap.
    const short = [1000, 1000, 1000, 1000, 2010];
    const long = [2000, 2000, 2000, 2000, 990];
    expect(result(short, long)).toBe('open');
    expect(result([1000, 1001, 1002, 1003, 1004], [2000, 2001, 2002, 2003, 2004])).toBe('grows');
  });

  test('not by the time that a lump takes to be full', () => {
    const lumps = { lumps: 3, chunks: 12, withinLumpMs: 0.5, lumpGapMs: 500 };
    expect(result([1000, 1000, 1000], [1600, 1600, 1600], lumps)).not.toBe('grows');
    expect(result([1000, 1000, 1000], [2100, 2100, 2100], lumps)).toBe('grows');
    for (const changes of [{ lumps: 1 }, { chunks: 11 }, { withinLumpMs: 1 }]) {
      expect(result([1000, 1000, 1000], [1600, 1600, 1600], { ...lumps, ...changes })).toBe('grows');
    }
  });
});

describe('the wait is the same', () => {
  test('below a ratio of 1.25', () => {
    expect(result([1000, 1000, 1000], [1240, 1240, 1240])).toBe('same');
    expect(result([1000, 1000, 1000], [1260, 1260, 1260])).toBe('open');
  });

  test('where twice as long is out of the question', () => {
    // With d on either side the upper limit is 3.747 * d * sqrt(2 / 3): ln 2 at d = 0.2266.
    const spread = (d: number) => {
      const around = [1000 * Math.exp(-d), 1000, 1000 * Math.exp(d)];
      return result(around, around);
    };
    expect([spread(0.226), spread(0.227)]).toEqual(['same', 'open']);
  });

  test('only where an answer that is made at 5 ms a token would have shown', () => {
    // 240 tokens more are 1200 ms, a quarter of 4800 ms.
    expect(result([4800, 4800, 4800], [4800, 4800, 4800])).toBe('same');
    expect(result([4801, 4801, 4801], [4801, 4801, 4801])).toBe('weak');
  });
});

describe('over prompts', () => {
  const SAME = [400, 400, 400];
  const LATE = [2000, 2000, 2000];
  const pooled = (shortInput: number | null, longInput: number | null, waits = LATE) =>
    pooledLengthTest([
      group(256, waits, { inputTokens: longInput }),
      group(16, SAME, { inputTokens: shortInput }),
    ])?.result;

  test('inputs are alike within a half, or 200 tokens', () => {
    expect([pooled(1000, 1500), pooled(1000, 1501)]).toEqual(['grows', 'open']);
    expect([pooled(20, 220), pooled(20, 221)]).toEqual(['grows', 'open']);
    expect(pooled(1501, 1000)).toBe('open');
  });

  test('a longer input that does not make the wait longer clears as well', () => {
    expect([pooled(20, 4000, SAME), pooled(4000, 20, SAME), pooled(20, 20, SAME)]).toEqual([
      ...['same', 'open', 'same'],
    ]);
  });

  test('needs two prompts, and their inputs', () => {
    expect([pooled(null, 20), pooled(20, null)]).toEqual([undefined, undefined]);
    expect(pooledLengthTest([group(16, SAME, { inputTokens: 20 })])).toBeUndefined();
    expect(pooledLengthTest([])).toBeUndefined();
    // A prompt with two answers is not counted.
    const few = group(16, [400, 400], { inputTokens: 20 });
    expect(pooledLengthTest([group(256, LATE, { inputTokens: 20 }), few])).toBeUndefined();
  });

  test('takes the shortest and the longest answers', () => {
    const prompts = [
      group(100, [800, 800, 800], { inputTokens: 20 }),
      group(256, LATE, { inputTokens: 20 }),
      group(16, SAME, { inputTokens: 20 }),
    ];
    expect(pooledLengthTest(prompts)).toMatchObject({
      short: { tokens: 16 },
      long: { tokens: 256 },
      ratio: 5,
    });
  });
});
