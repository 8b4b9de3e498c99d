import { expect, test } from 'vitest';
import { createRandom } from '../../src/model/seeded-random.ts';

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 5 }, random.next);
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(0)).not.toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2 ** 32 + 1));
  expect(draw(0).every((value) => value > 0 && value < 1)).toBe(true);
});

test('is evenly spread, and not only in its mean', () => {
  const random = createRandom(1);
  const bins = new Array<number>(100).fill(0);
  const n = 100_000;
  for (let i = 0; i < n; i++) bins[random.below(100)]! += 1;
  const chiSquare = bins.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
  // 99 degrees of freedom: 99.9 % of good generators are below 148.
  expect(chiSquare).toBeLessThan(148);
  expect(chiSquare).toBeGreaterThan(61);
});

test('normal numbers have mean 0, deviation 1 and thin tails', () => {
  const random = createRandom(2);
  const values = Array.from({ length: 100_000 }, random.normal);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  expect(values.filter((value) => Math.abs(value) > 1.96).length / values.length).toBeCloseTo(0.05, 2);
});
