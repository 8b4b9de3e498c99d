import { describe, expect, it } from 'vitest';
import {
  fingerprint,
  hashText,
  keyedRandom,
  type RandomQuantity,
  sample,
} from '../../src/model/keyed-random.ts';

function draws(distribution: RandomQuantity, count = 20_000): number[] {
  const random = keyedRandom('draws');
  return Array.from({ length: count }, () => sample(distribution, random));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('keyedRandom', () => {
  it('gives the same numbers for the same key, whatever else is drawn', () => {
    const first = keyedRandom('a');
    const numbers = [first(), first(), first()];
    const second = keyedRandom('a');
    const other = keyedRandom('b');
    other();
    expect([second(), other() && second(), second()]).toEqual(numbers);
  });

  it('stays in [0, 1) and fills it evenly', () => {
    const random = keyedRandom('even');
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 50_000; i++) bins[Math.floor(random() * 10)]! += 1;
    expect(bins).toHaveLength(10);
    for (const bin of bins) expect(Math.abs(bin - 5_000)).toBeLessThan(400);
  });

  it('starts near keys far apart', () => {
    const starts = Array.from({ length: 1_000 }, (_, i) => keyedRandom(`key ${i}`)());
    expect(mean(starts)).toBeCloseTo(0.5, 1);
    expect(new Set(starts).size).toBe(1_000);
  });
});

describe('hashes', () => {
  it('distinguish texts and bases', () => {
    expect(hashText('abc')).not.toBe(hashText('abd'));
    expect(hashText('abc', 1)).not.toBe(hashText('abc', 2));
    expect(fingerprint('机器学习')).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(Array.from({ length: 20_000 }, (_, i) => fingerprint(`prompt ${i}`))).size).toBe(20_000);
  });
});

describe('sample', () => {
  it.each([
    { shape: 'constant', mean: 20, sd: 0 },
    { shape: 'normal', mean: 200, sd: 20 },
    { shape: 'lognormal', mean: 200, sd: 60 },
    { shape: 'exponential', mean: 50, sd: 50 },
  ] as const)('has the mean and the deviation it was asked for: $shape', (distribution) => {
    const values = draws(distribution);
    const average = mean(values);
    const sd = Math.sqrt(mean(values.map((value) => (value - average) ** 2)));
    expect(Math.abs(average / distribution.mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(sd - distribution.sd)).toBeLessThan(0.06 * distribution.mean);
  });

  it('keeps to its bounds and is never below 0', () => {
    for (const value of draws({ shape: 'normal', mean: 10, sd: 10, min: 5, max: 12 })) {
      expect(value).toBeGreaterThanOrEqual(5);
      expect(value).toBeLessThanOrEqual(12);
    }
    expect(Math.min(...draws({ shape: 'normal', mean: 1, sd: 10 }))).toBe(0);
  });

  it('takes a mean of 0', () => {
    for (const shape of ['constant', 'normal', 'lognormal', 'exponential'] as const) {
      expect(sample({ shape, mean: 0, sd: 0 }, keyedRandom('zero'))).toBeCloseTo(0);
    }
  });
});
