import { describe, expect, test } from 'vitest';
import { failureLine, runProblems, summaryLine, unanswered } from '../../../src/report/wording/summary.ts';
import { abortedReport, failedReport, gate, gatedReport } from '../reports.ts';

describe('a run in a sentence', () => {
  const requests = '320 requests in 8 cells, 8 of them failed';
  const pass = gate();
  const fail = gate({ verdict: 'fail' });
  const none = gate({ verdict: 'no-data', actual: null });
  test.each([
    [[], requests],
    [[pass], `the threshold passed; ${requests}`],
    [[pass, pass], `all 2 thresholds passed; ${requests}`],
    [[pass, fail], `1 of 2 thresholds failed; ${requests}`],
    [[fail], `1 of 1 threshold failed; ${requests}`],
    [[pass, none], `none of 2 thresholds failed, 1 had no data; ${requests}`],
    [[fail, none, pass], `1 of 3 thresholds failed, 1 had no data; ${requests}`],
  ])('%#', (gates, sentence) => {
    expect(summaryLine({ ...gatedReport(), gates })).toBe(sentence);
  });

  test('all and none', () => {
    expect(summaryLine(failedReport())).toBe('320 requests in 8 cells, all of them failed');
    expect(summaryLine({ ...gatedReport(), gates: [], cells: [] })).toBe(
      '0 requests in 0 cells, none failed',
    );
  });
});

test('what keeps a run from being a success, whatever its gates say', () => {
  expect(runProblems(gatedReport())).toEqual([]);
  expect(runProblems(abortedReport()).map(({ kind }) => kind)).toEqual(['incomplete']);
  expect(runProblems(failedReport())).toEqual([
    { kind: 'unanswered', sentence: 'None of 320 requests succeeded.' },
  ]);
  expect(runProblems({ ...gatedReport(), cells: [] })[0]!.sentence).toBe('No request was sent.');
});

test('failed requests in a sentence, with the threshold to add where none looks at them', () => {
  const report = { ...gatedReport(), gates: [] };
  expect(failureLine(report)).toMatch(
    /^8 of 320 requests failed \(2\.5 %\): 8 × http_error: .*\. No threshold checks failures: add "errors\.rate < 1%"\.$/,
  );
  for (const expression of ['errors.rate < 1%', 'errors.count == 0', 'goodput.rate > 95%']) {
    expect(failureLine({ ...report, gates: [gate({ expression })] })).not.toContain('No threshold');
  }
  expect(failureLine({ ...report, gates: [gate({ expression: 'ttft.p95 < 1s' })] })).toContain(
    'No threshold',
  );
  expect(failureLine({ ...report, cells: [] })).toBeUndefined();
});

test('a target without one answer is named, whatever the others did', () => {
  const report = gatedReport({ targets: ['a', 'b'] });
  expect(unanswered(report)).toEqual([]);
  for (const cell of report.cells) if (cell.target === 'b') cell.outcomes = { http_error: 5 };
  expect(unanswered(report)).toEqual(['b']);
  expect(runProblems(report).map(({ sentence }) => sentence)).toEqual(['No request to "b" succeeded.']);
});
