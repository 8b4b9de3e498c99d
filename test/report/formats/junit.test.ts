import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/model/report.ts';
import { junitReport } from '../../../src/report/formats/junit.ts';
import {
  abortedReport,
  baselineOf,
  comparedReport,
  failedReport,
  GATES,
  gate,
  gatedReport,
  incomparableReport,
  nastyReport,
} from '../reports.ts';
import { type Element, parseXml } from '../xml.ts';

const REPORTS: [string, Report][] = [
  ['gates', gatedReport()],
  ['cells', { ...gatedReport(), gates: [] }],
  ['aborted', abortedReport()],
  ['all failed', failedReport()],
  ['gates, all failed', failedReport(GATES)],
  ['baseline', comparedReport()],
  ['baseline, strict', comparedReport({ strict: true })],
  ['baseline of something else', incomparableReport()],
  ['no cells', { ...gatedReport(), cells: [], gates: [] }],
  ['a name of spaces', { ...gatedReport(), scenario: { ...gatedReport().scenario, name: ' \n' } }],
  ['the worst of names', nastyReport()],
];

const suiteOf = (report: Report) => parseXml(junitReport(report)).children[0]!;
const casesOf = (report: Report) => suiteOf(report).children.filter(({ name }) => name === 'testcase');
const problemOf = (one: Element | undefined) => one?.children[0];

describe.each(REPORTS)('the schema: %s', (_name, report) => {
  test('elements, their order, required attributes and counts', () => {
    const root = parseXml(junitReport(report));
    expect(root).toMatchObject({ name: 'testsuites', attributes: {} });
    expect(root.children).toHaveLength(1);
    const suite = root.children[0]!;
    expect(suite.children.map(({ name }) => name).join(' ')).toMatch(
      /^properties( testcase)* system-out system-err$/,
    );
    expect(Object.keys(suite.attributes).sort()).toEqual([
      'errors',
      'failures',
      'hostname',
      'id',
      'name',
      'package',
      'skipped',
      'tests',
      'time',
      'timestamp',
    ]);
    expect(suite.attributes.name!.trim()).not.toBe('');
    expect(suite.attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    const cases = suite.children.filter(({ name }) => name === 'testcase');
    const having = (kind: string) => cases.filter((one) => problemOf(one)?.name === kind).length;
    expect(suite.attributes).toMatchObject({
      tests: String(cases.length),
      failures: String(having('failure')),
      errors: String(having('error')),
      skipped: String(having('skipped')),
    });
    for (const one of [suite, ...cases]) expect(one.attributes.time).toMatch(/^\d+\.\d{3}$/);
    for (const one of cases) {
      expect(Object.keys(one.attributes)).toEqual(['name', 'classname', 'time']);
      expect(one.children.length).toBeLessThanOrEqual(1);
      const problem = problemOf(one);
      if (!problem) continue;
      expect(problem.name).toMatch(/^(failure|error|skipped)$/);
      expect(problem.attributes.message!.trim()).not.toBe('');
      if (problem.name === 'skipped') continue;
      expect(problem.attributes.type).toMatch(/^[\w-]+$/);
      expect(problem.text).not.toBe('');
    }
  });
});

test.skipIf(!hasXmllint())('xmllint against the XSD (needs xmllint: apt-get install libxml2-utils)', () => {
  const schema = join(import.meta.dirname, '../fixtures/junit.xsd');
  for (const [, report] of REPORTS) {
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--schema', schema, '-'], {
      input: junitReport(report),
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
  }
});

function hasXmllint(): boolean {
  return spawnSync('xmllint', ['--version']).status === 0;
}

describe('the cases', () => {
  test('are the gates, those that did not pass first, with what was measured', () => {
    const [failed, unknown, passed] = casesOf(gatedReport());
    expect(failed!.attributes).toMatchObject({
      name: 'streaming.verdict == streaming',
      classname: 'streambench.demo',
    });
    expect(problemOf(failed)).toMatchObject({ name: 'failure', attributes: { type: 'threshold' } });
    expect(problemOf(failed)!.attributes.message).toMatch(/^replayed \(worst: flash · short · 1 stream/);
    expect(problemOf(failed)!.text).toContain(
      'threshold: streaming.verdict == streaming\nmeasured: replayed',
    );
    expect(problemOf(unknown)).toMatchObject({ name: 'error', attributes: { type: 'no-data' } });
    expect(passed!.children).toEqual([]);
  });

  test('are the cells where there are no gates; one without a good answer fails with its reason', () => {
    expect(casesOf({ ...gatedReport(), gates: [] }).every(({ children }) => children.length === 0)).toBe(
      true,
    );
    const failed = failedReport();
    const cases = casesOf(failed);
    expect(cases).toHaveLength(failed.cells.length);
    expect(problemOf(cases[0])).toMatchObject({
      name: 'failure',
      attributes: { type: 'http_error', message: 'http_error: HTTP 500' },
      text: '40 × http_error: HTTP 500\n  | {"error":\n  | "full"}\n  try fewer',
    });
  });

  test('a run that broke off is an error, and so is a cell that was never run', () => {
    const cases = casesOf(abortedReport());
    expect(problemOf(cases[0])!.attributes).toMatchObject({ type: 'incomplete' });
    expect(problemOf(cases.at(-1))).toMatchObject({
      name: 'error',
      attributes: { type: 'no-data', message: 'not run' },
    });
  });

  test('gates that pass do not hide that nothing was answered', () => {
    const cases = casesOf(failedReport([gate({ expression: 'errors.rate <= 100%' })]));
    expect(cases.map((one) => problemOf(one)?.attributes.type)).toEqual(['unanswered', undefined]);
  });

  test('are also the figures that were compared with a baseline, regressions first, and skipped where nothing is known', () => {
    const found = casesOf(comparedReport()).map((one) => [
      one.attributes.name!.split(' ')[0],
      problemOf(one)?.name,
    ]);
    expect(found).toEqual([
      ['ttft.p95', 'failure'],
      ['ttft.p50', 'failure'],
      ['ttft.p95', undefined],
      ['total.p50', 'skipped'],
      ['gap.p95', 'skipped'],
      ['total.mean', undefined],
      ['ttft.p50', undefined],
      ['errors.rate', undefined],
      ['ttft.p50', undefined],
    ]);
    const [worse, cell] = casesOf(comparedReport());
    expect(worse!.attributes.name).toBe('ttft.p95 regression check: all cells');
    expect(cell!.attributes.name).toBe('ttft.p50 regression check: flash · short · 1 stream · streaming');
    expect(problemOf(worse)!.attributes).toMatchObject({
      type: 'regression',
      message: expect.stringMatching(/^regression: ttft\.p95/),
    });
  });

  test('what is inconclusive fails where that was asked for, and no baseline of something else is a pass', () => {
    const strict = casesOf(comparedReport({ strict: true }));
    expect(strict.map((one) => problemOf(one)?.attributes.type)).toEqual(
      expect.arrayContaining(['regression', 'inconclusive']),
    );
    const [other] = casesOf(incomparableReport());
    expect(problemOf(other)).toMatchObject({ name: 'error', attributes: { type: 'not-comparable' } });
    // Nothing gated, nothing decided.
    const summaries = baselineOf().summaries.map((row) => ({ ...row, gated: false }));
    const few = comparedReport({ strict: true, verdict: 'inconclusive', summaries, cells: [] });
    expect(problemOf(casesOf(few)[0])).toMatchObject({
      name: 'failure',
      attributes: { type: 'inconclusive' },
    });
  });

  test('names stay what they were, with what XML cannot say as escapes', () => {
    const [, one] = casesOf(nastyReport());
    expect(one!.attributes.name).toContain(
      String.raw`a"b'<c>&]]> ::error::x %0A\|${'`'}*@all 请介绍 🚀 \u{0}\u{7}\u{1b}[31m\u{202e}\u{d800}`,
    );
  });
});

test('a dot in the name of the scenario does not make a package of its first half', () => {
  const report = gatedReport();
  report.scenario.name = 'flash-or-4.6';
  expect(casesOf(report)[0]!.attributes.classname).toBe('streambench.flash-or-4_6');
});
