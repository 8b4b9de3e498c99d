import { expect, test } from 'vitest';
import { holmAdjust } from '../../../src/analysis/statistics/significance.ts';

test.each([
  [
    [0.01, 0.04, 0.03, 0.005],
    [0.03, 0.06, 0.06, 0.02],
  ],
  // Each step is at least the one before: 3 x 0.02 stays above 2 x 0.021.
  [
    [0.021, 0.02, 0.5],
    [0.06, 0.06, 0.5],
  ],
  [
    [0.9, 0.8],
    [1, 1],
  ],
  [[0.04], [0.04]],
  [[], []],
])('%j becomes %j', (given, expected) => {
  const adjusted = holmAdjust(given);
  expect(adjusted.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(adjusted[i]).toBeCloseTo(value, 12);
});
