import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDistribution } from '../../src/metrics/distribution.ts';
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

  test('of nothing there is none', () => {
    expect(() => percentileOf([], 0.5)).toThrow(RangeError);
  });
});

describe('summary', () => {
  test('nothing is null, never 0', () => {
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

  test('above the limit samples give way to the histogram', () => {
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

  test('may be asked for in between', () => {
    const distribution = createDistribution('ms');
    distribution.add(1);
    const before = distribution.summary();
    distribution.add(2);
    expect(before).toMatchObject({ n: 1, samples: [1] });
    expect(distribution.summary()).toMatchObject({ n: 2 });
  });
});
