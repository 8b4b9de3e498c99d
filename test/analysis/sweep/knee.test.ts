import { expect, test } from 'vitest';
import { findKnee } from '../../../src/analysis/sweep/knee.ts';

const curve = (levels: number[], throughput: (level: number) => number) =>
  levels.map((level) => ({ level, throughput: throughput(level) }));
const LEVELS = [1, 2, 4, 8, 11, 12, 13, 16, 32];

test('the knee is where throughput stops to grow', () => {
  expect(findKnee(curve(LEVELS, (level) => Math.min(level, 12)))).toEqual({ level: 12, method: 'kneedle' });
  // A service that becomes slower under overload.
  expect(findKnee(curve(LEVELS, (level) => (level <= 8 ? level : 8 - level / 10)))?.level).toBe(8);
});

test('a line has no knee, nor have too few points or a constant', () => {
  expect(findKnee(curve(LEVELS, (level) => 3 * level))).toBeNull();
  expect(findKnee(curve(LEVELS, () => 5))).toBeNull();
  expect(findKnee(curve([1, 2, 4], (level) => Math.min(level, 2)))).toBeNull();
});
