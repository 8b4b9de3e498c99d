import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import {
  benchmarkActionReport,
  bmfReport,
  trackedFigures,
} from '../../../src/report/formats/tracked-figures.ts';
import { failedReport, gatedReport, NASTY, nastyReport, reportWithTtft } from '../reports.ts';

type Bmf = Record<string, Record<string, { value: number; lower_value?: number; upper_value?: number }>>;
type Entry = { name: string; unit: string; value: number; range?: string; extra?: string };

const bmf = (report: Report) => JSON.parse(bmfReport(report)) as Bmf;
const entries = (report: Report) => JSON.parse(benchmarkActionReport(report)) as Entry[];
const report = gatedReport();

describe('names', () => {
  test('are paths that stay the same from run to run', () => {
    const later = gatedReport();
    later.run = { ...later.run, id: 'another', startedAt: '2027-01-01T00:00:00.000Z' };
    expect(entries(later).map(({ name }) => name)).toEqual(entries(report).map(({ name }) => name));
    expect(entries(report).map(({ name }) => name)).toContain('flash/short/c16/streaming/ttft.p95');
  });

  test('are never those of another figure', () => {
    for (const one of [report, nastyReport(), twins()]) {
      const names = trackedFigures(one).map(({ cell, name }) => `${cell}/${name}`);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(Object.keys(bmf(nastyReport()))[0]!.split('/')).toHaveLength(4);
    expect(NASTY).toContain('/');
  });

  function twins(): Report {
    const one = gatedReport({ targets: ['a/b', 'a'], prompts: ['c', 'b/c', 'c\n', 'c '] });
    return one;
  }
});

describe('Bencher Metric Format', () => {
  test('a benchmark for each cell, a measure with its unit for each figure, bounds around the value', () => {
    const { ttft } = report.cells[0]!.metrics;
    const measures = bmf(report)['flash/short/c1/streaming']!;
    expect(measures['ttft.p50 (ms)']!.value).toBeCloseTo(ttft!.p50, 3);
    expect(measures['token_rate.p50 (1/s)']!.value).toBeGreaterThan(1);
    expect(measures['errors.rate (%)']!.value).toBe(5);
    for (const { value, lower_value: low = value, upper_value: high = value } of Object.values(measures)) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
    for (const name of Object.keys(measures)) expect(name.length).toBeLessThanOrEqual(64);
  });

  test('what was not measured is left out, and the share of errors is not', () => {
    for (const measures of Object.values(bmf(failedReport()))) {
      expect(Object.keys(measures)).toEqual(['errors.rate (%)']);
      expect(measures['errors.rate (%)']!.value).toBe(100);
    }
  });
});

describe('github-action-benchmark', () => {
  test('only figures of which less is better', () => {
    const all = entries(report);
    expect(all.some(({ name }) => name.endsWith('/tpot.p50'))).toBe(true);
    expect(all.filter(({ name }) => /rate\.p50|throughput/.test(name))).toEqual([]);
    expect(all.find(({ name }) => name === 'flash/short/c1/streaming/ttft.p50')).toEqual({
      name: 'flash/short/c1/streaming/ttft.p50',
      unit: 'ms',
      value: 191.618,
      range: '180.722 to 209.383',
      extra: 'of 38 values',
    });
    for (const { value, unit } of all) {
      expect(Number.isFinite(value)).toBe(true);
      expect(unit).toMatch(/^(ms|%)$/);
    }
  });
});

describe('the range', () => {
  const rangeOf = (one: Report, figure: string) =>
    trackedFigures(one).find(({ name }) => name === figure)?.range;

  // Of 200 tosses 88 to 112 are heads with 92 %; 89 to 111 would be under 90 %.
  test('is by order statistics', () => {
    const values = Array.from({ length: 200 }, (_, i) => i + 1);
    expect(rangeOf(reportWithTtft(values), 'ttft.p50')).toEqual({ low: 88, high: 113 });
  });

  test('is the same from buckets, within their 0.1 %', () => {
    const values = Array.from({ length: 200 }, (_, i) => i + 1);
    const { low, high } = rangeOf(reportWithTtft(values, 10), 'ttft.p50')!;
    expect(Math.abs(low - 88)).toBeLessThan(0.1);
    expect(Math.abs(high - 113)).toBeLessThan(0.12);
  });

  test('is absent where there are too few values beyond the quantile, and where a request has several', () => {
    expect(rangeOf(reportWithTtft([1, 2, 3]), 'ttft.p95')).toBeUndefined();
    expect(rangeOf(report, 'gap.p95')).toBeUndefined();
  });
});
