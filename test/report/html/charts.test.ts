import { describe, expect, test } from 'vitest';
import { createDistribution } from '../../../src/metrics/distribution.ts';
import type { SweepReport } from '../../../src/model/sweep.ts';
import type { TimelineChart } from '../../../src/report/html/chart.ts';
import { curveOf } from '../../../src/report/html/charts/distributions.ts';
import { sweepFigures } from '../../../src/report/html/charts/load.ts';
import { fairShares, rasterFigure } from '../../../src/report/html/charts/raster.ts';
import { thinned, timelineFigure } from '../../../src/report/html/charts/timeline.ts';
import { collectTraffic } from '../../../src/report/html/traffic.ts';
import { smallSweep } from '../../analysis/sweep/sweeps.ts';
import { manifest, record } from '../../metrics/records.ts';
import { sampleReport } from '../sample.ts';

describe('what charts leave out', () => {
  test('a curve has all values up to 200 of them, then percentiles from the least to the largest', () => {
    const of = (count: number) => {
      const values = createDistribution('ms');
      for (let i = count; i > 0; i--) values.add(i);
      const summary = values.summary();
      if (summary === null) throw new Error('no values');
      return curveOf(0, summary);
    };
    expect(of(3)).toEqual({ cell: 0, n: 3, values: [10, 20, 30], sampled: false });
    const many = of(1000);
    expect(many.sampled).toBe(true);
    expect([many.values[0], many.values.at(-1)]).toEqual([10, 10_000]);
    // p50 is the value at rank 500.
    expect(many.values).toContain(5000);
    // More values than a report keeps: from the histogram, which has three digits.
    const histogram = of(30_000);
    expect([histogram.values[0], histogram.values.at(-1)]).toEqual([10, 300_000]);
    expect(histogram.values).toEqual([...histogram.values].sort((a, b) => a - b));
  });

  test('rows are shared evenly, and what a small cell does not need goes to the others', () => {
    expect(fairShares([100, 100, 100], 300)).toEqual([100, 100, 100]);
    expect(fairShares([10, 1000, 1000], 300)).toEqual([10, 145, 145]);
    expect(fairShares([0, 20, 5], 300)).toEqual([0, 20, 5]);
    expect(fairShares([1000, 1000, 1000, 1000], 2)).toEqual([0, 0, 1, 1]);
  });

  test('many points: of each period the first, the fastest and the slowest, at their own times', () => {
    const sentMs = Array.from({ length: 10_000 }, (_, index) => index);
    const ttftMs = sentMs.map((at) => (at === 5003 ? 900 : at === 5001 ? 1 : 40));
    const all = thinned({ sentMs, ttftMs }, { start: 0, end: 9999, most: 10_000 });
    expect(all.x).toHaveLength(10_000);
    const some = thinned({ sentMs, ttftMs }, { start: 0, end: 9999, most: 300 });
    expect(some.x.length).toBeLessThanOrEqual(300);
    expect(some.y[some.x.indexOf(50_030)]).toBe(9000);
    expect(some.y[some.x.indexOf(50_010)]).toBe(10);
    expect(some.x).toEqual([...some.x].sort((a, b) => a - b));
  });
});

test('of a run of 20,000 requests, every failure is marked, and the page stays small', () => {
  const cell = { target: 'a', prompt: 'p', concurrency: 16, mode: 'streaming' } as const;
  const traffic = collectTraffic(manifest({ cells: [cell], stallMs: 1000 }));
  const gaps = Array.from({ length: 400 }, (_, index) => 5 + (index % 7));
  for (let seq = 0; seq < 20_000; seq++) {
    const sent = seq * 3;
    traffic.add(
      record({
        ...cell,
        seq,
        gaps,
        marks: { scheduled: sent, started: sent, sent, firstToken: sent + 40 + (seq % 9), end: sent + 4000 },
        outcome: { kind: seq % 2 === 0 ? 'ok' : 'truncated' },
      }),
    );
  }
  const own = [traffic.cells.get(cell)];
  const [timeline] = timelineFigure(['a'], own, 1000);
  const chart = timeline?.chart as TimelineChart | undefined;
  expect(chart?.failures[0]?.x).toHaveLength(10_000);
  expect(chart?.cells[0]?.x).toHaveLength(10_000);
  const [raster] = rasterFigure(sampleReport().cells.slice(0, 1), ['a'], { traffic: own, seed: 1 });
  expect(raster?.notes[0]).toMatch(/^300 of 20.000 requests, a random sample \(seed 1\)/);
  expect(JSON.stringify([timeline?.chart, raster?.chart]).length).toBeLessThan(1_000_000);
});

test('a sweep that meets all objectives at its highest level shows its capacity as a lower bound', () => {
  const sweep = smallSweep();
  const labels = (one: SweepReport) =>
    sweepFigures(one).flatMap(({ chart }) =>
      ('guides' in chart ? chart.guides : []).map(({ label }) => label),
    );
  expect(labels(sweep)).toContain('capacity: 4 streams');
  const searches = sweep.searches.map((search) => ({ ...search, range: { ...search.range, broken: null } }));
  expect(labels({ ...sweep, searches })).toContain('capacity: at least 4 streams');
});
