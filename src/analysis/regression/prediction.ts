import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../statistics/distributions.ts';

/**
 * One check of a new run against earlier runs, by a prediction interval: where would one more run lie if nothing had changed?
 *
 * Runs differ more than the requests inside a run do: machines, neighbours and caches change from one run to the next, and no
 * number of requests in a run shows it. So the spread is taken between whole runs. With K accepted runs of mean m and standard
 * deviation s, the next one lies within m ± t(K - 1) s sqrt(1 + 1/K). G. J. Hahn and W. Q. Meeker, "Statistical Intervals"
 * (1991), section 4.8.
 *
 * Few runs know their own spread badly, and t is large for it. So the measured variance is averaged with the assumed one, which
 * counts as two thirds as many runs, and t has as many degrees of freedom more: the moderated t of G. K. Smyth, "Linear models and
 * empirical Bayes methods for assessing differential expression in microarray experiments", Statistical Applications in Genetics and
 * Molecular Biology 3 (2004), article 3. A service that drifts more than assumed would get false alarms from that, and a calm one
 * would lose power: the assumed variance loses its weight as far as a chi-square test of the history contradicts it.
 */

/** From this many accepted runs on, the spread between them is measured; with fewer it is assumed. */
export const ENOUGH_RUNS = 5;
/** Weight of the assumed spread beside the measured one, where the two agree. Found by simulation. */
const PRIOR_SHARE = 2 / 3;

/** One check, as one number a run. The scale is logarithmic for times and rates, and larger is worse. */
export interface CheckSeries {
  /** This check's share of the familywise error rate. Shares are relative to the sum over the family. */
  weight: number;
  /** The accepted runs, oldest first. At least one. */
  history: readonly number[];
  /** The new run, or the mean of the last `nextRuns` runs. */
  next: number;
  /** Default 1. */
  nextRuns?: number;
  /** Variance that sampling inside the runs explains: of one accepted run, their mean, and of `next`. */
  sampling: { history: number; next: number };
  /** Standard deviation between runs, as far as too few were accepted to measure it. 0 for shares such as error rates. */
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
  const { history, next, nextRuns = 1, sampling, assumedSpread } = series;
  const runs = history.length;
  if (runs === 0) throw new RangeError('a prediction needs at least one accepted run');
  const middle = center(history);
  const change = next - middle;
  const assumed = runs < ENOUGH_RUNS;
  // History can look calmer by chance than sampling inside its runs allows.
  const measured = assumed ? 0 : Math.max(sampleVariance(history, middle), sampling.history);
  const ofOneRun = varianceOfRun({ measured, runs, sampling: sampling.history, assumedSpread });
  const noisier = Math.max(0, sampling.next - sampling.history / nextRuns);
  const variance = ofOneRun * (1 / nextRuns + 1 / runs) + noisier;
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
    common: assumed && variance > 0 ? (assumedSpread ** 2 * (1 / nextRuns + 1 / runs)) / variance : 0,
  };
}

/**
 * The variance between runs, sampling inside them included, for Student's t of `runs - 1` degrees of freedom, or for the normal
 * distribution with fewer than `ENOUGH_RUNS`.
 */
export function varianceOfRun({
  measured,
  runs,
  sampling,
  assumedSpread,
}: {
  /** The sample variance of the runs. */
  measured: number;
  runs: number;
  sampling: number;
  /** 0: the measured variance is used as it is. */
  assumedSpread: number;
}): number {
  const assumed = assumedSpread ** 2 + sampling;
  if (runs < ENOUGH_RUNS) return assumed;
  if (assumedSpread === 0 || measured === 0) return measured;
  const own = runs - 1;
  const above = chiSquareTail((own * measured) / assumed, own);
  const agrees = certainty(runs) * 2 * Math.min(above, 1 - above);
  const prior = Math.round(PRIOR_SHARE * own * agrees);
  const moderated = (prior * assumed + own * measured) / (prior + own);
  // The family is drawn with `runs - 1` degrees of freedom. At one-sided 5 % this gives the moderated t its critical value.
  return moderated * (criticalT(prior + own) / criticalT(own)) ** 2;
}

/** How far the agreement of few runs with a spread is believed: not at all up to `ENOUGH_RUNS`, fully from twice as many on. */
function certainty(runs: number): number {
  return Math.min(1, Math.max(0, runs / ENOUGH_RUNS - 1));
}

const criticalValues = new Map<number, number>();

/** The one-sided 5 % point of Student's t. */
function criticalT(degreesOfFreedom: number): number {
  const known = criticalValues.get(degreesOfFreedom) ?? studentQuantile(0.95, degreesOfFreedom);
  criticalValues.set(degreesOfFreedom, known);
  return known;
}

/** P(X > x) of the chi-square distribution, to about 0.002. E. B. Wilson and M. M. Hilferty, PNAS 17 (1931), 684-688. */
function chiSquareTail(x: number, degreesOfFreedom: number): number {
  const variance = 2 / (9 * degreesOfFreedom);
  return normalCdf((1 - variance - Math.cbrt(x / degreesOfFreedom)) / Math.sqrt(variance));
}

/**
 * Whether the tolerance limits false alarms by itself, from 0 to 1: how well the history agrees with a spread of which a run of the
 * same build exceeds the tolerance in 5 % of cases. 0 with up to `ENOUGH_RUNS`.
 */
export function toleranceLimits({ history, sampling }: CheckSeries, tolerance: number): number {
  const runs = history.length;
  if (runs <= ENOUGH_RUNS) return 0;
  const measured = Math.max(sampleVariance(history, center(history)), sampling.history);
  const limiting = tolerance ** 2 / (normalQuantile(0.95) ** 2 * (1 + 1 / runs));
  const agrees = Math.min(1, 2 * chiSquareTail(((runs - 1) * measured) / limiting, runs - 1));
  return agrees * certainty(runs);
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
