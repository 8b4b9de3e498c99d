import { describe, expect, test } from 'vitest';
import {
  judgeInterval,
  moreRequests,
  toleranceOf,
} from '../../../src/analysis/comparison/regression-rule.ts';
import type { RatioEstimate } from '../../../src/analysis/statistics/bootstrap.ts';

const GATE = { metric: 'ttft', statistic: 'p50' };

/** An estimate with these bounds. Its p-values are the limits that were asked for, with a sign. */
function estimate(base: number, next: number, low: number, high: number): RatioEstimate {
  return {
    ...{ base, next, ratio: next / base, low, high },
    ...{ level: 0.9, drawn: 'rounds', resamples: 1000, seed: 1 },
    pAbove: (limit) => limit,
    pBelow: (limit) => -limit,
  };
}

test('the tolerance is 10 % for medians and means, 15 % for other percentiles, or what the gate says', () => {
  const of = (statistic: string, tolerance?: number) => toleranceOf({ metric: 'ttft', statistic, tolerance });
  expect([of('p50'), of('mean'), of('p95'), of('p99.9'), of('p50', 0.3), of('p95', 0)]).toEqual([
    ...[0.1, 0.1, 0.15, 0.15, 0.3, 0],
  ]);
});

describe('what is better when lower', () => {
  const verdict = (base: number, next: number, low: number, high: number, unit: 'ms' | 'count' = 'ms') =>
    judgeInterval(estimate(base, next, low, high), GATE, unit, 'lower').verdict;

  test('is a regression where the whole interval lies above the tolerance', () => {
    expect(verdict(100, 130, 1.101, 1.5)).toBe('regression');
    expect(verdict(100, 130, 1.1, 1.5)).toBe('inconclusive');
    expect(verdict(100, 130, 0.9, 1.5)).toBe('inconclusive');
  });

  test('is an improvement where it lies below the inverse', () => {
    expect(verdict(100, 70, 0.6, 0.909)).toBe('improvement');
    expect(verdict(100, 70, 0.6, 1 / 1.1)).toBe('inconclusive');
    expect(verdict(100, 90, 0.8, 0.95)).toBe('inconclusive');
  });

  test('is equivalent where it lies between the two', () => {
    expect(verdict(100, 101, 0.91, 1.099)).toBe('equivalent');
    expect(verdict(100, 101, 0.9, 1.05)).toBe('inconclusive');
    expect(verdict(100, 101, 0.95, 1.1)).toBe('inconclusive');
  });

  test('is no change in times below the floor of 5 ms', () => {
    expect(verdict(10, 15, 1.2, 1.8)).toBe('inconclusive');
    expect(verdict(10, 15.1, 1.2, 1.8)).toBe('regression');
    expect(verdict(10, 5, 0.4, 0.6)).toBe('inconclusive');
    expect(verdict(10, 4.9, 0.4, 0.6)).toBe('improvement');
    // 5 of 10 ms: from half to one and a half.
    expect(verdict(10, 12, 0.51, 1.49)).toBe('equivalent');
    expect(verdict(10, 12, 0.49, 1.49)).toBe('inconclusive');
    // Of a base of 0 ms there is no share to allow.
    expect(verdict(0, 3, 1, 5)).toBe('inconclusive');
    const strict = judgeInterval(estimate(10, 15, 1.2, 1.8), { ...GATE, floorMs: 1 }, 'ms', 'lower');
    expect(strict.verdict).toBe('regression');
  });

  test('has a floor for times only', () => {
    expect(verdict(1, 2, 1.5, 2.5, 'count')).toBe('regression');
  });

  test('has the p-values of its two limits', () => {
    const { pWorse, pBetter, worse } = judgeInterval(estimate(100, 130, 1.2, 1.4), GATE, 'ms', 'lower');
    expect([pWorse, pBetter]).toEqual([1.1, -1 / 1.1]);
    expect(worse).toEqual({ factor: 1.3, low: 1.2, high: 1.4 });
  });
});

test('what is better when higher is judged by the inverse, without a floor', () => {
  const judged = judgeInterval(estimate(4, 3.2, 0.5, 0.8), GATE, '1/s', 'higher');
  expect(judged).toMatchObject({ verdict: 'regression', tolerance: 0.1 });
  expect(judged.worse).toEqual({ factor: 1.25, low: 1.25, high: 2 });
  expect([judged.pWorse, judged.pBetter]).toEqual([-1 / 1.1, 1.1]);
  expect(judgeInterval(estimate(4, 5, 1.2, 1.4), GATE, '1/s', 'higher').verdict).toBe('improvement');
  expect(judgeInterval(estimate(4, 4, 0.95, 1.05), GATE, '1/s', 'higher').verdict).toBe('equivalent');
});

test('without data nothing is decided', () => {
  expect(judgeInterval(null, GATE, 'ms', 'lower')).toEqual({
    ...{ estimate: null, verdict: 'inconclusive', tolerance: 0.1, pWorse: 1, pBetter: 1 },
    worse: { factor: Number.NaN, low: 0, high: Number.POSITIVE_INFINITY },
  });
});

describe('how many more requests would decide', () => {
  const sides = (base: number, next: number) => ({ base: { n: base }, next: { n: next } });
  const open = (low: number, high: number, next = 100) =>
    judgeInterval(estimate(100, next, low, high), GATE, 'ms', 'lower');

  test('as many as are missing, where there are too few', () => {
    expect(moreRequests(open(0.8, 1.2), sides(15, 12), 20)).toBe(8);
    expect(moreRequests(judgeInterval(null, GATE, 'ms', 'lower'), sides(15, 12), 20)).toBe(8);
    expect(moreRequests(judgeInterval(null, GATE, 'ms', 'lower'), sides(20, 20), 20)).toBeNull();
  });

  test('by the root of their number', () => {
    // (ln 1.2 / ln 1.1)^2 = 3.66 times as many: 532 more than 200, in steps of 10.
    expect(moreRequests(open(1 / 1.2, 1.2), sides(300, 200), 20)).toBe(540);
    // 53.2 more than 20, in steps of 1.
    expect(moreRequests(open(1 / 1.2, 1.2), sides(20, 20), 20)).toBe(54);
    // Half as wide: 1.83^2 / 4 is below 1, and no more are needed.
    expect(moreRequests(open(1 / 1.09, 1.09), sides(200, 200), 20)).toBeNull();
  });

  test('is not said where the figure lies at the limit, or has no bounds', () => {
    expect(moreRequests(open(0.9, 1.3, 109.9), sides(200, 200), 20)).toBeNull();
    expect(moreRequests(open(0, Number.POSITIVE_INFINITY), sides(200, 200), 20)).toBeNull();
  });
});
