import type { AbVerdict } from '../model/ab-gate.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import type { RunComparisonVerdict } from '../model/run-comparison.ts';
import { unanswered } from '../report/wording/summary.ts';

/** What decides the exit code of a run in addition to its report. */
interface ExitFacts {
  /**
   * Also fail on an invalid measurement (the client was saturated, client lateness may affect a value that a threshold
   * checks, or a load level was not reached) and on an inconclusive regression check.
   */
  strict: boolean;
  /** True if part of the run could not be written. Default: false. */
  unwritten?: boolean;
}

/**
 * The exit code of a finished run, except after a signal. If several apply, the first of these: a target never answered
 * (7), the run is incomplete (1), results were not written (8), a threshold failed or a sweep found nothing (3), the measurement is invalid (6),
 * the regression check, against the baseline or of B against A, failed (4, 5).
 */
export function exitCodeOf(report: Report, { strict, unwritten = false }: ExitFacts): ExitCode {
  // A target without one successful request is a failure, also without thresholds.
  if (unanswered(report).length > 0) return EXIT.unreachable;
  // Aborted without a signal: the results are kept, but incomplete.
  if (report.run.aborted) return EXIT.unexpected;
  if (unwritten) return EXIT.unwritten;
  if (report.gates.some((gate) => gate.verdict !== 'pass')) return EXIT.threshold;
  if (strict && isInvalid(report)) return EXIT.invalid;
  // A sweep without a level that meets its objectives has found nothing.
  if (report.sweep?.searches.some(({ capacity }) => capacity === null)) return EXIT.threshold;
  const { ab, baseline } = report;
  const abCode = ab === undefined ? EXIT.ok : comparisonExitCode(ab.verdict, { strict });
  if (abCode === EXIT.regression || baseline === undefined) return abCode;
  // Not comparable: the regression check fails, also without --strict.
  if (baseline.verdict === 'not_comparable') return EXIT.inconclusive;
  return comparisonExitCode(baseline.verdict, { strict }) || abCode;
}

function isInvalid({ cells, gates, sweep }: Report): boolean {
  // A level that the client could not produce is not judged; it counts only where it ended the search.
  if (sweep !== undefined) return sweep.searches.some(({ stop }) => stop.reason === 'client');
  if (gates.some(({ clientLate }) => clientLate)) return true;
  return cells.some(({ client, reached }) => client?.verdict === 'saturated' || reached?.met === false);
}

/** The exit code of a comparison of runs, or of B against A. With `strict`, an inconclusive result is a failure. */
export function comparisonExitCode(
  verdict: RunComparisonVerdict | AbVerdict,
  { strict }: { strict: boolean },
): ExitCode {
  switch (verdict) {
    case 'regression':
      return EXIT.regression;
    case 'inconclusive':
    case 'not_comparable':
      return strict ? EXIT.inconclusive : EXIT.ok;
    case 'improvement':
    case 'equivalent':
    case 'unchanged':
      return EXIT.ok;
    default:
      return verdict satisfies never;
  }
}
