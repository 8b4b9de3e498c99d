import { describe, expect, test } from 'vitest';
import {
  changeInterval,
  predict,
  smallestDetectable,
  toleranceLimits,
} from '../../../src/analysis/regression/prediction.ts';

const series = (history: number[], next: number, sampling = { history: 0, next: 0 }) => ({
  weight: 1,
  history,
  next,
  sampling,
  assumedSpread: 0.05,
});

describe('predict', () => {
  test('five runs: the t interval for one more run, computed by hand', () => {
    // mean 3, s = sqrt(2.5), s * sqrt(1 + 1/5) = sqrt(3); t = 3 / sqrt(3) = 1.732, P(T4 > 1.732) = 0.0792
    const prediction = predict(series([1, 2, 3, 4, 5], 6));
    expect(prediction.center).toBe(3);
    expect(prediction.sd).toBeCloseTo(Math.sqrt(3), 12);
    expect(prediction.degreesOfFreedom).toBe(4);
    expect(prediction.pWorse).toBeCloseTo(0.0792, 4);
    // t(4, 0.95) = 2.1318
    const [low, high] = changeInterval(prediction, 0.9);
    expect(low).toBeCloseTo(3 - 2.1318 * Math.sqrt(3), 3);
    expect(high).toBeCloseTo(3 + 2.1318 * Math.sqrt(3), 3);
  });

  test('fewer than five runs: the assumed spread, on both sides of the difference', () => {
    const prediction = predict(series([0], 0.1));
    expect(prediction.assumed).toBe(true);
    expect(prediction.sd).toBeCloseTo(0.05 * Math.SQRT2, 12);
    // z = 0.1 / 0.0707 = 1.414
    expect(prediction.pWorse).toBeCloseTo(0.0786, 4);
  });

  test('a history that is calmer than sampling allows is not believed', () => {
    const prediction = predict(series([1, 1, 1, 1, 1], 1.1, { history: 0.01, next: 0.01 }));
    expect(prediction.sd).toBeCloseTo(0.1 * Math.sqrt(1.2), 12);
  });

  test('a new run with fewer requests than the history is given more room', () => {
    const prediction = predict(series([1, 1, 1, 1, 1], 1.1, { history: 0.01, next: 0.04 }));
    expect(prediction.sd).toBeCloseTo(Math.sqrt(0.01 * 1.2 + 0.03), 12);
  });

  /** Ten runs around 0 whose sample standard deviation is `sd`. */
  const tenRuns = (sd: number) =>
    Array.from({ length: 10 }, (_, run) => (run % 2 === 0 ? sd : -sd) * Math.sqrt(0.9));

  test('ten runs that differ as assumed: both spreads together, by hand', () => {
    // P(chi-square of 9 > 9) = 0.437: the assumed spread counts as 0.874 * 2/3 * 9 = 5 runs, and t(14) = 1.7613 replaces t(9) = 1.8331.
    const { sd } = predict(series(tenRuns(0.05), 0.1));
    expect(sd).toBeCloseTo(0.05 * (1.7613 / 1.8331) * Math.sqrt(1.1), 5);
  });

  test.each([0.012, 0.12])('ten runs that differ by %d, not by 0.05 as assumed: as measured', (spread) => {
    expect(predict(series(tenRuns(spread), 0.1)).sd).toBeCloseTo(spread * Math.sqrt(1.1), 12);
  });

  test('a share has no assumed spread: as measured', () => {
    const { sd } = predict({ ...series(tenRuns(0.05), 0.1), assumedSpread: 0 });
    expect(sd).toBeCloseTo(0.05 * Math.sqrt(1.1), 12);
  });

  test('the mean of two new runs varies less', () => {
    const two = predict({ ...series([1, 2, 3, 4, 5], 6), nextRuns: 2 });
    expect(two.sd).toBeCloseTo(Math.sqrt(2.5 * (1 / 2 + 1 / 5)), 12);
  });

  test('no spread at all: any change is certain, and none is none', () => {
    expect(predict(series([1, 1, 1, 1, 1], 2)).pWorse).toBe(0);
    expect(predict(series([1, 1, 1, 1, 1], 1)).pWorse).toBe(0.5);
  });

  test('without an accepted run there is no prediction', () => {
    expect(() => predict(series([], 1))).toThrow(RangeError);
  });
});

test('the smallest detectable change: what is significant, plus what luck may take away', () => {
  // normal: (1.645 + 0.842) * 0.1
  const wide = { sd: 0.1, degreesOfFreedom: Number.POSITIVE_INFINITY };
  expect(smallestDetectable(wide, { alpha: 0.05, tolerance: 0.01 })).toBeCloseTo(0.2486, 3);
  // The tolerance is the higher bar of a calm figure.
  const calm = { sd: 0.01, degreesOfFreedom: Number.POSITIVE_INFINITY };
  expect(smallestDetectable(calm, { alpha: 0.05, tolerance: 0.1 })).toBeCloseTo(0.1084, 3);
});

describe('the tolerance limits false alarms', () => {
  const limits = (spread: number, runs = 10) => {
    const history = Array.from({ length: runs }, (_, run) => (run % 2 === 0 ? spread : -spread));
    return toleranceLimits(series(history, 0), Math.log(1.1));
  };

  test('where runs differ little against it', () => {
    expect(limits(0.02)).toBe(1);
    expect(limits(0.15)).toBeLessThan(0.01);
  });

  test('as far as there are enough runs to show it', () => {
    expect(limits(0.02, 5)).toBe(0);
    expect(limits(0.02, 8)).toBeCloseTo(0.6, 12);
  });
});
