import { describe, expect, test } from 'vitest';
import {
  checkThresholds,
  evaluateThresholds,
  parseThreshold,
} from '../../../src/analysis/thresholds/thresholds.ts';
import type { SweepReport } from '../../../src/model/sweep.ts';
import { smallSweep } from '../sweep/sweeps.ts';

const gate = (expression: string, sweep?: SweepReport) =>
  evaluateThresholds([parseThreshold(expression)], [], sweep)[0]!;

/** The sweep of `smallSweep` with another range. */
function ranged(met: number | null, broken: number | null): SweepReport {
  const sweep = smallSweep();
  const capacity = met === null ? null : { concurrency: met };
  return {
    ...sweep,
    searches: sweep.searches.map((search) => ({ ...search, capacity, range: { met, broken } })),
  };
}

describe('a threshold on the capacity', () => {
  test('parses with and without the objectives as its label', () => {
    for (const text of [
      'capacity.concurrency >= 16',
      'capacity.concurrency{slo} >= 16',
      'capacity.concurrency { slo } >= 16',
    ])
      expect(parseThreshold(text)).toMatchObject({
        limit: 16,
        labels: [],
        quantity: { name: 'capacity.concurrency' },
      });
    expect(parseThreshold('capacity.rate{slo}{target=a} >= 20/s').labels).toMatchObject([{ name: 'target' }]);
    expect(parseThreshold('capacity.rate >= 60/min').limit).toBe(1);
  });

  test.each([
    ['>= 4', 4, 5, 'pass'],
    ['> 3', 4, 5, 'pass'],
    ['>= 5', 4, 5, 'fail'],
    ['> 4', 4, 5, 'fail'],
    ['>= 16', 4, 5, 'fail'],
    // Between the two levels nothing was shown.
    ['>= 16', 12, 20, 'no-data'],
    ['>= 16', 12, 16, 'fail'],
    // The server may sustain more than the client could try.
    ['>= 16', 12, null, 'no-data'],
    ['>= 12', 12, null, 'pass'],
    ['>= 1', null, 1, 'no-data'],
    ['>= 1', null, null, 'no-data'],
  ] as const)('%s with a range from %s to %s: %s', (condition, met, broken, verdict) => {
    const result = gate(`capacity.concurrency ${condition}`, ranged(met, broken));
    expect(result.verdict).toBe(verdict);
    expect(result.actual).toBe(met);
    if (verdict !== 'pass') expect(result.notes[0]).toMatch(/stream|found/);
  });

  test('names the cell of the capacity', () => {
    expect(gate('capacity.concurrency >= 4', smallSweep()).cell).toEqual({
      target: 'flash',
      prompt: 'short',
      concurrency: 4,
      mode: 'streaming',
    });
  });

  test('judges every search that its labels select, and none is no data', () => {
    const [one] = smallSweep().searches;
    const big = { ...one!, target: 'big', range: { met: 2, broken: 3 } };
    const sweep = { ...smallSweep(), searches: [one!, big] };
    expect(gate('capacity.concurrency >= 4', sweep)).toMatchObject({
      verdict: 'fail',
      actual: 2,
      cells: { passed: 1, failed: 1, noData: 0 },
    });
    expect(gate('capacity.concurrency{target=flash} >= 4', sweep).verdict).toBe('pass');
    expect(gate('capacity.concurrency{prompt=other} >= 4', sweep).verdict).toBe('no-data');
    expect(gate('capacity.concurrency >= 4').verdict).toBe('no-data');
  });

  test.each([
    ['capacity.concurrency >= 4', null, /needs a sweep/],
    ['capacity.rate >= 4', 'concurrency', /searches the largest concurrency/],
    ['capacity.concurrency < 4', 'concurrency', /has a lower limit/],
    ['capacity.concurrency{concurrency=4} >= 4', 'concurrency', /no label concurrency/],
    ['ttft.p95 < 1s', 'concurrency', /on purpose/],
  ] as const)('%s in a run with sweep %s is refused before it starts', (text, sweep, message) => {
    const problems = checkThresholds([parseThreshold(text)], { sweep });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.hint).toBeDefined();
  });

  test('others are not affected in a run without a sweep', () => {
    expect(checkThresholds([parseThreshold('ttft.p95 < 1s')], { sweep: null })).toEqual([]);
    expect(
      checkThresholds([parseThreshold('capacity.concurrency{slo} >= 4')], { sweep: 'concurrency' }),
    ).toEqual([]);
  });
});
