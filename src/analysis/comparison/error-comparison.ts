import { formatPoints } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { ErrorRateRow, ErrorRateSide, RunComparisonVerdict } from '../../model/run-comparison.ts';
import { newcombeInterval, wilsonInterval } from '../statistics/proportions.ts';
import { cellInWords } from './run-sentences.ts';
import type { CellSamples } from './samples.ts';

/**
 * Compares the error rates of one cell. `regression`: Newcombe's interval of the difference lies above 0 and the rise is at least
 * `tolerance`. `improvement`: the mirror. `equivalent`: no failure on either side, or the interval lies within twice the tolerance.
 */
export function compareErrors(
  cell: Cell,
  before: CellSamples,
  after: CellSamples,
  level: number,
  tolerance: number,
): ErrorRateRow {
  const [base, next] = [side(before, level), side(after, level)];
  if (base.rate === null || next.rate === null) {
    const sentence = `error rate of ${cellInWords(cell)}: no requests on ${base.rate === null ? 'the base' : 'the new'} side`;
    return { cell, base, next, difference: null, low: null, high: null, verdict: 'inconclusive', sentence };
  }
  const difference = next.rate - base.rate;
  const { low, high } = newcombeInterval(
    { hits: base.failed, n: base.requests },
    { hits: next.failed, n: next.requests },
    level,
  );
  let verdict: RunComparisonVerdict = 'inconclusive';
  if (low > 0 && difference >= tolerance) verdict = 'regression';
  else if (high < 0 && difference <= -tolerance) verdict = 'improvement';
  else if (base.failed + next.failed === 0 || (low > -2 * tolerance && high < 2 * tolerance))
    verdict = 'equivalent';
  const figures = `${share(base)} before, ${share(next)} now`;
  const range = `(${formatPoints(low)} to ${formatPoints(high)} points)`;
  const sentence = `error rate of ${cellInWords(cell)}: ${figures} ${range}: ${verdict}`;
  return { cell, base, next, difference, low, high, verdict, sentence };
}

function side({ failed, requests }: CellSamples, level: number): ErrorRateSide {
  return {
    failed,
    requests,
    rate: requests === 0 ? null : failed / requests,
    ...wilsonInterval(failed, requests, level),
  };
}

function share({ failed, requests }: ErrorRateSide): string {
  return `${failed} of ${requests}`;
}
