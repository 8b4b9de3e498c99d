import type { AbCheck, AbStop, AbVerdict } from '../../model/ab-gate.ts';
import { formatChange, formatPoints, formatShare, formatValue } from '../../model/format.ts';
import { cellInWords } from '../regression/sentences.ts';

/** The gate of two sides as text. */

type Unsaid = Omit<AbCheck, 'sentence'>;

/** `ttft.p50 +31 % (+24 % to +38 %): 210 ms instead of 160 ms`. */
export function checkSentence(check: Unsaid): string {
  const { cell, figure } = check;
  const where = cell === null ? '' : ` of ${cellInWords(cell)}`;
  return `${figure}${where}${figure === 'errors.rate' ? errorsInWords(check) : figureInWords(check)}`;
}

function figureInWords(check: Unsaid): string {
  const { unit, n, needed, base, next, gated, tolerance, verdict, detectable } = check;
  if (!gated) {
    return n === 0 ? ': no values' : `: ${n} ${n === 1 ? 'value' : 'values'} per side, ${needed} needed`;
  }
  const values = `${valueOrNever(next, unit)} instead of ${valueOrNever(base, unit)}`;
  const change = `${changeInWords(check)}: ${values}`;
  switch (verdict) {
    case 'regression':
    case 'improvement':
      return change;
    case 'equivalent':
      return ` equivalent within ${formatShare(tolerance)},${change}`;
    case 'unchanged':
      return ` unchanged,${change}${detectable === null ? '' : `; a slowdown of ${formatShare(detectable)} would have been found in 4 of 5 runs`}`;
    case 'inconclusive':
      return ` inconclusive,${change}`;
    default:
      return verdict satisfies never;
  }
}

/** ` +31 % (+24 % to +38 %)`: the change of the value, which is downwards for a rate that got worse. */
function changeInWords({ better, worse, low, high }: Unsaid): string {
  if (worse === null) return '';
  const isTime = better === 'lower';
  const shown = (factor: number | null) =>
    factor === null ? 'unbounded' : formatChange(isTime ? factor : 1 / factor);
  const bounds = isTime ? [low, high] : [high, low];
  return ` ${shown(worse)} (${bounds.map(shown).join(' to ')})`;
}

function valueOrNever(value: number | null, unit: Unsaid['unit']): string {
  return value === null ? 'failed requests' : formatValue(value, unit);
}

function errorsInWords({ base, next, low, high, gated, worse }: Unsaid): string {
  if (!gated || base === null || next === null || worse === null) return ': no requests';
  if (base === 0 && next === 0) return ': no failures on either side';
  const interval = `${formatPoints(low ?? -1)} to ${formatPoints(high ?? 1)}`;
  return ` ${formatPoints(worse)} points (${interval}): ${formatShare(next)} instead of ${formatShare(base)}`;
}

/** The gate in one sentence: `regression: new is worse than base: ttft.p50 +31 % (...), and 2 more`. */
export function gateSentence(
  verdict: AbVerdict,
  checks: readonly AbCheck[],
  { base, next }: { base: string; next: string },
): string {
  const found = checks.filter((check) => check.gated && check.verdict === verdict);
  const more = found.length > 1 ? `, and ${found.length - 1} more` : '';
  const [first] = found;
  const [lead] = checks;
  switch (verdict) {
    case 'regression':
      return `regression: ${next} is worse than ${base}: ${first?.sentence ?? ''}${more}`;
    case 'improvement':
      return `improvement: ${next} is better than ${base}: ${first?.sentence ?? ''}${more}`;
    case 'equivalent':
      return `equivalent: ${next} is within the tolerance of ${base}: ${lead?.sentence ?? ''}`;
    case 'unchanged':
      return `no regression: ${next} against ${base}: ${lead?.sentence ?? ''}`;
    case 'inconclusive': {
      const why = checks.find((check) => check.verdict === 'inconclusive');
      return `inconclusive: ${next} against ${base}: ${why?.sentence ?? 'nothing was compared'}`;
    }
    default:
      return verdict satisfies never;
  }
}

/** After how many rounds the run ended, and why. */
export function stopSentence(
  { rounds, maxRounds, reason }: Omit<AbStop, 'sentence'>,
  figure: string,
): string {
  const after = `stopped after ${rounds} of at most ${maxRounds} rounds`;
  switch (reason) {
    case 'regression':
      return `${after}: ${figure} is worse by more than the tolerance`;
    case 'no_regression':
      return `${after}: every figure is inside the tolerance`;
    case 'maximum':
      return `not decided before the maximum of ${maxRounds} rounds`;
    default:
      return reason satisfies never;
  }
}
