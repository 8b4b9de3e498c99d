import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDistribution, tidy } from '../../src/metrics/distribution.ts';
import { decodeHistogram } from '../../src/metrics/histogram.ts';
import { percentileOf, rankOf } from '../../src/metrics/percentile.ts';

function summaryOf(values: readonly number[], limit?: number) {
  const distribution = createDistribution('ms', limit);
  for (const value of values) distribution.add(value);
  return distribution.summary();
}

describe('percentiles', () => {
  // The definition, word for word: the smallest value that at least a share q of all values does not exceed.
  function bruteForce(values: readonly number[], percent: number): number {
    return [...values]
      .sort((a, b) => a - b)
      .find((value) => 100 * values.filter((other) => other <= value).length >= percent * values.length)!;
  }

  test('equal the definition, on any values', () => {
    const list = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const sorted = [...values].sort((a, b) => a - b);
        expect(percentileOf(sorted, percent / 100)).toBe(bruteForce(values, percent));
      }),
    );
  });

  test('binary noise does not shift the rank', () => {
    for (let percent = 1; percent <= 100; percent++) expect(rankOf(percent / 100, 100)).toBe(percent);
  });

  test('there is no percentile of no values', () => {
    expect(() => percentileOf([], 0.5)).toThrow(RangeError);
  });
});

describe('summary', () => {
  test('an empty distribution is null, never 0', () => {
    expect(summaryOf([])).toBeNull();
    expect(summaryOf([Number.NaN, -1, Number.POSITIVE_INFINITY])).toBeNull();
  });

  test('of few values', () => {
    const { histogram, ...rest } = summaryOf([30, 10, 20, 40])!;
    expect(rest).toEqual({
      unit: 'ms',
      n: 4,
      min: 10,
      mean: 25,
      sd: 12.909944,
      p50: 20,
      p90: 40,
      p95: 40,
      p99: 40,
      max: 40,
      samples: [30, 10, 20, 40],
    });
    expect(decodeHistogram(histogram, 'ms').n).toBe(4);
    expect(summaryOf([5])).toMatchObject({ n: 1, sd: 0, p50: 5, p99: 5 });
  });

  test('zeros are values', () => {
    expect(summaryOf([0, 0])).toMatchObject({ n: 2, min: 0, max: 0, p50: 0, mean: 0 });
  });

  test('figures are free of binary noise', () => {
    expect(summaryOf([0.1 + 0.2, 1010.123 - 1000])).toMatchObject({ samples: [0.3, 10.123], min: 0.3 });
  });

  test('the deviation of a steady stream far from zero keeps its digits', () => {
    const { sd } = summaryOf(Array.from({ length: 10_000 }, (_, i) => 3_000_000 + (i % 2) * 0.002))!;
    expect(sd).toBeCloseTo(0.001, 5);
  });

  test('above the limit, a histogram replaces the samples', () => {
    const values = Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1000) + 0.5);
    const [exact, bucketed] = [summaryOf(values)!, summaryOf(values, 999)!];
    expect(summaryOf(values, 1000)!.samples).toHaveLength(1000);
    expect(bucketed.samples).toBeUndefined();
    expect(bucketed).toMatchObject({
      n: 1000,
      min: exact.min,
      max: exact.max,
      mean: exact.mean,
      sd: exact.sd,
    });
    expect(bucketed.histogram).toBe(exact.histogram);
    for (const name of ['p50', 'p90', 'p95', 'p99'] as const) {
      expect(Math.abs(bucketed[name] / exact[name] - 1)).toBeLessThan(0.001);
    }
  });

  test('the histogram keeps every value after the limit, and the ranks among them', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    const { p50, p90, p99, ...rest } = summaryOf(values, 10)!;
    expect(rest).toMatchObject({ n: 100, min: 1, max: 100 });
    // Buckets are 0.1 % wide.
    expect([p50 / 50, p90 / 90, p99 / 99].every((share) => Math.abs(share - 1) < 0.001)).toBe(true);
    expect(decodeHistogram(summaryOf(values, 10)!.histogram, 'ms').n).toBe(100);
  });

  test('add returns whether a value was counted, before and after the limit', () => {
    const distribution = createDistribution('ms', 1);
    expect([5, Number.NaN, 6, -1, 7].map((value) => distribution.add(value))).toEqual([
      ...[true, false, true, false, true],
    ]);
    expect(distribution.n).toBe(3);
  });

  test('large values keep their digits: six decimals more are beyond what a number holds', () => {
    expect(tidy(999_999_999.1234567)).toBe(999_999_999.123457);
    expect(tidy(1e9 + 1 / 3)).toBe(1e9 + 1 / 3);
    expect(tidy(1e300)).toBe(1e300);
    expect(tidy(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  test('a summary can be taken at any time', () => {
    const distribution = createDistribution('ms');
    distribution.add(1);
    const before = distribution.summary();
    distribution.add(2);
    expect(before).toMatchObject({ n: 1, samples: [1] });
    expect(distribution.summary()).toMatchObject({ n: 2 });
  });
});
