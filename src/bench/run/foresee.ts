import { defaultChecks, parseChecks } from '../../analysis/regression/checks.ts';
import { ASSUMED_SPREAD, prepareAll, testsOf } from '../../analysis/regression/compare.ts';
import { decideGate } from '../../analysis/regression/gate.ts';
import { detectableWith, timesFor } from '../../analysis/regression/planning.ts';
import { ENOUGH_RUNS } from '../../analysis/regression/prediction.ts';
import { HISTORY_RUNS } from '../../analysis/regression/selection.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';

/** What a planned run can find, from the history of a baseline or from a pilot run. */

/** The smallest change that one check finds in four of five runs. */
export interface Foreseen {
  figure: string;
  /** Relative, for the worse: 0.22 is 22 %. */
  detectable: number;
  /** Requests per cell that would find `target`; null where no number within reason would. */
  advice: { target: number; requests: number } | null;
}

/** What a dry run says about its baseline. */
export interface Forecast {
  runs: number;
  /** The assumed standard deviation between runs; null where it was measured. */
  assumedSpread: number | null;
  checks: Foreseen[];
}

/** The change that advice is for: twice the tolerance, because the tolerance itself is found in half of the runs only. */
const TARGET_TOLERANCES = 2;

/** `requests`: planned for each cell. `regressions`: the checks as they are written; empty for the default ones. */
export function foresee(
  runs: readonly AcceptedRun[],
  {
    requests,
    regressions,
    assumedSpread = ASSUMED_SPREAD,
  }: { requests: number; regressions: readonly string[]; assumedSpread?: number },
): Forecast {
  const history = runs.slice(-HISTORY_RUNS);
  const newest = history.at(-1);
  if (newest === undefined) return { runs: 0, assumedSpread, checks: [] };
  const checks = regressions.length > 0 ? parseChecks(regressions) : defaultChecks(history);
  const prepared = prepareAll(checks, history, newest, { assumedSpread, byCell: false });
  const { summaries } = decideGate(testsOf(prepared).summaries, [], { seed: 1 });
  const had = newest.cells.reduce((sum, cell) => sum + cell.requests, 0) / newest.cells.length;
  const comparable = prepared.flatMap(({ check, summary }) =>
    summary === undefined ? [] : [{ check, summary }],
  );
  return {
    runs: history.length,
    assumedSpread: history.length < ENOUGH_RUNS ? assumedSpread : null,
    checks: comparable.flatMap(({ check, summary }, index): Foreseen[] => {
      const level = summaries[index]?.level;
      // The change that a share can have depends on where it is.
      if (level === undefined || check.unit === 'ratio') return [];
      const planned = { series: summary.series, tolerance: summary.tolerance, level };
      const target = TARGET_TOLERANCES * check.tolerance;
      const times = timesFor(planned, Math.log1p(target));
      return [
        {
          figure: check.figure,
          detectable: Math.expm1(detectableWith(planned, requests / had)),
          advice: times === null ? null : { target, requests: Math.ceil(had * times) },
        },
      ];
    }),
  };
}
