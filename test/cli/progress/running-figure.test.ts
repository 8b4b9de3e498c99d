import { expect, test } from 'vitest';
import { RunningFigure } from '../../../src/cli/progress/running-figure.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

test.each([0.5, 0.95, 1])('quantile %d is at most 1 % off', (q) => {
  const random = createRandom(7);
  const figure = new RunningFigure();
  const values = Array.from({ length: 1_000 }, () => 0.01 * 10 ** (random.next() * 7));
  for (const value of values) figure.add(value);
  const exact = values.sort((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;
  expect(figure.percentile(q)! / exact).toBeGreaterThan(0.99);
  expect(figure.percentile(q)! / exact).toBeLessThan(1.01);
});

test('the trend has the whole course in at most 48 means', () => {
  const figure = new RunningFigure();
  expect(figure.trend()).toEqual([]);
  for (let i = 0; i < 48; i++) figure.add(i);
  expect(figure.trend()).toEqual(Array.from({ length: 48 }, (_, i) => i));
  figure.add(100);
  expect(figure.trend()).toEqual([...Array.from({ length: 24 }, (_, i) => 2 * i + 0.5), 100]);
  for (let i = 0; i < 10_000; i++) figure.add(5);
  expect(figure.trend().length).toBeLessThanOrEqual(48);
  expect(figure.trend().at(-1)).toBe(5);
});

test('values that are none, negative, 0 or huge do no harm', () => {
  const figure = new RunningFigure();
  for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) figure.add(value);
  expect([figure.n, figure.percentile(0.5)]).toEqual([0, undefined]);
  figure.add(0);
  expect(figure.percentile(0.5)).toBeLessThan(0.0011);
  figure.add(1e12);
  expect(figure.percentile(1)).toBeGreaterThan(3_600_000);
});
