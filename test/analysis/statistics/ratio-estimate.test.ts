import { describe, expect, test } from 'vitest';
import { normalCdf, normalQuantile, studentCdf } from '../../../src/analysis/statistics/distributions.ts';
import { estimateRatio, logRatio, widening } from '../../../src/analysis/statistics/ratio-estimate.ts';

describe('what few clusters hide', () => {
  test('one side: a factor of k / (k - 1) on the variance, and k - 1 degrees of freedom', () => {
    const { factor, degreesOfFreedom } = widening([{ variance: 2, clusters: 5 }]);
    expect(factor).toBeCloseTo(Math.sqrt(5 / 4), 12);
    expect(degreesOfFreedom).toBeCloseTo(4, 12);
  });

  test("two sides: Welch's degrees of freedom", () => {
    const { factor, degreesOfFreedom } = widening([
      { variance: 1, clusters: 5 },
      { variance: 3, clusters: 4 },
    ]);
    // Inflated to 1.25 and 4.
    expect(factor).toBeCloseTo(Math.sqrt(5.25 / 4), 12);
    expect(degreesOfFreedom).toBeCloseTo(5.25 ** 2 / (1.25 ** 2 / 4 + 4 ** 2 / 3), 12);
  });

  test('infinitely many clusters hide nothing', () => {
    const many = { variance: 1, clusters: Number.POSITIVE_INFINITY };
    expect(widening([many])).toEqual({ factor: 1, degreesOfFreedom: Number.POSITIVE_INFINITY });
    expect(widening([{ ...many, variance: 0 }])).toEqual({
      factor: 1,
      degreesOfFreedom: Number.POSITIVE_INFINITY,
    });
  });

  test('without a variance, or with an infinite one, the side with the fewest clusters counts', () => {
    for (const variance of [0, Number.POSITIVE_INFINITY]) {
      expect(
        widening([
          { variance, clusters: 6 },
          { variance, clusters: 4 },
        ]),
      ).toEqual({ factor: Math.sqrt(4 / 3), degreesOfFreedom: 3 });
    }
  });
});

describe('from resamples to an interval', () => {
  // 999 logarithms from -0.499 to 0.499, the middle one 0. Those below 0 are twice as far apart.
  const LOGS = Float64Array.from({ length: 999 }, (_, i) => ((i < 499 ? 2 : 1) * (i - 499)) / 1000);
  const NONE = { factor: 1, degreesOfFreedom: Number.POSITIVE_INFINITY };
  const of = (logs: Float64Array, widened = NONE, level = 0.9) =>
    estimateRatio({
      ...{ base: 1, next: 1, log: 0, logs, drawn: 'rounds', seed: 1, level, widening: widened },
    });
  const logsOf = ({ low, high }: { low: number; high: number }) => [Math.log(low), Math.log(high)];
  const withUnknown = (count: number) => LOGS.map((log, i) => (i < count ? Number.NaN : log));

  test('its bounds are percentiles: 49 of 999 lie outside of either', () => {
    const [low, high] = logsOf(of(LOGS));
    expect(low).toBeCloseTo(LOGS[49]!, 12);
    expect(high).toBeCloseTo(LOGS[949]!, 12);
    // Wider by half: the normal quantile of 2.467 leaves 0.68 %.
    const [lower, higher] = logsOf(of(LOGS, { factor: 1.5, degreesOfFreedom: Number.POSITIVE_INFINITY }));
    expect(normalCdf(1.5 * normalQuantile(0.05)) * 999).toBeCloseTo(6.8, 1);
    expect(lower).toBeCloseTo(LOGS[6]!, 12);
    expect(higher).toBeCloseTo(LOGS[992]!, 12);
  });

  test('draws that may be anything count against either bound', () => {
    // The lowest 20 are unknown: rank 49 of all is rank 29 of the others.
    const [low, high] = logsOf(of(withUnknown(20)));
    expect(low).toBeCloseTo(LOGS[20 + 29]!, 12);
    expect(high).toBeCloseTo(LOGS[998 - 29]!, 12);
    const edge = logsOf(of(withUnknown(49)));
    expect(edge[0]).toBeCloseTo(LOGS[49]!, 12);
    expect(edge[1]).toBeCloseTo(LOGS[998]!, 12);
    expect(of(withUnknown(50))).toMatchObject({ low: 0, high: Number.POSITIVE_INFINITY });
    const nothing = of(withUnknown(999));
    expect(nothing).toMatchObject({ low: 0, high: Number.POSITIVE_INFINITY });
    expect([nothing.pAbove(1.1), nothing.pBelow(1.1)]).toEqual([1, 1]);
  });

  test('its p-values are shares of the draws where at least ten lie beyond', () => {
    const estimate = of(LOGS);
    // Halfway between two draws, as the limit goes through exp and log.
    expect(estimate.pAbove(Math.exp(LOGS[99]! + 0.0005))).toBeCloseTo(100 / 999, 9);
    expect(estimate.pBelow(Math.exp(LOGS[899]! - 0.0005))).toBeCloseTo(100 / 999, 9);
    const unknown = of(withUnknown(20));
    expect(unknown.pAbove(Math.exp(LOGS[99]! + 0.0005))).toBeCloseTo(100 / 999, 9);
    expect(unknown.pBelow(Math.exp(LOGS[899]! - 0.0005))).toBeCloseTo(120 / 999, 9);
    expect([estimate.pAbove(1e9), estimate.pBelow(1e-9)].map((p) => +p.toFixed(6))).toEqual([1, 1]);
  });

  test('further out they are those of a normal distribution, of the spread on that side', () => {
    // A sixth of the draws lies beyond the centre by 0.682 below it, and by 0.341 above it.
    const estimate = of(LOGS);
    expect(estimate.pAbove(Math.exp(-3)) / (1 - normalCdf(3 / 0.682))).toBeCloseTo(1, 6);
    expect(estimate.pBelow(Math.exp(1.5)) / (1 - normalCdf(1.5 / 0.341))).toBeCloseTo(1, 6);
    // Between the draws and there, no less than ten draws.
    expect(estimate.pAbove(Math.exp(-0.999))).toBeCloseTo(10 / 999, 6);
  });

  test('few clusters make them larger: by the factor, and by the tails of t', () => {
    const wide = of(LOGS, { factor: 1.25, degreesOfFreedom: 4 });
    const z = -normalQuantile(100 / 999);
    expect(wide.pAbove(Math.exp(LOGS[99]! + 0.0005))).toBeCloseTo(1 - studentCdf(z / 1.25, 4), 9);
  });
});

test('the logarithm of a ratio', () => {
  expect(logRatio(2, 4)).toBeCloseTo(Math.LN2, 12);
  expect([logRatio(0, 0), logRatio(3, 3)]).toEqual([0, 0]);
  expect([logRatio(0, 3), logRatio(3, 0)]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(logRatio(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toBeNaN();
});
