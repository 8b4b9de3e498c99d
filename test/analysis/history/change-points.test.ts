import { describe, expect, test } from 'vitest';
import { findChangePoints } from '../../../src/analysis/history/change-points.ts';
import { drawHistory, type Scatter, trialRandom, tTestChangePoints, type World } from './simulation.ts';

const TRIALS = 400;
// 5 % of 400 trials is 20 ± 4.4: this is the bound that a right level exceeds once in a thousand seeds.
const MOST_FALSE = 34;

const indexes = (values: readonly (number | null)[], seed = 1) =>
  findChangePoints([values], { seed })[0]!.map(({ index }) => index);

/** How many runs after the change it is found, within three runs of its place; Infinity where it is not in 20. */
function delayOf(world: World & { change: { at: number; factor: number } }, seed: number): number {
  const values = drawHistory(world, trialRandom(seed));
  for (let after = 2; after <= 20; after++) {
    const found = indexes(values.slice(0, world.change.at + after), seed);
    if (found.some((index) => Math.abs(index - world.change.at) <= 3)) return after;
  }
  return Number.POSITIVE_INFINITY;
}

function quantileOf(values: readonly number[], quantile: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(quantile * values.length) - 1]!;
}

describe('change points of one series', () => {
  test('a step is found at its first run, with a p-value', () => {
    const values = [...Array(10).fill(100), ...Array(10).fill(120)].map((value, i) => value + (i % 3));
    expect(findChangePoints([values], { seed: 1 })).toEqual([[{ index: 10, pValue: 0.001 }]]);
  });

  test('several steps are found, in the order of the runs', () => {
    const values = [100, 130, 90].flatMap((level) => Array.from({ length: 12 }, (_, i) => level + (i % 4)));
    expect(indexes(values)).toEqual([12, 24]);
  });

  test('a run without a value keeps its place and is no change', () => {
    const values = Array.from({ length: 24 }, (_, i) => (i < 12 ? 100 : 130) + (i % 3));
    const gaps = values.map((value, i) => ([0, 5, 12, 20].includes(i) ? null : value));
    // Run 12 has no value: the first run that is seen at the new level is 13.
    expect(indexes(gaps)).toEqual([13]);
  });

  test('one or two outliers are no change point', () => {
    const values = Array.from({ length: 30 }, (_, i) => 100 + (i % 4));
    values[10] = 300;
    expect(indexes(values)).toEqual([]);
    values[11] = 300;
    expect(indexes(values)).toEqual([]);
  });

  test.each([
    [[]],
    [[1]],
    [[1, 2, 3, 4, 5]],
    [Array(30).fill(7)],
    [Array(30).fill(null)],
    [Array(30).fill(0)],
  ])('no change points without enough different values: %j', (values) => {
    expect(indexes(values)).toEqual([]);
  });

  test('the same seed gives the same result', () => {
    const values = drawHistory(
      { runs: 60, drift: 0.05, scatter: 'normal', change: { at: 30, factor: 1.06 } },
      trialRandom(3),
    );
    expect(findChangePoints([values], { seed: 7 })).toEqual(findChangePoints([values], { seed: 7 }));
  });
});

describe('simulated histories', () => {
  test.each<Scatter>(['normal', 'heavy-tailed'])(
    '%s spread: at most 1 in 20 steady histories of 30 runs shows a change point',
    (scatter) => {
      const alarms = Array.from({ length: TRIALS }, (_, seed) =>
        indexes(drawHistory({ runs: 30, drift: 0.05, scatter }, trialRandom(seed)), seed),
      ).filter((found) => found.length > 0);
      expect(alarms.length).toBeLessThanOrEqual(MOST_FALSE);
    },
  );

  test('at most 5 % of steady histories of 100 runs show one', () => {
    const alarms = Array.from({ length: TRIALS }, (_, seed) =>
      indexes(drawHistory({ runs: 100, drift: 0.05, scatter: 'normal' }, trialRandom(seed)), seed),
    ).filter((found) => found.length > 0);
    expect(alarms.length).toBeLessThanOrEqual(MOST_FALSE);
  });

  test('seven figures together raise no more false alarms than one', () => {
    const alarms = Array.from({ length: TRIALS }, (_, seed) => {
      const random = trialRandom(seed);
      // The figures of a run share half of their variance.
      const shared = drawHistory({ runs: 30, drift: 0.035, scatter: 'normal' }, random);
      const series = Array.from({ length: 7 }, () =>
        drawHistory({ runs: 30, drift: 0.035, scatter: 'normal' }, random).map(
          (value, i) => value + shared[i]!,
        ),
      );
      return findChangePoints(series, { seed }).flat();
    }).filter((found) => found.length > 0);
    expect(alarms.length).toBeLessThanOrEqual(MOST_FALSE);
  });

  test('+10 % is found in 3 runs at 2 % drift, and in 10 runs at 5 %', () => {
    const change = { at: 20, factor: 1.1 };
    const calm = Array.from({ length: 50 }, (_, seed) =>
      delayOf({ runs: 40, drift: 0.02, scatter: 'normal', change }, seed),
    );
    expect(quantileOf(calm, 0.9)).toBeLessThanOrEqual(3);
    const rough = Array.from({ length: 50 }, (_, seed) =>
      delayOf({ runs: 40, drift: 0.05, scatter: 'normal', change }, seed),
    );
    expect(quantileOf(rough, 0.5)).toBeLessThanOrEqual(5);
    expect(quantileOf(rough, 0.85)).toBeLessThanOrEqual(10);
  });

  test('a change is found as often as by the t-test of Apache Otava, or more often', () => {
    const found = (search: (values: number[], seed: number) => number[]) =>
      Array.from({ length: 100 }, (_, seed) => {
        const world: World = { runs: 25, drift: 0.05, scatter: 'normal', change: { at: 20, factor: 1.1 } };
        return search(drawHistory(world, trialRandom(seed)), seed);
      }).filter((points) => points.some((index) => Math.abs(index - 20) <= 3)).length;
    expect(found(indexes)).toBeGreaterThanOrEqual(found((values) => tTestChangePoints(values)));
  });
});
