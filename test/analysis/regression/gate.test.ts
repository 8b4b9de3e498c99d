import { describe, expect, test } from 'vitest';
import { decideGate, type SummaryCheck } from '../../../src/analysis/regression/gate.ts';

const TOLERANCE = Math.log(1.1);

function check(history: number[], next: number, rest: Partial<SummaryCheck> = {}): SummaryCheck {
  const change = next - history.reduce((sum, value) => sum + value, 0) / history.length;
  return {
    series: {
      weight: 1,
      history,
      next,
      sampling: { history: 1e-5, next: 1e-5 },
      assumedSpread: 0.05,
    },
    tolerance: TOLERANCE,
    beyond: change > TOLERANCE ? 'worse' : change < -TOLERANCE ? 'better' : null,
    ...rest,
  };
}

const verdict = (...checks: SummaryCheck[]) =>
  decideGate(checks, [], { seed: 1 }).summaries.map((summary) => summary.verdict);

describe('decideGate', () => {
  const steady = [0.01, -0.02, 0.02, 0, -0.01, 0.015, -0.015, 0.005];

  test('a change beyond the tolerance and the spread is a regression, its mirror an improvement', () => {
    expect(verdict(check(steady, 0.3))).toEqual(['regression']);
    expect(verdict(check(steady, -0.3))).toEqual(['improvement']);
  });

  test('a run inside the tolerance with certainty is equivalent', () => {
    expect(verdict(check(steady, 0.01))).toEqual(['equivalent']);
  });

  test('a run inside the spread of the accepted ones is unchanged', () => {
    const restless = steady.map((value) => value * 6);
    expect(verdict(check(restless, 0.05))).toEqual(['unchanged']);
  });

  test('beyond the tolerance but not beyond the spread: inconclusive', () => {
    const restless = steady.map((value) => value * 6);
    expect(verdict(check(restless, 0.12))).toEqual(['inconclusive']);
  });

  test('a check that cannot see a doubling says nothing by finding nothing', () => {
    const wild = steady.map((value) => value * 40);
    expect(verdict(check(wild, 0))).toEqual(['inconclusive']);
  });

  test('a change that sampling explains is no regression, however calm the history was', () => {
    const one = check(steady, 0.3);
    one.series.sampling = { history: 1e-5, next: 0.09 };
    expect(verdict(one)).not.toContain('regression');
  });

  test('one cell that is slower is found while all drift', () => {
    const cells = (shared: number, first = 0) => ({
      values: [shared + first, shared + 0.01, shared - 0.01, shared],
      sampling: [1e-4, 1e-4, 1e-4, 1e-4],
    });
    const history = [0.1, -0.1, 0.05, -0.05, 0, 0.08].map((shared) => cells(shared));
    const decision = decideGate(
      [],
      [{ history, next: cells(0.09, 0.3), assumedSpread: 0.05, beyond: [true, true, false, false] }],
      { seed: 1 },
    );
    expect(decision.cells[0]!.map(({ regression }) => regression)).toEqual([true, false, false, false]);
  });
});
