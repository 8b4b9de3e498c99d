import { expect, test } from 'vitest';
import { newcombeInterval, wilsonInterval } from '../../../src/analysis/statistics/proportions.ts';

// Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('Wilson, %d of %d', (hits, n, low, high) => {
  const interval = wilsonInterval(hits, n, 0.95);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

// Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
])('Newcombe, %d of %d against %d of %d', (hits, n, baseHits, baseN, low, high) => {
  const interval = newcombeInterval({ hits: baseHits, n: baseN }, { hits, n }, 0.95);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test('nothing tried, nothing known', () => {
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  expect(newcombeInterval({ hits: 0, n: 0 }, { hits: 1, n: 2 })).toEqual({ low: -1, high: 1 });
  expect(wilsonInterval(5, 5).high).toBe(1);
});
