import type { AbCheck, AbStop, AbVerdict } from '../../model/ab-gate.ts';
import { formatChange, formatFactor, formatPoints, formatShare, formatValue } from '../../model/format.ts';
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

/** The sides as the sentence needs them. */
interface Sides {
  base: string;
  next: string;
  /** Whether their models reason before they answer. */
  baseReasons: boolean;
  nextReasons: boolean;
}

/** The gate in one sentence: `regression: new is worse than base: ttft.p50 +31 % (...), and 2 more`. */
export function gateSentence(verdict: AbVerdict, checks: readonly AbCheck[], sides: Sides): string {
  const { base, next } = sides;
  const found = checks.filter((check) => check.gated && check.verdict === verdict);
  const more = found.length > 1 ? `, and ${found.length - 1} more` : '';
  const [first] = found;
  const [lead] = checks;
  const thought = thoughtInWords(checks, sides);
  switch (verdict) {
    case 'regression':
    case 'improvement': {
      const is = verdict === 'regression' ? 'is worse than' : 'is better than';
      const answer = answerInWords(first, sides);
      const words = answer ?? `${next} ${is} ${base}: ${first?.sentence ?? ''}`;
      return `${verdict}: ${words}${answer === undefined ? '' : thought}${more}`;
    }
    case 'equivalent':
      return `equivalent: ${next} is within the tolerance of ${base}: ${lead?.sentence ?? ''}${thought}`;
    case 'unchanged':
      return `no regression: ${next} against ${base}: ${lead?.sentence ?? ''}${thought}`;
    case 'inconclusive': {
      const why = checks.find((check) => check.verdict === 'inconclusive');
      return `inconclusive: ${next} against ${base}: ${why?.sentence ?? 'nothing was compared'}`;
    }
    default:
      return verdict satisfies never;
  }
}

/** `new shows its answer 8.2x faster than base (7.9x to 8.5x): 190 ms instead of 1.5 s`, where the first answer text decided. */
function answerInWords(check: AbCheck | undefined, { base, next }: Sides): string | undefined {
  if (check === undefined || check.figure !== 'ttfa.p50' || check.cell !== null) return undefined;
  const { worse, low, high, unit } = check;
  if (worse === null) return undefined;
  const isWorse = worse > 1;
  const factor = (value: number | null) =>
    value === null || value === 0 ? 'unbounded' : formatFactor(isWorse ? value : 1 / value);
  const bounds = isWorse ? [low, high] : [high, low];
  const values = `${valueOrNever(check.next, unit)} instead of ${valueOrNever(check.base, unit)}`;
  return `${next} shows its answer ${factor(worse)} ${isWorse ? 'slower' : 'faster'} than ${base} (${bounds.map(factor).join(' to ')}): ${values}`;
}

/** `; its first thought comes at 41 ms instead of 38 ms`, where the first answer text leads; empty otherwise. */
function thoughtInWords(checks: readonly AbCheck[], { base, next, baseReasons, nextReasons }: Sides): string {
  const [lead] = checks;
  const first = checks.find(({ figure, cell }) => figure === 'ttft.p50' && cell === null);
  if (lead?.figure !== 'ttfa.p50' || !first?.gated || first.base === null || first.next === null) return '';
  const [baseAt, nextAt] = [formatValue(first.base, first.unit), formatValue(first.next, first.unit)];
  if (baseReasons && nextReasons) return `; its first thought comes at ${nextAt} instead of ${baseAt}`;
  if (nextReasons) return `; its first thought comes at ${nextAt}, ${base} does not reason`;
  return baseReasons ? `; the first thought of ${base} comes at ${baseAt}, ${next} does not reason` : '';
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
      return `${after}: more rounds would hardly make it a regression`;
    case 'maximum':
      return `not decided before the maximum of ${maxRounds} rounds`;
    default:
      return reason satisfies never;
  }
}
