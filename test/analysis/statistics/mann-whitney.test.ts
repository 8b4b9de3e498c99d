import { expect, test } from 'vitest';
import { normalCdf } from '../../../src/analysis/statistics/distributions.ts';
import { mannWhitney } from '../../../src/analysis/statistics/mann-whitney.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

test('the permeability of membranes (Hollander and Wolfe 1973, p. 69)', () => {
  const next = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const base = [1.15, 0.88, 0.9, 0.74, 1.21];
  const result = mannWhitney(base, next)!;
  expect(result.u).toBe(35);
  expect(result.superiority).toBe(0.7);
  expect(result.exact).toBe(true);
  expect(result.p).toBeCloseTo(0.2544, 4);
});

test('the table of critical values: U = 2 of 5 and 5 is just significant at 5 %, U = 3 is not', () => {
  // 4 and 7 of the 252 orderings have a U of at most 2 and 3.
  expect(mannWhitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10])!.p).toBeCloseTo((2 * 4) / 252, 12);
  expect(mannWhitney([1, 2, 3, 4, 8], [5, 6, 7, 9, 10])!.p).toBeCloseTo((2 * 7) / 252, 12);
});

test('ties are counted half and widen nothing', () => {
  const base = [1, 2, 2, 3, 4];
  const next = [2, 4, 5, 5, 6];
  const result = mannWhitney(base, next)!;
  expect(result.u).toBe(1 + 1 + 4.5 + 5 + 5 + 5);
  expect(result.exact).toBe(false);
  const ties = 3 ** 3 - 3 + (2 ** 3 - 2) + (2 ** 3 - 2);
  const z = (result.u - 12.5 - 0.5) / Math.sqrt((25 / 12) * (11 - ties / 90));
  expect(z).toBeCloseTo(1.8088, 4);
  expect(result.p).toBeCloseTo(0.0705, 4);
});

test('equal samples, infinite values and empty samples', () => {
  expect(mannWhitney([5, 5, 5], [5, 5])).toMatchObject({ superiority: 0.5, p: 1 });
  const censored = mannWhitney([1, 2, 3], [4, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])!;
  expect(censored.superiority).toBe(1);
  expect(mannWhitney([], [1])).toBeNull();
});

test('the exact value meets the approximation where both are good', () => {
  const random = createRandom(3);
  const base = Array.from({ length: 20 }, random.normal);
  const next = Array.from({ length: 20 }, () => random.normal() + 0.5);
  const { exact, p, u } = mannWhitney(base, next)!;
  expect(exact).toBe(true);
  const z = (Math.abs(u - 200) - 0.5) / Math.sqrt((400 * 41) / 12);
  expect(p).toBeCloseTo(2 * normalCdf(-z), 2);
});

test('false alarms come as often as they should', () => {
  const random = createRandom(4);
  let alarms = 0;
  for (let trial = 0; trial < 1000; trial++) {
    const draw = () => Array.from({ length: 30 }, () => Math.round(10 * random.normal()));
    if (mannWhitney(draw(), draw())!.p < 0.1) alarms += 1;
  }
  expect(alarms).toBeGreaterThan(70);
  expect(alarms).toBeLessThan(130);
});
