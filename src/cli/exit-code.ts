import { EXIT, type ExitCode } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import type { RunComparisonVerdict } from '../model/run-comparison.ts';
import { unanswered } from '../report/wording/summary.ts';

/** What beside its report decides the exit code of a run. */
export interface ExitFacts {
  /**
   * A measurement that is not what was asked for is a failure (the client could not keep up, its lateness may be in a figure
   * that a gate judged, or a cell never had its load), and so is a comparison that knows nothing.
   */
  strict: boolean;
  /** True where something of the run could not be written. Default: false. */
  unwritten?: boolean;
}

/**
 * The exit code of a finished run, signals apart. Where several apply, the one that takes more away from the figures: nothing
 * was answered (7), not all was measured (1), not all is on disk (8), a gate failed (3), the load or the client was not as
 * asked for (6), the baseline (4, 5).
 */
export function exitCodeOf(report: Report, { strict, unwritten = false }: ExitFacts): ExitCode {
  // A target without a single good answer is never a success, also when the run has no gates or was stopped for it.
  if (unanswered(report).length > 0) return EXIT.unreachable;
  // Not by a signal: what was measured is kept, and is not what was asked for.
  if (report.run.aborted) return EXIT.unexpected;
  if (unwritten) return EXIT.unwritten;
  if (report.gates.some((gate) => gate.verdict !== 'pass')) return EXIT.threshold;
  if (strict && isInvalid(report)) return EXIT.invalid;
  const { baseline } = report;
  if (baseline === undefined) return EXIT.ok;
  // A baseline that says nothing at all of this run, for it is of something else, has not been met.
  if (baseline.verdict === 'not_comparable') return EXIT.inconclusive;
  return comparisonExitCode(baseline.verdict, { strict });
}

function isInvalid({ cells, gates }: Report): boolean {
  if (gates.some(({ clientLate }) => clientLate)) return true;
  return cells.some(({ client, reached }) => client?.verdict === 'saturated' || reached?.met === false);
}

/** The exit code of a comparison. `strict`: to know nothing is a failure. */
export function comparisonExitCode(verdict: RunComparisonVerdict, { strict }: { strict: boolean }): ExitCode {
  switch (verdict) {
    case 'regression':
      return EXIT.regression;
    case 'inconclusive':
    case 'not_comparable':
      return strict ? EXIT.inconclusive : EXIT.ok;
    case 'improvement':
    case 'equivalent':
      return EXIT.ok;
    default:
      return verdict satisfies never;
  }
}
