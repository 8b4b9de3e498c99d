import { type CheckSeries, center, ENOUGH_RUNS, smallestDetectable, varianceOfRun } from './prediction.ts';

/** What a check can find, before it is measured, and how many requests would find less. */

/** What is needed of a check. */
export interface PlannedCheck {
  series: Pick<CheckSeries, 'history' | 'sampling' | 'assumedSpread'>;
  /** On the scale of the series. */
  tolerance: number;
  /** The one-sided level of the check in its family. */
  level: number;
}

/**
 * The smallest change for the worse that is found in four of five runs, on the scale of the series, where runs have `times` as
 * many requests as the accepted ones, history included.
 */
export function detectableWith({ series, tolerance, level }: PlannedCheck, times: number): number {
  const { history, sampling, assumedSpread } = series;
  const runs = history.length;
  const measured = runs >= ENOUGH_RUNS;
  const middle = center(history);
  const squares = history.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const between = measured ? Math.max(0, squares / (runs - 1) - sampling.history) : 0;
  const sampled = sampling.history / times;
  const variance = varianceOfRun({ measured: between + sampled, runs, sampling: sampled, assumedSpread });
  const sd = Math.sqrt(variance * (1 + 1 / runs));
  const degreesOfFreedom = measured ? runs - 1 : Number.POSITIVE_INFINITY;
  return smallestDetectable({ sd, degreesOfFreedom }, { alpha: level, tolerance });
}

/** More than this many times as many requests is no advice. */
const AT_MOST_TIMES = 20;

/**
 * How many times as many requests find a change of `target`; null where that is more than 20 times, because the runs themselves
 * differ too much.
 */
export function timesFor(check: PlannedCheck, target: number): number | null {
  if (detectableWith(check, AT_MOST_TIMES) > target) return null;
  let [low, high] = [0.05, AT_MOST_TIMES];
  for (let step = 0; step < 30; step++) {
    const middle = Math.sqrt(low * high);
    if (detectableWith(check, middle) > target) low = middle;
    else high = middle;
  }
  return high;
}
