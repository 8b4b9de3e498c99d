import { DASH, formatPair, formatPoints, formatRatio, formatShare } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import type {
  BaselineReport,
  ErrorRateRow,
  RunComparisonRow,
  RunComparisonVerdict,
} from '../../model/run-comparison.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** Run comparisons and regression checks as text, for every format. */

const ORDER: readonly RunComparisonVerdict[] = [
  'regression',
  'not_comparable',
  'inconclusive',
  'improvement',
  'equivalent',
];

/** For sorting: the most severe verdict first. */
export function compareRank(verdict: RunComparisonVerdict): number {
  return ORDER.indexOf(verdict);
}

/** The verdict as text. */
export function compareWord(verdict: RunComparisonVerdict): string {
  return verdict.replace('_', ' ');
}

/** The interval of a ratio: ` (0.95–1.20)`. An unknown bound is a question mark; without both bounds it is empty. */
export function ratioInterval({ low, high }: Pick<RunComparisonRow, 'low' | 'high'>): string {
  if (low === null && high === null) return '';
  const bound = (value: number | null) => (value === null ? '?' : formatRatio(value));
  return ` (${bound(low)}–${bound(high)})`;
}

/** What a compared figure means for the gate; `unknown` is neither a failure nor a pass. */
type BaselineOutcome = 'fail' | 'unknown' | 'pass';

/** One compared figure. */
export interface BaselineLine {
  outcome: BaselineOutcome;
  verdict: RunComparisonVerdict;
  /** The verdict as text, or `too few requests` if that is why there is none. */
  word: string;
  /** `ttft.p95`, `errors.rate`. */
  figure: string;
  /** The cell. */
  where: string;
  /** Base and new; a dash without data. */
  values: string;
  /** New over base with its interval, or the difference of rates. */
  change: string;
  sentence: string;
}

/** The compared figures; failures come first. Empty without a baseline. */
export function baselineLines({ baseline }: Report): BaselineLine[] {
  if (baseline === undefined) return [];
  const order = { fail: 0, unknown: 1, pass: 2 };
  const lines = [
    ...baseline.rows.map((row) => figureLine(row, baseline)),
    ...baseline.errors.map((row) => errorLine(row, baseline)),
  ];
  return lines.sort(
    (a, b) => order[a.outcome] - order[b.outcome] || compareRank(a.verdict) - compareRank(b.verdict),
  );
}

function figureLine(row: RunComparisonRow, { strict }: BaselineReport): BaselineLine {
  const { cell, metric, statistic, base, next, unit, ratio, verdict, gated, sentence } = row;
  return {
    outcome: gated ? outcomeOf(verdict, strict) : 'unknown',
    verdict: gated ? verdict : 'inconclusive',
    word: gated ? compareWord(verdict) : 'too few requests',
    figure: `${metric}.${statistic}`,
    where: cellName(cell),
    values: formatPair(base.value, next.value, unit),
    change: ratio === null ? DASH : `× ${formatRatio(ratio)}${ratioInterval(row)}`,
    sentence: oneLine(sentence),
  };
}

function errorLine(row: ErrorRateRow, { strict }: BaselineReport): BaselineLine {
  const { cell, base, next, difference, verdict, sentence } = row;
  const share = (rate: number | null) => (rate === null ? DASH : formatShare(rate));
  return {
    outcome: outcomeOf(verdict, strict),
    verdict,
    word: compareWord(verdict),
    figure: 'errors.rate',
    where: cellName(cell),
    values: `${share(base.rate)} / ${share(next.rate)}`,
    change: difference === null ? DASH : `${formatPoints(difference)} points`,
    sentence: oneLine(sentence),
  };
}

function outcomeOf(verdict: RunComparisonVerdict, strict: boolean): BaselineOutcome {
  switch (verdict) {
    case 'regression':
    case 'not_comparable':
      return 'fail';
    case 'inconclusive':
      return strict ? 'fail' : 'unknown';
    case 'improvement':
    case 'equivalent':
      return 'pass';
    default:
      return verdict satisfies never;
  }
}

/** Why the regression check failed as a whole, if no single figure failed. */
interface BaselineProblem {
  kind: 'not-comparable' | 'inconclusive';
  sentence: string;
}

/** The problem of the regression check; undefined without one, and without a baseline. */
export function baselineProblem(report: Report): BaselineProblem | undefined {
  const { baseline } = report;
  if (baseline?.verdict === 'not_comparable')
    return { kind: 'not-comparable', sentence: oneLine(baseline.sentence) };
  if (baseline?.verdict !== 'inconclusive' || !baseline.strict) return undefined;
  return baselineLines(report).some(({ outcome }) => outcome === 'fail')
    ? undefined
    : { kind: 'inconclusive', sentence: oneLine(baseline.sentence) };
}

/** The result of the regression check in a sentence; empty without a baseline. */
export function baselineSentences({ baseline }: Report): string[] {
  return baseline === undefined
    ? []
    : [`regression check against baseline ${oneLine(baseline.name)}: ${oneLine(baseline.sentence)}`];
}
