import { expect, test } from 'vitest';
import {
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from '../../../src/analysis/statistics/distributions.ts';

test.each([
  [0, 0.5],
  [1, 0.8413447460685429],
  [-1.959963984540054, 0.025],
  [3, 0.9986501019683699],
  [-6, 9.865876450376946e-10],
  [-20, 2.753624118606233e-89],
])('normal: %d has %d below it', (z, p) => {
  expect(normalCdf(z) / p).toBeCloseTo(1, 10);
});

test('normal quantiles, as in every table', () => {
  expect(normalQuantile(0.95)).toBeCloseTo(1.6448536269514722, 9);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 9);
  expect(normalQuantile(0.0001)).toBeCloseTo(-3.719016485455709, 8);
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
});

test.each([
  [1, 6.3138],
  [4, 2.1318],
  [8, 1.8595],
  [30, 1.6973],
  [1e9, 1.6449],
])('t with %d degrees of freedom: 5 %% lie above %d', (df, t) => {
  expect(studentQuantile(0.95, df)).toBeCloseTo(t, 4);
  expect(studentCdf(-t, df)).toBeCloseTo(0.05, 5);
});

test('special functions', () => {
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
  // I_x(2, 3) is a polynomial: x^2 (6 - 8 x + 3 x^2).
  expect(incompleteBeta(0.3, 2, 3)).toBeCloseTo(0.09 * (6 - 2.4 + 0.27), 12);
});
