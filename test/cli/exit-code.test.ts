import { expect, test } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import type { AbGate } from '../../src/model/ab-gate.ts';
import type { Report } from '../../src/model/report.ts';
import type { BaselineReport } from '../../src/model/run-comparison.ts';
import { gatedReport } from '../report/reports.ts';

/** Each changes a report into one that deserves the code, in the order of precedence. */
const CAUSES: [number, (report: Report) => Report][] = [
  [
    7,
    (report) => ({ ...report, cells: report.cells.map((cell) => ({ ...cell, outcomes: { network: 3 } })) }),
  ],
  [1, (report) => ({ ...report, run: { ...report.run, aborted: true } })],
  [8, (report) => report],
  [3, (report) => ({ ...report, gates: [{ ...gatedReport().gates[0]!, verdict: 'no-data' }] })],
  [
    6,
    (report) => ({
      ...report,
      cells: report.cells.map((cell) => ({ ...cell, reached: { mean: 1, max: 2, met: false } })),
    }),
  ],
  [4, (report) => ({ ...report, baseline: { verdict: 'regression' } as BaselineReport })],
];

const gated = gatedReport();
const { abortReason: _, ...run } = gated.run;
const passed: Report = {
  ...gated,
  run: { ...run, aborted: false },
  cells: gated.cells.map((cell) => ({
    ...cell,
    client: { ...cell.client!, verdict: 'ok' },
    reached: { mean: 16, max: 16, met: true },
  })),
  gates: [],
  baseline: undefined,
};

test('of several causes the first of 7, 1, 8, 3, 6, 4 is the exit code', () => {
  expect(exitCodeOf(passed, { strict: true })).toBe(0);
  for (const [index, [code]] of CAUSES.entries()) {
    const causes = CAUSES.slice(index);
    const report = causes.reduce((changed, [, change]) => change(changed), passed);
    const unwritten = causes.some(([cause]) => cause === 8);
    expect(exitCodeOf(report, { strict: true, unwritten })).toBe(code);
  }
});

test('a load that was not reached is a failure only with --strict', () => {
  const [, change] = CAUSES.find(([code]) => code === 6)!;
  expect(exitCodeOf(change(passed), { strict: false })).toBe(0);
});

test('B against A: a regression is 4, and an inconclusive gate is 5 only with --strict', () => {
  const judged = (verdict: AbGate['verdict']): Report => ({ ...passed, ab: { verdict } as AbGate });
  for (const strict of [true, false]) {
    expect(exitCodeOf(judged('regression'), { strict })).toBe(4);
    expect(exitCodeOf(judged('inconclusive'), { strict })).toBe(strict ? 5 : 0);
    for (const verdict of ['improvement', 'equivalent', 'unchanged'] as const)
      expect(exitCodeOf(judged(verdict), { strict })).toBe(0);
  }
});
