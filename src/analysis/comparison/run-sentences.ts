import { levelInWords } from '../../model/cells.ts';
import { formatChange, formatShare, formatValue } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { ErrorRateRow, RunComparisonRow, RunComparisonVerdict } from '../../model/run-comparison.ts';

/** The sentences that comparisons are told in. */

/** `flash / short / 4 streams`, with the mode where it is not streaming. */
export function cellInWords({ target, prompt, mode, ...level }: Cell): string {
  return [target, prompt, levelInWords(level), ...(mode === 'streaming' ? [] : [mode])].join(' / ');
}

type SentenceRow = Omit<RunComparisonRow, 'sentence'>;

/** One row in words. */
export function rowSentence(
  row: SentenceRow,
  { needed, gates, byChance }: { needed: number; gates: number; byChance: boolean },
): string {
  const name = `${row.metric} ${row.statistic} of ${cellInWords(row.cell)}`;
  if (row.base.n === 0 || row.next.n === 0) {
    const missing = row.base.n === 0 ? (row.next.n === 0 ? 'either' : 'the base') : 'the new';
    return `${name}: no values on ${missing} side, so nothing can be said`;
  }
  const change = `${side(row, 'base')} before, ${side(row, 'next')} now`;
  const interval =
    row.ratio === null
      ? ''
      : ` (${formatChange(row.ratio)}; between ${formatChange(row.low ?? 0)} and ${row.high === null ? 'no upper bound' : formatChange(row.high)})`;
  return `${name}: ${change}${interval}: ${conclusion(row, needed, gates, byChance)}`;
}

function side(row: SentenceRow, name: 'base' | 'next'): string {
  const { value, censored, n } = row[name];
  return value === null && censored > 0
    ? `never (${censored} of ${n} failed)`
    : value === null
      ? 'no value'
      : formatValue(value, row.unit);
}

function conclusion(row: SentenceRow, needed: number, gates: number, byChance: boolean): string {
  const n = Math.min(row.base.n, row.next.n);
  if (!row.gated) return `shown only, as ${n} values are too few (${needed} are needed)`;
  switch (row.verdict) {
    case 'regression':
      return `regression, worse by more than ${formatShare(row.tolerance)}`;
    case 'improvement':
      return `improvement by more than ${formatShare(row.tolerance)}`;
    case 'equivalent':
      return 'equivalent';
    case 'inconclusive': {
      const why = byChance ? `, as one of ${gates} figures is this far off by chance` : '';
      const more =
        row.moreRequests === null
          ? ''
          : `; about ${row.moreRequests} more requests on each side would decide${row.drawn === 'rounds' ? ', in more rounds' : ''}`;
      return `inconclusive${why}${more}`;
    }
    case 'not_comparable':
      return 'not comparable';
    default:
      return row.verdict satisfies never;
  }
}

/** The comparison in one sentence. */
export function overallSentence(
  verdict: RunComparisonVerdict,
  rows: readonly RunComparisonRow[],
  errors: readonly ErrorRateRow[],
  obstacles: readonly string[],
): string {
  const gates = rows.filter(({ gated }) => gated);
  const found = [...gates, ...errors].filter((one) => one.verdict === verdict);
  switch (verdict) {
    case 'regression':
    case 'improvement': {
      const [first] = found;
      const others = found.length > 1 ? `, and ${found.length - 1} more` : '';
      return `${first?.sentence ?? verdict}${others}`;
    }
    case 'equivalent': {
      const few = rows.length - gates.length;
      const rest = few === 0 ? '' : `; ${few} more had too few values to tell`;
      return gates.length === 1
        ? `equivalent: the one figure that was compared lies within its tolerance${rest}`
        : `equivalent: all ${gates.length} figures that were compared lie within their tolerance${rest}`;
    }
    case 'inconclusive':
      return gates.length === 0
        ? 'inconclusive: no figure has enough values to decide'
        : `inconclusive: ${found.length} of ${gates.length + errors.length} figures could be a change or none`;
    case 'not_comparable':
      return `not comparable: ${obstacles.join('; ')}`;
    default:
      return verdict satisfies never;
  }
}
