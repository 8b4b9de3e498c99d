import { describe, expect, test } from 'vitest';
import { drawGroups, drawRequests } from '../../../src/analysis/statistics/resample.ts';
import { groupedSample } from '../../../src/analysis/statistics/weighted-sample.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

const DRAWS = 20_000;
const P50 = { quantile: 0.5 };

function share(draws: Float64Array, is: (value: number) => boolean): number {
  return draws.filter(is).length / draws.length;
}

function moments(draws: Float64Array) {
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const sd = Math.sqrt(draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length);
  return { mean, sd };
}

describe('single values drawn again', () => {
  test('have the percentile of a resample as often as the binomial distribution says', () => {
    const draws = drawRequests(
      groupedSample([
        [5, 1, 3],
        [2, 4],
      ]),
      P50,
      DRAWS,
      createRandom(1),
    );
    // The median of five draws is at most j where at least three of them are: of each, j / 5 are.
    for (const [j, expected] of [
      [1, 0.05792],
      [2, 0.31744],
      [3, 0.68256],
      [4, 0.94208],
    ] as const) {
      expect(Math.abs(share(draws, (value) => value <= j) - expected)).toBeLessThan(0.012);
    }
  });

  test('have the extremes as often as these are drawn', () => {
    const sample = groupedSample([[1, 2, 3, 4]]);
    const draws = drawRequests(sample, { quantile: 0.99 }, DRAWS, createRandom(2));
    // The largest is among four draws: 1 - (3 / 4)^4.
    expect(Math.abs(share(draws, (value) => value === 4) - 0.6836)).toBeLessThan(0.012);
  });

  test('have a mean that is off by the standard error', () => {
    const sample = groupedSample([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ]);
    const { mean, sd } = moments(drawRequests(sample, 'mean', DRAWS, createRandom(3)));
    expect(Math.abs(mean - 4.5)).toBeLessThan(0.03);
    // The root of 8.25 / 10.
    expect(Math.abs(sd - 0.9083)).toBeLessThan(0.02);
  });

  test('have no negative mean, and an infinite one where a value is', () => {
    const skewed = drawRequests(groupedSample([[0, 0, 0, 10]]), 'mean', 1000, createRandom(4));
    expect(Math.min(...skewed)).toBe(0);
    expect(Math.max(...skewed)).toBeGreaterThan(5);
    const infinite = groupedSample([[1, Number.POSITIVE_INFINITY]]);
    expect([...drawRequests(infinite, 'mean', 2, createRandom(5))]).toEqual([
      ...[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]);
  });
});

test('whole groups drawn again: each as often as any other', () => {
  for (const groups of [3, 9]) {
    const sample = groupedSample(Array.from({ length: groups }, (_, g) => [g, g]));
    const draws = drawGroups(sample, 'mean', DRAWS, createRandom(6));
    const { mean, sd } = moments(draws);
    const variance = (groups ** 2 - 1) / 12 / groups;
    expect(Math.abs(mean - (groups - 1) / 2)).toBeLessThan(0.03);
    expect(Math.abs(sd - Math.sqrt(variance))).toBeLessThan(0.02);
    // All draws of one group: one in groups^(groups - 1).
    if (groups === 3) expect(Math.abs(share(draws, (value) => value === 0) - 1 / 27)).toBeLessThan(0.006);
  }
  expect([...drawGroups(groupedSample([]), 'mean', 2, createRandom(7))]).toEqual([0, 0]);
});
