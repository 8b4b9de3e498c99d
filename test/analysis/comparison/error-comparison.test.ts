import { expect, test } from 'vitest';
import { compareErrors } from '../../../src/analysis/comparison/error-comparison.ts';
import type { CellSamples } from '../../../src/analysis/comparison/samples.ts';

const CELL = { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' } as const;
const side = (failed: number, requests: number) => ({ failed, requests }) as CellSamples;

/** The errors of these sides at a confidence of 90 % and a tolerance of 1 %. */
function judged([failed, of]: [number, number], [failedNow, ofNow]: [number, number]) {
  return compareErrors(CELL, side(failed, of), side(failedNow, ofNow), 0.9, 0.01);
}

test.each<[[number, number], [number, number], string]>([
  // A certain rise of half a per cent is below the tolerance.
  [[0, 10_000], [50, 10_000], 'equivalent'],
  [[50, 10_000], [0, 10_000], 'equivalent'],
  [[0, 10_000], [100, 10_000], 'regression'],
  [[100, 10_000], [0, 10_000], 'improvement'],
  [[50, 10_000], [52, 10_000], 'equivalent'],
  // The interval reaches beyond twice the tolerance on one side.
  [[2, 200], [5, 200], 'inconclusive'],
  [[5, 200], [2, 200], 'inconclusive'],
  // A rise above the tolerance that may be chance.
  [[0, 20], [1, 20], 'inconclusive'],
  // No failure at all is no change, however few the requests.
  [[0, 3], [0, 3], 'equivalent'],
])('%j failed before, %j now: %s', (base, next, verdict) => {
  expect(judged(base, next).verdict).toBe(verdict);
});

test('the row has the rates, their difference and its interval', () => {
  const row = judged([10, 200], [40, 200]);
  expect(row).toMatchObject({ base: { rate: 0.05 }, next: { rate: 0.2 }, verdict: 'regression' });
  expect(row.difference).toBeCloseTo(0.15, 12);
  expect(row.low!).toBeGreaterThan(0.09);
  expect(row.high!).toBeLessThan(0.21);
  expect(row.sentence).toMatch(
    /^error rate of flash \/ short \/ 4 streams: 10 of 200 before, 40 of 200 now \(\+9\.\d to \+20\.\d points\): regression$/,
  );
  expect(judged([40, 200], [10, 200]).sentence).toMatch(/\(−20\.\d to −9\.\d points\): improvement$/);
});

test('a side without a request decides nothing', () => {
  const nothing = { difference: null, low: null, high: null, verdict: 'inconclusive' };
  expect(judged([0, 0], [1, 5])).toMatchObject({
    ...nothing,
    base: { rate: null },
    sentence: expect.stringMatching(/no requests on the base side$/),
  });
  expect(judged([1, 5], [0, 0])).toMatchObject({
    ...nothing,
    next: { rate: null },
    sentence: expect.stringMatching(/no requests on the new side$/),
  });
  expect(judged([0, 0], [0, 0])).toMatchObject(nothing);
});
