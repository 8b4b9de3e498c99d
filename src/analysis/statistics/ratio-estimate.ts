import { rankOf } from '../../metrics/percentile.ts';
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from './distributions.ts';

/** Intervals and p-values from resampled ratios, corrected for few clusters. */

/** A ratio with its uncertainty. */
export interface RatioEstimate {
  /** The statistic on either side. */
  base: number;
  next: number;
  /** next / base. NaN where both are infinite. */
  ratio: number;
  /** Bounds of the ratio: 0 or Infinity where the data sets no bound. */
  low: number;
  high: number;
  level: number;
  /** What was resampled. */
  drawn: 'rounds' | 'requests';
  resamples: number;
  seed: number;
  /** One-sided p-value of "the ratio is not above `limit`". */
  pAbove(limit: number): number;
  /** One-sided p-value of "the ratio is not below `limit`". */
  pBelow(limit: number): number;
}

/** By how much the distribution of resamples is too narrow. */
export interface Widening {
  /** Factor on distances, in standard deviations. */
  factor: number;
  degreesOfFreedom: number;
}

/**
 * The correction for k clusters: resampling them shows only (k - 1) / k of the variance, with k - 1 degrees of freedom; with two
 * sides, Welch's. Infinitely many clusters need none. `variance` is that of the resamples, in any unit.
 */
export function widening(sides: readonly { variance: number; clusters: number }[]): Widening {
  let observed = 0;
  let corrected = 0;
  let denominator = 0;
  for (const { variance, clusters } of sides) {
    const inflated = Number.isFinite(clusters) ? (variance * clusters) / (clusters - 1) : variance;
    observed += variance;
    corrected += inflated;
    denominator += (inflated * inflated) / (clusters - 1);
  }
  if (!(observed > 0) || !Number.isFinite(corrected)) {
    // No variance, or an infinite one: correct by the number of clusters alone.
    const fewest = Math.min(...sides.map(({ clusters }) => clusters));
    const factor = Number.isFinite(fewest) ? Math.sqrt(fewest / (fewest - 1)) : 1;
    return { factor, degreesOfFreedom: fewest - 1 };
  }
  return {
    factor: Math.sqrt(corrected / observed),
    degreesOfFreedom: denominator > 0 ? (corrected * corrected) / denominator : Number.POSITIVE_INFINITY,
  };
}

/** The input of an estimate. */
export interface Resampled {
  /** The statistic on either side, as measured. */
  base: number;
  next: number;
  /** Logarithm of the ratio as measured. */
  log: number;
  /** Logarithms of the ratio in the resamples; NaN where both sides were infinite. */
  logs: Float64Array;
  widening: Widening;
  drawn: RatioEstimate['drawn'];
  seed: number;
  level: number;
}

/** Computes the interval and the p-values. */
export function estimateRatio(resampled: Resampled): RatioEstimate {
  const { base, next, log, logs, drawn, seed, level } = resampled;
  const { factor, degreesOfFreedom } = resampled.widening;
  const known = logs.filter((value) => !Number.isNaN(value)).sort();
  // Where both sides were infinite the ratio is unknown: such draws count against both bounds.
  const unknown = logs.length - known.length;
  const tail = normalCdf(factor * studentQuantile((1 - level) / 2, degreesOfFreedom));
  const lowRank = Math.floor(tail * logs.length) - unknown;
  const lowLog = lowRank < 0 ? Number.NEGATIVE_INFINITY : known[Math.min(lowRank, known.length - 1)]!;
  const highRank = known.length - 1 - lowRank;
  const highLog = lowRank < 0 ? Number.POSITIVE_INFINITY : known[Math.max(0, highRank)]!;

  const p = (limitLog: number, sign: 1 | -1): number => {
    if (known.length === 0) return 1;
    const at = (q: number) => known[rankOf(q, known.length) - 1]!;
    let beyond = unknown;
    for (const value of known) if (sign * (value - limitLog) <= 0) beyond += 1;
    const centre = at(0.5);
    const deviation = sign === 1 ? centre - at(0.1587) : at(0.8413) - centre;
    // With fewer than ten draws in the tail, extrapolate by the normal distribution.
    const far = deviation > 0 ? (sign * (centre - limitLog)) / deviation : Number.POSITIVE_INFINITY;
    const z =
      beyond >= 10 ? -normalQuantile(beyond / logs.length) : Math.max(far, -normalQuantile(10 / logs.length));
    return 1 - studentCdf(z / factor, degreesOfFreedom);
  };

  return {
    base,
    next,
    ratio: Math.exp(log),
    low: Math.exp(lowLog),
    high: Math.exp(highLog),
    level,
    drawn,
    resamples: logs.length,
    seed,
    pAbove: (limit) => p(Math.log(limit), 1),
    pBelow: (limit) => p(Math.log(limit), -1),
  };
}

/** The logarithm of next / base. Equal values, also two zeros, give 0; two infinite ones NaN. */
export function logRatio(base: number, next: number): number {
  if (base === next && Number.isFinite(base)) return 0;
  return Math.log(next / base);
}
