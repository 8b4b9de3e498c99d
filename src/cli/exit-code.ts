import type { CompareVerdict } from '../model/comparison.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import type { Report } from '../model/report.ts';

/** The exit code that a finished run deserves, signals apart. `strict`: a client that could not keep up is a failure. */
export function exitCodeOf(report: Report, { strict }: { strict: boolean }): ExitCode {
  // Not by a signal: what was measured is kept, and is not what was asked for.
  if (report.run.aborted) return EXIT.unexpected;
  // A run without a single good answer is never a success, also when it has no gates.
  if (!report.cells.some((cell) => (cell.outcomes.ok ?? 0) > 0)) return EXIT.unreachable;
  if (report.gates.some((gate) => gate.verdict !== 'pass')) return EXIT.threshold;
  if (strict && report.cells.some((cell) => cell.client?.verdict === 'saturated')) return EXIT.invalid;
  const { baseline } = report;
  if (baseline === undefined) return EXIT.ok;
  // A baseline that says nothing at all of this run, for it is of something else, has not been met.
  if (baseline.verdict === 'not_comparable') return EXIT.inconclusive;
  return comparisonExitCode(baseline.verdict, { strict });
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
