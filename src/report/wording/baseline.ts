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

/** The words and the order in which comparisons are told, on a terminal and in every other format. */

const ORDER: readonly RunComparisonVerdict[] = [
  'regression',
  'not_comparable',
  'inconclusive',
  'improvement',
  'equivalent',
];

/** For sorting: the gravest verdict first. */
export function compareRank(verdict: RunComparisonVerdict): number {
  return ORDER.indexOf(verdict);
}

/** The verdict in a word for a person. */
export function compareWord(verdict: RunComparisonVerdict): string {
  return verdict.replace('_', ' ');
}

/** ` (0.95–1.20)`: the interval of a ratio, with a question mark for a bound that the data does not set; empty without both. */
export function ratioInterval({ low, high }: Pick<RunComparisonRow, 'low' | 'high'>): string {
  if (low === null && high === null) return '';
  const bound = (value: number | null) => (value === null ? '?' : formatRatio(value));
  return ` (${bound(low)}–${bound(high)})`;
}

/** What the comparison with a baseline comes to, for every format alike. */

/** What a compared figure means for the run: `unknown` is neither a failure nor a pass. */
type BaselineOutcome = 'fail' | 'unknown' | 'pass';

/** One compared figure. */
export interface BaselineLine {
  outcome: BaselineOutcome;
  verdict: RunComparisonVerdict;
  /** The verdict in words; `too few requests` where that alone is why nothing is decided. */
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

/** The figures, those that failed first. Empty without a baseline. */
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

/** Why the comparison as a whole failed, where no single figure says so. */
interface BaselineProblem {
  kind: 'not-comparable' | 'inconclusive';
  sentence: string;
}

/** The trouble with the comparison; undefined without one, and without a baseline. */
export function baselineProblem(report: Report): BaselineProblem | undefined {
  const { baseline } = report;
  if (baseline?.verdict === 'not_comparable')
    return { kind: 'not-comparable', sentence: oneLine(baseline.sentence) };
  if (baseline?.verdict !== 'inconclusive' || !baseline.strict) return undefined;
  return baselineLines(report).some(({ outcome }) => outcome === 'fail')
    ? undefined
    : { kind: 'inconclusive', sentence: oneLine(baseline.sentence) };
}

/** The comparison in a sentence; empty without a baseline. */
export function baselineSentences({ baseline }: Report): string[] {
  return baseline === undefined
    ? []
    : [`against baseline ${oneLine(baseline.name)}: ${oneLine(baseline.sentence)}`];
}
