import { describe, expect, test } from 'vitest';
import { changeInterval, predict, smallestDetectable } from '../../../src/analysis/regression/prediction.ts';

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
