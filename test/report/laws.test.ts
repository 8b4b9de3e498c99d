import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { isInvisible } from '../../src/model/visible.ts';
import { REPORTERS } from '../../src/report/formats/index.ts';
import { REPORTER_NAMES } from '../../src/report/formats/names.ts';
import {
  abortedReport,
  comparedReport,
  failedReport,
  GATES,
  gatedReport,
  incomparableReport,
  nastyReport,
} from './reports.ts';

const REPORTS: Record<string, () => Report> = {
  'a normal run': () => gatedReport(),
  'a run without gates': () => ({ ...gatedReport(), gates: [] }),
  'an aborted run': abortedReport,
  'a run where everything failed': () => failedReport(),
  'a run with gates where everything failed': () => failedReport(GATES),
  'a run without cells': () => ({ ...gatedReport(), cells: [], gates: [] }),
  'a run against a baseline': () => comparedReport(),
  'a run against a baseline of something else': incomparableReport,
  'a run with the worst of names': nastyReport,
};

test('every name has its reporter, in the same order', () => {
  expect(Object.keys(REPORTERS)).toEqual([...REPORTER_NAMES]);
});

describe.each(Object.entries(REPORTS))('%s', (_name, make) => {
  const report = make();
  const before = structuredClone(report);

  test.each(Object.entries(REPORTERS))('%s', (format, reporter) => {
    const text = reporter(report);
    expect(text.endsWith('\n')).toBe(true);
    expect(text).not.toMatch(/\b(undefined|NaN|-?Infinity)\b|\[object /);
    // JSON is a document for programs, in which null is a value.
    if (format !== 'json') expect(text).not.toMatch(/\bnull\b/);
    // All of them go to screens at times, and to parsers that controls would confuse.
    const own = format === 'csv' ? /\r\n|\n/g : /\n/g;
    expect([...text.replaceAll(own, '')].filter(isInvisible)).toEqual([]);
    expect(reporter(structuredClone(report))).toBe(text);
    expect(report).toEqual(before);
  });
});
