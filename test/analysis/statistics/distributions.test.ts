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
  [5.5, 0.9999999810104375],
  [40, 1],
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

test('without bounds, and without a number', () => {
  expect(normalCdf(Number.NaN)).toBeNaN();
  expect(normalCdf(-40)).toBe(0);
  expect(studentCdf(Number.POSITIVE_INFINITY, 4)).toBe(1);
  expect(studentCdf(Number.NEGATIVE_INFINITY, 4)).toBe(0);
  expect(studentCdf(1, Number.POSITIVE_INFINITY)).toBe(normalCdf(1));
  expect(studentCdf(1, 2e6)).toBe(normalCdf(1));
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  expect(studentQuantile(1, 4)).toBe(Number.POSITIVE_INFINITY);
});

// With one and two degrees of freedom the distribution has a closed form.
test.each([-50, -3, -0.5, 0, 0.5, 3, 50])('t = %d with one and two degrees of freedom', (t) => {
  expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 11);
  expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 11);
});

test('special functions', () => {
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
  // I_x(2, 3) is a polynomial: x^2 (6 - 8 x + 3 x^2).
  for (const x of [0.01, 0.3, 0.5, 0.8, 0.99]) {
    expect(incompleteBeta(x, 2, 3)).toBeCloseTo(x * x * (6 - 8 * x + 3 * x * x), 12);
  }
  expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
});
