import type { AbCheck, AbVerdict } from '../../model/ab-gate.ts';
import type { GateCheck } from '../regression/checks.ts';
import { newcombeInterval } from '../statistics/proportions.ts';
import { checkSentence } from './ab-sentences.ts';
import type { CellPair } from './paired-rows.ts';

/** Failed requests of all cells of both sides, and the interval of the difference of their rates. */
export interface ErrorRates {
  requests: number;
  base: number;
  next: number;
  difference: number;
  low: number;
  high: number;
}

/** Compares error rates with a two-sided interval. */
export function errorRates(pairs: readonly CellPair[], level: number): ErrorRates {
  const sum = (of: (pair: CellPair) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  const base = { hits: sum(({ a }) => a.failed), n: sum(({ a }) => a.requests) };
  const next = { hits: sum(({ b }) => b.failed), n: sum(({ b }) => b.requests) };
  const rate = ({ hits, n }: { hits: number; n: number }) => (n === 0 ? Number.NaN : hits / n);
  return {
    requests: Math.min(base.n, next.n),
    base: rate(base),
    next: rate(next),
    difference: rate(next) - rate(base),
    ...newcombeInterval(base, next, level),
  };
}

/**
 * The check of error rates, decided at a one-sided level by Newcombe's interval. `regression`: the interval lies above 0 and the rise
 * is above the tolerance.
 */
export function errorCheck(
  pairs: readonly CellPair[],
  { figure, unit, better, tolerance }: GateCheck,
): (alpha: number) => AbCheck {
  return (alpha) => {
    const shown = errorRates(pairs, 0.9);
    const { low, high } = errorRates(pairs, 1 - 2 * alpha);
    const { requests, base, next, difference } = shown;
    const gated = requests > 0;
    let verdict: AbVerdict = 'unchanged';
    if (!gated) verdict = 'inconclusive';
    else if (low > 0 && difference > tolerance) verdict = 'regression';
    else if (high < 0 && difference < -tolerance) verdict = 'improvement';
    else if (base === 0 && next === 0) verdict = 'equivalent';
    else if (shown.low > -2 * tolerance && shown.high < 2 * tolerance) verdict = 'equivalent';
    else if (difference > tolerance) verdict = 'inconclusive';
    const check = {
      ...{ cell: null, figure, unit, better, needed: 1, n: requests, tolerance, gated, verdict },
      base: gated ? base : null,
      next: gated ? next : null,
      worse: gated ? difference : null,
      low: gated ? shown.low : null,
      high: gated ? shown.high : null,
      ...{ pWorse: null, pBetter: null, detectable: null },
    };
    return { ...check, sentence: checkSentence(check) };
  };
}
