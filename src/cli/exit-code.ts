import type { CompareVerdict } from '../model/comparison.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import type { Report } from '../model/report.ts';

/**
 * The exit code that a finished run deserves, signals apart. `strict`: a measurement that is not what was asked for is a
 * failure. The client could not keep up, its lateness may be in a figure that a gate judged, or a cell never had its load.
 */
export function exitCodeOf(report: Report, { strict }: { strict: boolean }): ExitCode {
  // Not by a signal: what was measured is kept, and is not what was asked for.
  if (report.run.aborted) return EXIT.unexpected;
  // A run without a single good answer is never a success, also when it has no gates.
  if (!report.cells.some((cell) => (cell.outcomes.ok ?? 0) > 0)) return EXIT.unreachable;
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
export function comparisonExitCode(verdict: CompareVerdict, { strict }: { strict: boolean }): ExitCode {
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
