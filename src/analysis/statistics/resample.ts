import { rankOf } from '../../metrics/percentile.ts';
import { drawGamma, type Random } from '../../model/seeded-random.ts';
import type { GroupedSample, Statistic } from './weighted-sample.ts';

/** The two ways to resample: whole groups, or single values. */

/** Draws as many whole groups as there are. Returns the statistic of each resample. */
export function drawGroups(
  sample: GroupedSample,
  statistic: Statistic,
  resamples: number,
  random: Random,
): Float64Array {
  return drawWeights(sample.groups, resamples, random, (weights) => sample.at(statistic, weights));
}

/** As `drawGroups`, with any statistic of the weights. With few groups a draw repeats often and is computed once. */
export function drawWeights(
  groups: number,
  resamples: number,
  random: Random,
  at: (weights: Uint16Array) => number,
): Float64Array {
  const draws = new Float64Array(resamples);
  if (groups === 0) return draws;
  const known = groups <= 8 ? new Map<number, number>() : undefined;
  const weights = new Uint16Array(groups);
  for (let i = 0; i < resamples; i++) {
    weights.fill(0);
    let key = 0;
    for (let g = 0; g < groups; g++) {
      const drawn = random.below(groups);
      weights[drawn]! += 1;
      key += (groups + 1) ** drawn;
    }
    let value = known?.get(key);
    if (value === undefined) {
      value = at(weights);
      known?.set(key, value);
    }
    draws[i] = value;
  }
  return draws;
}

/** Draws as many single values as there are. Returns the statistic of each resample. */
export function drawRequests(
  sample: GroupedSample,
  statistic: Statistic,
  resamples: number,
  random: Random,
): Float64Array {
  const { sorted, n } = sample;
  const draws = new Float64Array(resamples);
  if (n === 0) return draws;
  if (statistic === 'mean') {
    const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
    const error = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / n;
    // The mean of a resample with an infinite value is infinite, and nearly all resamples contain one.
    for (let i = 0; i < resamples; i++)
      draws[i] = Number.isFinite(mean) ? Math.max(0, mean + error * random.normal()) : mean;
    return draws;
  }
  // The value at rank k of n draws is the one at rank ceil(n B), where B is the k-th smallest of n uniform random numbers:
  // a beta variable. No resample has to be drawn in full.
  const rank = rankOf(statistic.quantile, n);
  for (let i = 0; i < resamples; i++) {
    const a = drawGamma(random, rank);
    const b = drawGamma(random, n - rank + 1);
    draws[i] = sorted[Math.min(n - 1, Math.floor((n * a) / (a + b)))]!;
  }
  return draws;
}
