import { describe, expect, test } from 'vitest';
import { parseChecks } from '../../../src/analysis/regression/checks.ts';
import {
  adjust,
  drawSmallest,
  type FamilyMember,
  levelsOf,
  weightsOf,
} from '../../../src/analysis/regression/family.ts';

const RUNS = 40;
/** A check whose history is uncorrelated with that of every other one of these: one cosine each. */
const member = (index: number, weight = 1): FamilyMember => ({
  weight,
  prediction: {
    scores: Array.from(
      { length: RUNS },
      (_, run) => Math.sqrt(2) * Math.cos((Math.PI * (index + 1) * (run + 0.5)) / RUNS),
    ),
    degreesOfFreedom: RUNS - 1,
    assumed: false,
    common: 0,
  },
});
const adjusted = (family: readonly FamilyMember[], p: number) => {
  const smallest = drawSmallest(family, { seed: 1, draws: 20_000 });
  const all = family.map(() => p);
  return adjust(family, all, smallest)[0]!;
};

describe('the p-value in a family', () => {
  test('of one check is its own', () => {
    expect(adjusted([member(0)], 0.05)).toBeCloseTo(0.05, 2);
  });

  test('of five independent checks is that of the smallest of five', () => {
    const family = [0, 1, 2, 3, 4].map((index) => member(index));
    expect(adjusted(family, 0.01)).toBeCloseTo(1 - 0.99 ** 5, 2);
  });

  test('of five checks that vary together is little more than that of one', () => {
    const family = [0, 0, 0, 0, 0].map((index) => member(index));
    expect(adjusted(family, 0.05)).toBeLessThan(0.12);
    expect(adjusted(family, 0.05)).toBeGreaterThan(0.05);
  });

  test('where the spread is assumed, varies with what checks have in common', () => {
    const assumed = (common: number): FamilyMember[] =>
      Array.from({ length: 5 }, () => ({
        weight: 1,
        prediction: { scores: [], degreesOfFreedom: Number.POSITIVE_INFINITY, assumed: true, common },
      }));
    expect(adjusted(assumed(0), 0.01)).toBeCloseTo(1 - 0.99 ** 5, 2);
    expect(adjusted(assumed(1), 0.01)).toBeCloseTo(0.01, 2);
  });
});

test('a check with more weight is tested at a higher level, and together they keep the level', () => {
  const family = [member(0, 0.5), member(1, 0.25), member(2, 0.25)];
  const levels = levelsOf(family, drawSmallest(family, { seed: 1, draws: 20_000 }), 0.05);
  expect(levels[0]! / levels[1]!).toBeCloseTo(2, 5);
  const together = 1 - levels.reduce((product, level) => product * (1 - level), 1);
  expect(together).toBeCloseTo(0.05, 2);
});

describe('the weights of checks', () => {
  const weights = (...figures: string[]) => weightsOf(parseChecks(figures));

  test('the first one has half of the level', () => {
    expect(weights('ttft.p95', 'ttft.mean', 'total.p50')).toEqual([0.5, 0.25, 0.25]);
    expect(weights('errors.rate', 'goodput')).toEqual([0.5, 0.5]);
  });

  test('the median and the mean of the first metric have most of it together, in any order', () => {
    expect(weights('ttft.p50', 'total.p50', 'ttft.mean')).toEqual([0.35, expect.closeTo(0.15, 9), 0.5]);
    expect(weights('ttft.mean', 'ttft.p50')).toEqual([0.5, 0.35]);
  });
});
