import { rankOf } from '../../metrics/percentile.ts';
import { createRandom } from '../../model/seeded-random.ts';
import { estimateRatio, logRatio, type RatioEstimate, widening } from './ratio-estimate.ts';
import { drawGroups, drawRequests, drawWeights } from './resample.ts';
import { groupedSample, type Statistic } from './weighted-sample.ts';

export type { RatioEstimate } from './ratio-estimate.ts';
export type { Statistic } from './weighted-sample.ts';

/**
 * The ratio of a statistic on two sides, with its uncertainty, by a cluster bootstrap: whole rounds are resampled, because the
 * requests of one round share the conditions of that round. With a drift of 5 %, a test that resamples single requests finds
 * changes where there are none.
 *
 * With few rounds the plain percentile interval is too narrow, for two reasons that are known exactly in the normal case:
 * resampling k rounds shows only (k - 1) / k of the variance, and the variance itself is an estimate with k - 1 degrees of
 * freedom. Taking percentiles further out, at Phi(-t sqrt(k / (k - 1))), corrects both: the "expanded percentile interval" of T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015). With two
 * sides, Welch's degrees of freedom are taken. Simulated coverage of 90 % intervals is in the tests.
 */

/** The values of one side, one list per round, in ms or per second. Infinity stands for a failed request. */
export type Rounds = readonly ArrayLike<number>[];

/** Options of a bootstrap. */
export interface BootstrapOptions {
  /** The same seed gives the same interval. */
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Two-sided confidence. Default 0.9. */
  level?: number;
  /**
   * Neighbouring values of a round are correlated (gaps of one stream): where rounds are too few, blocks of neighbours are
   * resampled instead of single values. Only for the values of one side. Default false.
   */
  dependent?: boolean;
}

/** With fewer rounds on a side, requests are resampled and drift is not covered. */
export const ENOUGH_ROUNDS = 4;

const RESAMPLES = 10_000;
const LEVEL = 0.9;
/** Blocks that dependent values are cut into. */
const BLOCKS = 40;

/**
 * The geometric mean of the ratios next / base over pairs that were measured in the same rounds. The same rounds are resampled on
 * both sides and for all pairs, so that drift cancels. Null where a side of any pair has no value. `base` and `next` of the
 * estimate are geometric means too.
 */
export function bootstrapPairedRatio(
  pairs: readonly { base: Rounds; next: Rounds }[],
  statistic: Statistic,
  options: BootstrapOptions,
): RatioEstimate | null {
  const rounds = Math.max(0, ...pairs.flatMap(({ base, next }) => [base.length, next.length]));
  const common = Array.from({ length: rounds }, (_, r) => r).filter((r) =>
    pairs.every(({ base, next }) => (base[r]?.length ?? 0) > 0 && (next[r]?.length ?? 0) > 0),
  );
  if (common.length < ENOUGH_ROUNDS) return independentPairs(pairs, statistic, options);
  const { seed, resamples = RESAMPLES, level = LEVEL } = options;
  const samples = pairs.map(({ base, next }) => ({
    base: groupedSample(common.map((r) => base[r]!)),
    next: groupedSample(common.map((r) => next[r]!)),
  }));
  const meanLog = (take: (sample: (typeof samples)[0]) => number): number =>
    samples.reduce((sum, sample) => sum + take(sample), 0) / samples.length;
  const at = (weights: ArrayLike<number>): number =>
    meanLog(({ base, next }) => logRatio(base.at(statistic, weights), next.at(statistic, weights)));
  const all = ones(common.length);
  const logs = drawWeights(common.length, resamples, createRandom(seed), at);
  const side = (name: 'base' | 'next') =>
    Math.exp(meanLog((sample) => Math.log(sample[name].at(statistic, all))));
  return estimateRatio({
    base: side('base'),
    next: side('next'),
    log: at(all),
    logs,
    widening: widening([{ variance: 1, clusters: common.length }]),
    drawn: 'rounds',
    seed,
    level,
  });
}

/** With too few common rounds: resamples each side by itself and combines the pairs with independent errors. */
function independentPairs(
  pairs: readonly { base: Rounds; next: Rounds }[],
  statistic: Statistic,
  options: BootstrapOptions,
): RatioEstimate | null {
  const { seed, resamples = RESAMPLES, level = LEVEL } = options;
  const random = createRandom(seed);
  const logs = new Float64Array(resamples);
  const sums = { base: 0, next: 0, ratio: 0 };
  for (const { base, next } of pairs) {
    const resample = (rounds: Rounds) => {
      const sample = groupedSample([rounds.flatMap((round) => Array.from(round))]);
      return {
        value: sample.at(statistic, [1]),
        draws: drawRequests(sample, statistic, resamples, random),
        n: sample.n,
      };
    };
    const before = resample(base);
    const after = resample(next);
    if (before.n === 0 || after.n === 0) return null;
    for (let i = 0; i < resamples; i++)
      logs[i]! += logRatio(before.draws[i]!, after.draws[i]!) / pairs.length;
    sums.base += Math.log(before.value) / pairs.length;
    sums.next += Math.log(after.value) / pairs.length;
    sums.ratio += logRatio(before.value, after.value) / pairs.length;
  }
  if (pairs.length === 0) return null;
  return estimateRatio({
    base: Math.exp(sums.base),
    next: Math.exp(sums.next),
    log: sums.ratio,
    logs,
    widening: widening([{ variance: 1, clusters: Number.POSITIVE_INFINITY }]),
    drawn: 'requests',
    seed,
    level,
  });
}

/** A value with the variance of its logarithm. */
export interface Sampled {
  value: number;
  logVariance: number;
  drawn: RatioEstimate['drawn'];
}

/**
 * A statistic of one side with the variance of its logarithm. With `ENOUGH_ROUNDS` rounds it is the larger of the variances by
 * rounds and by requests: few rounds can look calmer by chance than their requests allow. Null without a value.
 */
export function bootstrapValue(
  rounds: Rounds,
  statistic: Statistic,
  { seed, resamples = 500, dependent = false }: BootstrapOptions,
): Sampled | null {
  const sample = groupedSample(rounds.filter((round) => round.length > 0));
  if (sample.n === 0) return null;
  const random = createRandom(seed);
  const requests = dependent
    ? drawGroups(groupedSample(blocksOf(rounds)), statistic, resamples, random)
    : drawRequests(
        groupedSample([rounds.flatMap((round) => Array.from(round))]),
        statistic,
        resamples,
        random,
      );
  const byRounds = sample.groups >= ENOUGH_ROUNDS;
  const hidden = sample.groups / (sample.groups - 1);
  const ofRounds = byRounds ? hidden * logVariance(drawGroups(sample, statistic, resamples, random)) : 0;
  return {
    value: sample.at(statistic, ones(sample.groups)),
    logVariance: Math.max(logVariance(requests), ofRounds),
    drawn: byRounds ? 'rounds' : 'requests',
  };
}

/** The variance of the logarithms, from the middle two thirds: infinite outliers do not affect it. */
function logVariance(draws: Float64Array): number {
  const sorted = Float64Array.from(draws).sort();
  const at = (q: number) => Math.log(sorted[rankOf(q, sorted.length) - 1]!);
  const [low, high] = [at(0.1587), at(0.8413)];
  return low === high ? 0 : ((high - low) / 2) ** 2;
}

function blocksOf(rounds: Rounds): number[][] {
  const values = rounds.flatMap((round) => Array.from(round));
  const blocks = Math.min(BLOCKS, values.length);
  return Array.from({ length: blocks }, (_, i) =>
    values.slice(Math.floor((i * values.length) / blocks), Math.floor(((i + 1) * values.length) / blocks)),
  );
}

function ones(n: number): Uint8Array {
  return new Uint8Array(n).fill(1);
}
