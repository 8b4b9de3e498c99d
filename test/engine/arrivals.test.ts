import { describe, expect, test } from 'vitest';
import { unitArrivals } from '../../src/engine/arrivals.ts';
import type { DrawnArrivals } from '../../src/model/plan.ts';

const first = (count: number, at: (index: number) => number) =>
  Array.from({ length: count }, (_, i) => at(i));

const gapsOf = (times: readonly number[]) => times.slice(1).map((at, i) => at - times[i]!);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation over mean. */
function variation(values: readonly number[]): number {
  const m = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - m) ** 2))) / m;
}

const PROCESSES: readonly DrawnArrivals[] = [
  { process: 'constant', seed: 1 },
  { process: 'poisson', seed: 7 },
  ...[0.1, 0.5, 1, 4, 50].map((burstiness): DrawnArrivals => ({ process: 'gamma', seed: 3, burstiness })),
];

describe.each(PROCESSES)('$process arrivals, shape $burstiness', (arrivals) => {
  test.each([10_000, 20_000])('%i take the time that their rate says, to 0.1 %%', (count) => {
    for (const seed of [arrivals.seed, 11, 12, 13]) {
      expect(Math.abs(unitArrivals({ ...arrivals, seed })(count) / count - 1)).toBeLessThan(0.001);
    }
  });

  test('never go back in time, and start at once', () => {
    const times = first(5_000, unitArrivals(arrivals));
    expect(times[0]).toBe(0);
    expect(gapsOf(times).every((gap) => gap >= 0)).toBe(true);
  });

  test('the same seed gives the same times, in any order of the calls', () => {
    const forwards = first(50, unitArrivals(arrivals));
    const again = unitArrivals(arrivals);
    expect(Array.from({ length: 50 }, (_, i) => again(49 - i)).reverse()).toEqual(forwards);
    if (arrivals.process !== 'constant')
      expect(first(50, unitArrivals({ ...arrivals, seed: 99 }))).not.toEqual(forwards);
  });
});

test('poisson: exponential intervals', () => {
  const gaps = gapsOf(first(20_000, unitArrivals({ process: 'poisson', seed: 7 })));
  // Of an exponential distribution, e^-1 is above the mean and e^-3 above three times the mean.
  const share = (above: number) => gaps.filter((gap) => gap > above).length / gaps.length;
  expect(share(1)).toBeCloseTo(Math.exp(-1), 1);
  expect(share(3)).toBeCloseTo(Math.exp(-3), 2);
});

test('gamma: the variation of the intervals is that of its shape', () => {
  for (const burstiness of [0.25, 1, 4, 25]) {
    const gaps = gapsOf(first(40_000, unitArrivals({ process: 'gamma', seed: 5, burstiness })));
    expect(variation(gaps) * Math.sqrt(burstiness)).toBeGreaterThan(0.95);
    expect(variation(gaps) * Math.sqrt(burstiness)).toBeLessThan(1.05);
  }
});

test('the number of requests in a window varies as it should: only windows near 1,000 requests are evened out', () => {
  // Variance over mean of the count in windows of 50 requests: 1 for poisson, less the share of a window in a group.
  const countsOf = (arrivals: DrawnArrivals) => {
    const counts = new Array<number>(800).fill(0);
    for (const at of first(40_000, unitArrivals(arrivals))) counts[Math.floor(at / 50)]! += 1;
    return counts;
  };
  const dispersion = (arrivals: DrawnArrivals) => variation(countsOf(arrivals)) ** 2 * 50;
  expect(dispersion({ process: 'poisson', seed: 2 })).toBeGreaterThan(0.8);
  expect(dispersion({ process: 'poisson', seed: 2 })).toBeLessThan(1.1);
  expect(dispersion({ process: 'gamma', seed: 2, burstiness: 0.25 })).toBeGreaterThan(3);
});
