import { levelInWords } from '../../model/cells.ts';
import { formatChange, formatPoints, formatShare, formatValue } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type {
  ComparedHistory,
  RunComparison,
  RunComparisonRow,
  RunComparisonVerdict,
} from '../../model/run-comparison.ts';

/** Comparisons with accepted runs as text. */

/** `flash / short / 4 streams`, with the mode where it is not streaming. */
export function cellInWords({ target, prompt, mode, ...level }: Cell): string {
  return [target, prompt, levelInWords(level), ...(mode === 'streaming' ? [] : [mode])].join(' / ');
}

type SentenceRow = Omit<RunComparisonRow, 'sentence'>;

/** `+31 %` of a relative change, `+1.2 points` of a share. */
export function changeInWords({ unit }: Pick<SentenceRow, 'unit'>, change: number): string {
  return unit === 'ratio' ? `${formatPoints(change)} points` : formatChange(1 + change);
}

/** `+31 % (+24 to +38)`; empty without a change. */
export function intervalInWords(row: Pick<SentenceRow, 'unit' | 'change' | 'low' | 'high'>): string {
  const { change, low, high } = row;
  if (change === null) return '';
  const text = changeInWords(row, change);
  if (low === null || high === null) return text;
  const bare = (value: number) => changeInWords(row, value).replace(/ (%|points)$/, '');
  return `${text} (${bare(low)} to ${bare(high)})`;
}

/** The figure with its change and its values, without a verdict: `ttft.p50 +31 % (+24 to +38), 210 ms instead of 160 ms`. */
function figureInWords(row: SentenceRow): string {
  const { cell, figure, base, next, nextRuns, unit, pin } = row;
  const where = cell === null ? '' : `${cellInWords(cell)}: `;
  const reference = pin === undefined ? '' : ` against pin ${pin}`;
  if (next.value === null && next.n > 0)
    return `${where}${figure}${reference}: so many requests failed (${next.censored} of ${next.n}) that it has no value, instead of ${formatValue(base.value, unit)}`;
  const of = nextRuns === undefined ? '' : ` in the mean of the last ${nextRuns} runs`;
  const values = `${formatValue(next.value, unit)}${of} instead of ${formatValue(base.value, unit)}`;
  return `${where}${figure} ${intervalInWords(row)}${reference}, ${values}`;
}

/** A row with its verdict, as lists show it. `missing`: why there is nothing to compare. */
export function rowSentence(row: SentenceRow, missing?: string): string {
  if (missing !== undefined) return `${row.figure}: not compared: ${missing}`;
  const noisy = row.gated ? '' : ', too noisy to decide';
  return `${figureInWords(row)}: ${row.verdict}${noisy}`;
}

/** `8 accepted runs of main`, or `run X` where there is one run that has no baseline. */
function historyInWords({ base, history }: Pick<RunComparison, 'base' | 'history'>): string {
  const { runs } = history;
  if (runs.length === 1) return runs[0] === base ? `run ${base}` : `the accepted run of ${base}`;
  return `${runs.length} accepted runs of ${base}`;
}

/** The comparison in one sentence, the verdict first. */
export function overallSentence(
  verdict: RunComparisonVerdict,
  comparison: Pick<RunComparison, 'base' | 'history' | 'summaries' | 'cells' | 'obstacles'>,
): string {
  const { summaries, cells, obstacles } = comparison;
  const deciding = [...summaries, ...cells].filter(({ gated }) => gated);
  const [first] = deciding.filter((row) => row.verdict === verdict);
  const [leading] = deciding;
  const found = (row: RunComparisonRow) =>
    row.detectable === null
      ? ''
      : `; a change of ${changeInWords(row, row.detectable)} would be detected in 4 of 5 runs`;
  switch (verdict) {
    case 'regression':
    case 'improvement':
      return `${verdict}: ${first === undefined ? comparison.base : figureInWords(first)}`;
    case 'equivalent':
      return `equivalent: ${leading === undefined ? '' : `${figureInWords(leading)}; `}all checked figures are within their tolerance`;
    case 'unchanged':
      return leading === undefined
        ? 'unchanged'
        : `unchanged: ${figureInWords(leading)}, within the differences of ${historyInWords(comparison)}${found(leading)}`;
    case 'inconclusive': {
      if (first === undefined) {
        const reasons = summaries.map(({ sentence }) => sentence);
        return `inconclusive: no figure can be compared${reasons.length === 0 ? '' : ` (${reasons[0]})`}`;
      }
      if (first.change === null) return `inconclusive: ${first.sentence}`;
      const why = isWorse(first)
        ? `is more than the tolerance of ${tolerance(first)}, but may be chance`
        : 'cannot be judged: the runs differ too much';
      return `inconclusive: ${figureInWords(first)}, ${why}`;
    }
    case 'not_comparable':
      return `not comparable: ${obstacles.join('; ')}`;
    default:
      return verdict satisfies never;
  }
}

/** What else matters, at most three sentences. */
export function detailSentences(
  verdict: RunComparisonVerdict,
  { summaries, cells, base, history }: Pick<RunComparison, 'summaries' | 'cells' | 'base' | 'history'>,
  advice?: string,
): string[] {
  if (verdict === 'not_comparable') return [];
  const found = [...summaries, ...cells].filter((row) => row.gated && row.verdict === verdict);
  const others = verdict === 'regression' || verdict === 'improvement' ? found.slice(1) : [];
  const [more, ...rest] = others;
  const lines = [
    more && `also: ${figureInWords(more)}${rest.length > 0 ? `, and ${rest.length} more` : ''}`,
    spreadInWords({ base, history }),
    advice,
  ];
  return lines.filter((line) => line !== undefined);
}

function spreadInWords({ base, history }: { base: string; history: ComparedHistory }): string {
  const { assumedSpread, measuredSpread } = history;
  const compared = `compared with ${historyInWords({ base, history })}`;
  if (assumedSpread !== null)
    return `${compared}; the spread between runs is assumed to be ${formatShare(assumedSpread)} (it is measured from 5 accepted runs on)`;
  return measuredSpread === null
    ? compared
    : `${compared}, which differ by ${formatShare(measuredSpread)} (standard deviation)`;
}

function isWorse({ change, better, unit, tolerance: limit }: RunComparisonRow): boolean {
  if (change === null) return false;
  if (unit === 'ratio' || better === 'lower') return (better === 'lower' ? change : -change) > limit;
  return 1 / (1 + change) - 1 > limit;
}

function tolerance({ unit, tolerance: limit }: RunComparisonRow): string {
  return unit === 'ratio' ? `${formatPoints(limit).replace('+', '')} points` : formatShare(limit);
}
