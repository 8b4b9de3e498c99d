import type { DrawnArrivals } from '../model/plan.ts';
import { createRandom, drawGamma, type Random } from '../model/seeded-random.ts';

/**
 * Random intervals are drawn in groups of this many and scaled so that each group has exactly its mean. For gamma intervals
 * (Poisson: shape 1) the scaled ones have the distribution of a process of which it is known that this many arrivals came in
 * this time, because the proportions of gamma variables are independent of their sum (E. Lukacs, 1955). So bursts of up to some
 * hundred requests are as random as they should be, and 10,000 requests take exactly the time that their rate says.
 */
const GROUP = 1_000;

/**
 * The arrivals of a process with a mean interval of 1, as a function of the request's number only: request 0 arrives at 0. The
 * same seed gives the same times.
 */
export function unitArrivals({ process, seed, burstiness = 1 }: DrawnArrivals): (index: number) => number {
  switch (process) {
    case 'constant':
      return (index) => index;
    case 'poisson':
      return grouped(createRandom(seed), exponential);
    case 'gamma':
      return grouped(createRandom(seed), (random) => drawGamma(random, burstiness));
    default:
      return process satisfies never;
  }
}

function grouped(random: Random, draw: (random: Random) => number): (index: number) => number {
  const times: number[] = [];
  return (index) => {
    while (times.length <= index) {
      const gaps = Array.from({ length: GROUP }, () => draw(random));
      const total = gaps.reduce((sum, gap) => sum + gap, 0);
      const start = times.length;
      let at = 0;
      for (const gap of gaps) {
        times.push(start + (total > 0 ? (at / total) * GROUP : 0));
        at += gap;
      }
    }
    // `!`: the loop above has filled the list up to this index.
    return times[index]!;
  };
}

function exponential(random: Random): number {
  // 1 - next() because log(0) is infinite.
  return -Math.log(1 - random.next());
}
