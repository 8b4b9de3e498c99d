import { describe, expect, test } from 'vitest';
import { decideGate, type SummaryCheck } from '../../../src/analysis/regression/gate.ts';
import { alarms, type checksOf, type World } from './simulation.ts';

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

/** Seeded, so they cannot flicker: 400 trials know a rate of 5 % to about ± 2 %. The whole table: `npm run gates`. */
describe('by simulation', () => {
  const alarm = ({ summaries, cellChecks }: ReturnType<typeof checksOf>, seed: number) => {
    const decision = decideGate(summaries, cellChecks, { seed, draws: 500 });
    return (
      decision.summaries.some(({ verdict: one }) => one === 'regression') ||
      decision.cells.some((cells) => cells.some(({ regression }) => regression))
    );
  };
  const rate = (world: World, runs: number, change = {}, trials = 400) =>
    alarms(world, { runs, trials, seed: 7, change, decide: alarm });

  test.each<[World, number, number]>([
    [{ shape: 'lognormal', n: 50, cells: 1, drift: 0.1 }, 10, 0.05],
    [{ shape: 'heavy-tailed', n: 50, cells: 4, drift: 0.05 }, 5, 0.05],
    [{ shape: 'bimodal', n: 50, cells: 4, drift: 0 }, 10, 0.05],
    [{ shape: 'lognormal', n: 50, cells: 1, drift: 0.05 }, 1, 0.08],
  ])('no change in %o with %i accepted runs: false alarms are rare', (world, runs, limit) => {
    expect(rate(world, runs)).toBeLessThanOrEqual(limit);
  });

  test('+20 % is found: 10 runs, 5 % drift, 4 cells of 200 requests', () => {
    const world: World = { shape: 'lognormal', n: 200, cells: 4, drift: 0.05 };
    expect(rate(world, 10, { all: 1.2 }, 100)).toBeGreaterThanOrEqual(0.8);
  });

  test('one slow cell of four is found although runs differ by 10 %', () => {
    const world: World = { shape: 'lognormal', n: 100, cells: 4, drift: 0.1 };
    expect(rate(world, 10, { firstCell: 1.6 }, 100)).toBeGreaterThanOrEqual(0.9);
  });

  test('errors that rise from 3 % to 12 % are found', () => {
    const world: World = { shape: 'lognormal', n: 200, cells: 2, drift: 0.05 };
    expect(rate(world, 10, { errors: 0.12 }, 100)).toBeGreaterThanOrEqual(0.9);
  });
});
