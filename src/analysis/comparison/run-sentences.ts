import { levelInWords } from '../../model/cells.ts';
import { formatChange, formatShare, formatValue } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { ErrorRateRow, RunComparisonRow, RunComparisonVerdict } from '../../model/run-comparison.ts';

/** Run comparisons as text. */

/** `flash / short / 4 streams`; names the mode only where it is not streaming. */
export function cellInWords({ target, prompt, mode, ...level }: Cell): string {
  return [target, prompt, levelInWords(level), ...(mode === 'streaming' ? [] : [mode])].join(' / ');
}

type SentenceRow = Omit<RunComparisonRow, 'sentence'>;

/** One row as a sentence. `figures`: how many decide; `byChance`: the verdict did not survive the adjustment over them. */
export function rowSentence(
  row: SentenceRow,
  { needed, figures, byChance }: { needed: number; figures: number; byChance: boolean },
): string {
  const name = `${row.metric} ${row.statistic} of ${cellInWords(row.cell)}`;
  if (row.base.n === 0 || row.next.n === 0) {
    const missing = row.base.n === 0 ? (row.next.n === 0 ? 'either' : 'the base') : 'the new';
    return `${name}: no values on ${missing} side`;
  }
  const change = `${side(row, 'base')} before, ${side(row, 'next')} now`;
  const interval =
    row.ratio === null
      ? ''
      : ` (${formatChange(row.ratio)}; between ${formatChange(row.low ?? 0)} and ${row.high === null ? 'no upper bound' : formatChange(row.high)})`;
  return `${name}: ${change}${interval}: ${conclusion(row, needed, figures, byChance)}`;
}

function side(row: SentenceRow, name: 'base' | 'next'): string {
  const { value, censored, n } = row[name];
  if (value !== null) return formatValue(value, row.unit);
  return censored > 0 ? `no value (${censored} of ${n} failed)` : 'no value';
}

function conclusion(row: SentenceRow, needed: number, figures: number, byChance: boolean): string {
  const n = Math.min(row.base.n, row.next.n);
  if (!row.gated) return `not decided: ${n} ${n === 1 ? 'value' : 'values'}, ${needed} needed`;
  switch (row.verdict) {
    case 'regression':
      return `regression, worse by more than ${formatShare(row.tolerance)}`;
    case 'improvement':
      return `improvement by more than ${formatShare(row.tolerance)}`;
    case 'equivalent':
      return 'equivalent';
    case 'inconclusive': {
      const why = byChance ? `, not significant among ${figures} figures` : '';
      const more =
        row.moreRequests === null
          ? ''
          : `; about ${row.moreRequests} more requests per side${row.drawn === 'rounds' ? ', in more rounds,' : ''} would decide it`;
      return `inconclusive${why}${more}`;
    }
    case 'not_comparable':
      return 'not comparable';
    default:
      return row.verdict satisfies never;
  }
}

/** The whole comparison in one sentence. */
export function overallSentence(
  verdict: RunComparisonVerdict,
  rows: readonly RunComparisonRow[],
  errors: readonly ErrorRateRow[],
  obstacles: readonly string[],
): string {
  const gated = rows.filter(({ gated }) => gated);
  const found = [...gated, ...errors].filter((one) => one.verdict === verdict);
  switch (verdict) {
    case 'regression':
    case 'improvement': {
      const [first] = found;
      const others = found.length > 1 ? `, and ${found.length - 1} more` : '';
      return `${first?.sentence ?? verdict}${others}`;
    }
    case 'equivalent': {
      const few = rows.length - gated.length;
      const rest = few === 0 ? '' : `; ${few} more had too few values`;
      return gated.length === 1
        ? `equivalent: the only compared figure is within its tolerance${rest}`
        : `equivalent: all ${gated.length} compared figures are within their tolerance${rest}`;
    }
    case 'inconclusive':
      return gated.length === 0
        ? 'inconclusive: no figure has enough values'
        : `inconclusive: ${found.length} of ${gated.length + errors.length} figures are undecided`;
    case 'not_comparable':
      return `not comparable: ${obstacles.join('; ')}`;
    default:
      return verdict satisfies never;
  }
}
