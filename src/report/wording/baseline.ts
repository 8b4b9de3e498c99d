import { changeInWords, intervalInWords } from '../../analysis/regression/sentences.ts';
import { DASH, formatPair } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import type {
  BaselineReport,
  RunComparison,
  RunComparisonRow,
  RunComparisonVerdict,
} from '../../model/run-comparison.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** The words and the order of comparisons with a baseline, for the terminal and for every other format. */

const ORDER: readonly RunComparisonVerdict[] = [
  'regression',
  'not_comparable',
  'inconclusive',
  'improvement',
  'unchanged',
  'equivalent',
];

/** For sorting: the most serious verdict first. */
function compareRank(verdict: RunComparisonVerdict): number {
  return ORDER.indexOf(verdict);
}

/** The verdict on a row in words; a row that decides nothing says why. */
export function verdictInWords({ verdict, gated, pin, cell, change, next }: RunComparisonRow): string {
  if (gated || pin !== undefined || cell !== null) return verdict.replace('_', ' ');
  return change === null && next.value === null ? 'too few requests' : 'too noisy';
}

/** Where a row was measured, and what it was compared with if not the newest accepted runs. */
export function rowPlace({ cell, pin }: RunComparisonRow): string {
  const where = cell === null ? 'all cells' : cellName(cell);
  return pin === undefined ? where : `${where}, against pin ${oneLine(pin)}`;
}

/** `+31 % (+24 to +38)`; a dash without a change. */
export function rowChange(row: RunComparisonRow): string {
  return intervalInWords(row) || DASH;
}

/** Base and new value. */
export function rowValues({ base, next, unit }: RunComparisonRow): string {
  return formatPair(base.value, next.value, unit);
}

/** The smallest change that is found in four of five runs; a dash where that is not known. */
export function rowDetectable(row: RunComparisonRow): string {
  return row.detectable === null ? DASH : changeInWords(row, row.detectable);
}

/** All rows, those that failed first. Single cells are listed only where they regressed, or may have. */
export function sortedRows({ summaries, cells }: RunComparison): RunComparisonRow[] {
  const suspicious = cells.filter(({ verdict }) => verdict === 'regression');
  return [...summaries, ...suspicious].sort(
    (a, b) => Number(b.gated) - Number(a.gated) || compareRank(a.verdict) - compareRank(b.verdict),
  );
}

/** What a compared figure means for the run: `unknown` is neither a failure nor a pass. */
type BaselineOutcome = 'fail' | 'unknown' | 'pass';

/** One compared figure. */
export interface BaselineLine {
  outcome: BaselineOutcome;
  verdict: RunComparisonVerdict;
  /** The verdict in words. */
  word: string;
  /** `ttft.p95`, `errors.rate`. */
  figure: string;
  /** The cell or all cells. */
  where: string;
  /** Base and new; a dash without data. */
  values: string;
  /** The change with its interval. */
  change: string;
  sentence: string;
}

/** The figures, those that failed first. Empty without a baseline. */
export function baselineLines({ baseline }: Report): BaselineLine[] {
  if (baseline === undefined) return [];
  const order = { fail: 0, unknown: 1, pass: 2 };
  const lines = sortedRows(baseline).map((row) => lineOf(row, baseline));
  return lines.sort((a, b) => order[a.outcome] - order[b.outcome]);
}

function lineOf(row: RunComparisonRow, { strict }: BaselineReport): BaselineLine {
  const { verdict, gated, pin } = row;
  return {
    outcome: gated ? outcomeOf(verdict, strict) : pin === undefined ? 'unknown' : 'pass',
    verdict: gated || pin !== undefined ? verdict : 'inconclusive',
    word: verdictInWords(row),
    figure: row.figure,
    where: rowPlace(row),
    values: rowValues(row),
    change: rowChange(row),
    sentence: oneLine(row.sentence),
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
    case 'unchanged':
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

/** The problem with the comparison as a whole; undefined without one, and without a baseline. */
export function baselineProblem(report: Report): BaselineProblem | undefined {
  const { baseline } = report;
  if (baseline?.verdict === 'not_comparable')
    return { kind: 'not-comparable', sentence: oneLine(baseline.sentence) };
  if (baseline?.verdict !== 'inconclusive' || !baseline.strict) return undefined;
  return baselineLines(report).some(({ outcome }) => outcome === 'fail')
    ? undefined
    : { kind: 'inconclusive', sentence: oneLine(baseline.sentence) };
}

/** The comparison in a sentence, and what else matters; empty without a baseline. */
export function baselineSentences({ baseline }: Report): string[] {
  if (baseline === undefined) return [];
  const { name, sentence, details } = baseline;
  return [
    `regression check against baseline ${oneLine(name)}: ${oneLine(sentence)}`,
    ...details.map(oneLine),
  ];
}
