import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../statistics/distributions.ts';

/**
 * One check of a new run against earlier runs, by a prediction interval: where would one more run lie if nothing had changed?
 *
 * Runs differ more than the requests inside a run do: machines, neighbours and caches change from one run to the next, and no
 * number of requests in a run shows it. So the spread is taken between whole runs. With K accepted runs of mean m and standard
 * deviation s, the next one lies within m ± t(K - 1) s sqrt(1 + 1/K). G. J. Hahn and W. Q. Meeker, "Statistical Intervals"
 * (1991), section 4.8.
 */

/** From this many accepted runs on, the spread between them is measured; with fewer it is assumed. */
export const ENOUGH_RUNS = 5;

/** One check, as one number a run. The scale is logarithmic for times and rates, and larger is worse. */
export interface CheckSeries {
  /** This check's share of the familywise error rate. Shares are relative to the sum over the family. */
  weight: number;
  /** The accepted runs, oldest first. At least one. */
  history: readonly number[];
  next: number;
  /** Variance of a run's number that sampling inside the run explains: the mean over the history, and of the new run. */
  sampling: { history: number; next: number };
  /** Standard deviation between runs where there are fewer than `ENOUGH_RUNS`. 0 for shares such as error rates. */
  assumedSpread: number;
}

/** What the earlier runs say about a new one. */
export interface Prediction {
  /** The mean of the accepted runs. */
  center: number;
  /** `next - center`. Above 0: worse. */
  change: number;
  /** Standard deviation of `change` if nothing had changed. */
  sd: number;
  /** Of the t distribution; Infinity where the spread is assumed. */
  degreesOfFreedom: number;
  /** One-sided p-values of the change: that a run of the same build lies this far up, or down. */
  pWorse: number;
  pBetter: number;
  /** Whether sampling inside the run could explain the change alone: its one-sided p-values, with no spread between runs. */
  samplingPWorse: number;
  samplingPBetter: number;
  /** Where `ENOUGH_RUNS` was not reached. */
  assumed: boolean;
  /** The history in its own standard deviations; what the correlation between checks is read from. */
  scores: readonly number[];
  /** Share of the variance of `change` that all checks of a run have in common, where the spread is assumed. */
  common: number;
}

/** Predicts the next run from the accepted ones. Throws a `RangeError` without any. */
export function predict(series: CheckSeries): Prediction {
  const { history, next, sampling, assumedSpread } = series;
  const runs = history.length;
  if (runs === 0) throw new RangeError('a prediction needs at least one accepted run');
  const middle = center(history);
  const change = next - middle;
  const assumed = runs < ENOUGH_RUNS;
  const betweenRuns = assumed ? assumedSpread ** 2 : sampleVariance(history, middle);
  // History can look calmer by chance than sampling inside its runs allows.
  const ofOneRun = assumed ? betweenRuns + sampling.history : Math.max(betweenRuns, sampling.history);
  const noisier = Math.max(0, sampling.next - sampling.history);
  const variance = ofOneRun * (1 + 1 / runs) + noisier;
  const sd = Math.sqrt(variance);
  const degreesOfFreedom = assumed ? Number.POSITIVE_INFINITY : runs - 1;
  const samplingSd = Math.sqrt(sampling.next + sampling.history / runs);
  const z = standardized(change, samplingSd);
  const t = standardized(change, sd);
  const spread = Math.sqrt(ofOneRun);
  return {
    center: middle,
    change,
    sd,
    degreesOfFreedom,
    pWorse: upperTail(t, degreesOfFreedom),
    pBetter: upperTail(-t, degreesOfFreedom),
    samplingPWorse: 1 - normalCdf(z),
    samplingPBetter: normalCdf(z),
    assumed,
    scores: history.map((value) => (spread > 0 ? (value - middle) / spread : 0)),
    common: assumed && variance > 0 ? (betweenRuns * (1 + 1 / runs)) / variance : 0,
  };
}

/** What accepted runs are at: their mean, on the scale of the series. */
export function center(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The bounds of the change, two-sided at `level`, on the scale of the series. */
export function changeInterval(
  { change, sd, degreesOfFreedom }: Prediction,
  level: number,
): [number, number] {
  const half = quantile(0.5 + level / 2, degreesOfFreedom) * sd;
  return [change - half, change + half];
}

/**
 * The smallest change that would be found with probability `power`, by a test at the one-sided level `alpha` that also asks
 * for more than `tolerance`: all on the scale of the series.
 */
export function smallestDetectable(
  { sd, degreesOfFreedom }: Pick<Prediction, 'sd' | 'degreesOfFreedom'>,
  { alpha, tolerance, power = 0.8 }: { alpha: number; tolerance: number; power?: number },
): number {
  const significant = quantile(1 - alpha, degreesOfFreedom) * sd;
  return Math.max(significant, tolerance) + normalQuantile(power) * sd;
}

/** P(T > t) with this many degrees of freedom; the normal distribution where they are infinite. */
export function upperTail(t: number, degreesOfFreedom: number): number {
  if (t === Number.POSITIVE_INFINITY) return 0;
  if (t === Number.NEGATIVE_INFINITY) return 1;
  return degreesOfFreedom === Number.POSITIVE_INFINITY ? normalCdf(-t) : studentCdf(-t, degreesOfFreedom);
}

function quantile(p: number, degreesOfFreedom: number): number {
  return degreesOfFreedom === Number.POSITIVE_INFINITY
    ? normalQuantile(p)
    : studentQuantile(p, degreesOfFreedom);
}

function standardized(change: number, sd: number): number {
  if (sd > 0) return change / sd;
  return change === 0 ? 0 : Math.sign(change) * Number.POSITIVE_INFINITY;
}

function sampleVariance(values: readonly number[], mean: number): number {
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
