import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSlices } from '../../src/engine/load-slices.ts';
import type { LoadSlice } from '../../src/model/load-report.ts';

function sliced(slices: readonly LoadSlice[], most?: number): LoadSlice[] {
  const collected = createSlices(most);
  for (const slice of slices) collected.add(slice);
  return collected.all();
}

test('similar samples become one slice, and a burst keeps its own', () => {
  const idle: LoadSlice = [20, 4, 0.1];
  const slices = [idle, idle, [60, 99, 41.26] as const, idle, idle, idle];
  expect(sliced(slices)).toEqual([
    [40, 4, 0.1],
    [60, 99, 41.3],
    [60, 4, 0.1],
  ]);
});

test('stays within its limit, and keeps the length and the mean load of the window', () => {
  const slice = fc.tuple(
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 400 }),
  );
  fc.assert(
    fc.property(fc.array(slice, { maxLength: 400 }), (slices) => {
      const kept = sliced(slices, 20);
      expect(kept.length).toBeLessThanOrEqual(20);
      const total = (of: readonly LoadSlice[], at: 1 | 2) =>
        of.reduce((sum, one) => sum + one[0] * one[at], 0);
      const lengthMs = (of: readonly LoadSlice[]) => of.reduce((sum, one) => sum + one[0], 0);
      expect(lengthMs(kept)).toBeCloseTo(lengthMs(slices), 3);
      // Each kept slice is rounded: half a point of utilization, half a tenth of a millisecond.
      expect(Math.abs(total(kept, 1) - total(slices, 1))).toBeLessThanOrEqual(0.6 * lengthMs(slices));
      expect(Math.abs(total(kept, 2) - total(slices, 2))).toBeLessThanOrEqual(0.1 * lengthMs(slices));
    }),
  );
});
