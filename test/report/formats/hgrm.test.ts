import { build } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import { hgrmReport } from '../../../src/report/formats/hgrm.ts';
import { seeded } from '../../metrics/records.ts';
import { failedReport, gatedReport, reportWithTtft } from '../reports.ts';

/** The same, as the library prints it. */
function expected(values: readonly number[]): string {
  const histogram = build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });
  for (const value of values) histogram.recordValue(Math.round(value * 1000));
  return histogram.outputPercentileDistribution(5, 1000);
}

function section(report: Report): string {
  const text = hgrmReport(report);
  return text.slice(text.indexOf('       Value'));
}

describe('the percentile distribution', () => {
  // Up to 2,047 us every microsecond has a bucket of its own, so that not a digit may differ.
  test.each([1, 2, 7, 40, 1000])(
    'of %i values in buckets of their own, to the letter as HdrHistogram has it',
    (n) => {
      const random = seeded(n);
      const values = Array.from({ length: n }, () => Math.ceil(random() * 2047) / 1000);
      const [ours, theirs] = [section(reportWithTtft(values)), expected(values)].map((text) =>
        text.replace(/StdDeviation.*/, ''),
      );
      expect(ours).toBe(theirs);
      expect(section(reportWithTtft(values, 0))).toContain(theirs!.split('\n').slice(0, -5).join('\n'));
    },
  );

  test('of large values: the same ranks, and values within 0.1 %', () => {
    const random = seeded(3);
    const values = Array.from({ length: 500 }, () => 100 + random() * 5000);
    const rows = (text: string) => text.split('\n').filter((line) => /^ +\d/.test(line));
    const [ours, theirs] = [rows(section(reportWithTtft(values))), rows(expected(values))];
    expect(ours).toHaveLength(theirs!.length);
    for (const [index, row] of ours!.entries()) {
      const [mine, other] = [row, theirs![index]!].map((line) => line.trim().split(/ +/).map(Number));
      expect(mine!.slice(1, 2)).toEqual(other!.slice(1, 2));
      expect(Math.abs(mine![0]! - other![0]!) / other![0]!).toBeLessThan(0.001);
    }
  });
});

test('one section a cell, and a cell without data says so', () => {
  const report = gatedReport();
  const text = hgrmReport(report);
  expect(text.match(/^# .*: ttft in ms$/gm)).toHaveLength(report.cells.length);
  expect(text.match(/^#\[Mean/gm)).toHaveLength(report.cells.length);
  expect(hgrmReport(failedReport()).match(/: ttft in ms: no data$/gm)).toHaveLength(report.cells.length);
});
