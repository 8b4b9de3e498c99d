import { logGamma } from '../../../src/analysis/statistics/distributions.ts';

/** How far a rate that is known from a few seeded trials may be from the promised one. */

/** A gate that keeps what it promises is beyond these bounds for one seed in a hundred. */
const BY_CHANCE = 0.01;

/** The largest count of hits in `trials` that a true rate of at most `rate` explains. */
export function mostHits(trials: number, rate: number): number {
  let below = 0;
  for (let hits = 0; hits <= trials; hits++) {
    below += binomial(trials, rate, hits);
    if (below >= 1 - BY_CHANCE) return hits;
  }
  return trials;
}

/** The smallest count of hits in `trials` that a true rate of at least `rate` explains. */
export function fewestHits(trials: number, rate: number): number {
  return trials - mostHits(trials, 1 - rate);
}

function binomial(trials: number, rate: number, hits: number): number {
  if (rate === 0 || rate === 1) return hits === trials * rate ? 1 : 0;
  const ways = logGamma(trials + 1) - logGamma(hits + 1) - logGamma(trials - hits + 1);
  return Math.exp(ways + hits * Math.log(rate) + (trials - hits) * Math.log(1 - rate));
}
