import { describe, expect, test } from 'vitest';
import { sweepReport } from '../../../src/analysis/sweep/sweep-report.ts';
import { cellAt, evidenceFor, load, measure, SETTINGS, smallSweep, times } from './sweeps.ts';

describe('the report of a sweep', () => {
  test('has the capacity, the objectives and every level', () => {
    const sweep = smallSweep();
    expect(sweep.capacity).toEqual({ concurrency: 4 });
    expect(sweep.objectives).toEqual(['ttft.p95 < 100ms', 'errors.rate < 1%']);
    expect(sweep.points.map(({ concurrency, verdict }) => [concurrency, verdict])).toEqual([
      [1, 'met'],
      [2, 'met'],
      [4, 'met'],
      [5, 'broken'],
      [6, 'broken'],
      [8, 'broken'],
    ]);
    expect(sweep.searches).toMatchObject([
      {
        target: 'flash',
        prompt: 'short',
        mode: 'streaming',
        capacity: { concurrency: 4 },
        range: { met: 4, broken: 5 },
        decided: true,
        stop: {
          reason: 'objective',
          message: 'at 5 streams ttft.p95 is 150 ms (150 ms to 150 ms), not < 100ms',
        },
      },
    ]);
    expect(sweep.points[3]?.objectives[0]).toEqual({
      expression: 'ttft.p95 < 100ms',
      unit: 'ms',
      value: 150,
      low: 150,
      high: 150,
      n: 160,
      verdict: 'broken',
    });
  });

  test('by rate the capacity is a rate', () => {
    const evidence = evidenceFor({ by: 'rate' });
    const cell = cellAt(200, { rate: 2.5 });
    for (const round of [0, 1, 2]) measure(evidence, cell, round, times(100, 50));
    const sweep = sweepReport({
      settings: { ...SETTINGS, by: 'rate', start: 2.5, max: 2.5 },
      evidence,
      planned: [cell],
      loads: [0, 1, 2].map((round) => load(0, round)),
      cells: [],
      isOverBudget: false,
    });
    expect(sweep.capacity).toEqual({ rate: 2.5 });
    expect(sweep.searches[0]?.stop).toEqual({
      reason: 'limit',
      message: 'all objectives are met at 2.5 requests/s, the highest level of the sweep',
    });
  });

  test('says why it ended early, and what was known by then', () => {
    const evidence = evidenceFor();
    const planned = [cellAt(1), cellAt(2), cellAt(4)];
    measure(evidence, planned[0]!, 0, times(81, 50));
    measure(evidence, planned[1]!, 0, times(22, 50));
    measure(evidence, planned[2]!, 0, times(84, 500));
    const sources = {
      settings: SETTINGS,
      evidence,
      planned,
      cells: [],
      loads: [0, 1, 2].map((at) => load(at, 0)),
    };
    const stopOf = (changes: { isOverBudget: boolean; abortReason?: string }) =>
      sweepReport({ ...sources, ...changes }).searches[0]?.stop;
    const known = '; by point estimates: met at 2 streams, not met at 4 streams';
    expect(stopOf({ isOverBudget: true })).toEqual({
      reason: 'budget',
      message: `the time limit of 60 s was over before the edge was found${known}`,
    });
    expect(stopOf({ isOverBudget: false, abortReason: 'interrupted' })).toEqual({
      reason: 'interrupted',
      message: `the run ended before the edge was found${known}`,
    });
    expect(stopOf({ isOverBudget: false, abortReason: 'a measuring thread died' })?.message).toContain(
      'a measuring thread died',
    );
  });

  test("a saturated client ends the search, and its level is nobody's capacity", () => {
    const evidence = evidenceFor({ max: 2 });
    const planned = [cellAt(1), cellAt(2)];
    for (const round of [0, 1]) measure(evidence, planned[0]!, round, times(81, 50));
    for (const round of [0, 1, 2]) measure(evidence, planned[1]!, round, times(82, 50));
    const loads = [
      load(0, 0),
      load(0, 1),
      ...[0, 1, 2].map((round) => load(1, round, { utilization: 0.95 })),
    ];
    const settings = { ...SETTINGS, max: 2 };
    const { searches, points } = sweepReport({
      settings,
      evidence,
      planned,
      loads,
      cells: [],
      isOverBudget: false,
    });
    expect(searches[0]).toMatchObject({ range: { met: 1, broken: null }, stop: { reason: 'client' } });
    expect(searches[0]?.stop.message).toBe(
      "the client could not produce 2 streams (its event loop utilization was 95 %), so the server's capacity may be higher",
    );
    expect(points[1]).toMatchObject({ verdict: 'client', measurements: 3, invalid: 3, requests: 0 });
  });

  test('several targets have a capacity each, and the smallest is that of the sweep', () => {
    const evidence = evidenceFor({ max: 2 });
    const planned = [cellAt(2), cellAt(2, { target: 'big' }), cellAt(1, { target: 'big' })];
    for (const round of [0, 1]) {
      measure(evidence, planned[0]!, round, times(82, 50));
      measure(evidence, planned[1]!, round, times(82, 500));
      measure(evidence, planned[2]!, round, times(82, 50));
    }
    const loads = [0, 1, 2].flatMap((cell) => [load(cell, 0), load(cell, 1)]);
    const sources = { evidence, planned, loads, cells: [], isOverBudget: false };
    const sweep = sweepReport({ settings: { ...SETTINGS, max: 2 }, ...sources });
    expect(sweep.searches.map(({ target, capacity }) => [target, capacity])).toEqual([
      ['flash', { concurrency: 2 }],
      ['big', { concurrency: 1 }],
    ]);
    expect(sweep.capacity).toEqual({ concurrency: 1 });
  });

  test('without a level that meets the objectives there is no capacity', () => {
    const evidence = evidenceFor();
    const planned = [cellAt(1)];
    for (const round of [0, 1]) measure(evidence, planned[0]!, round, times(81, 500));
    const sources = { evidence, planned, loads: [load(0, 0), load(0, 1)], cells: [], isOverBudget: false };
    const sweep = sweepReport({ settings: SETTINGS, ...sources });
    expect(sweep.capacity).toBeNull();
    expect(sweep.searches[0]).toMatchObject({ capacity: null, range: { met: null, broken: 1 } });
  });
});
