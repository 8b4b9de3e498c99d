import type { Arrivals } from '../model/plan.ts';
import { createRandom } from '../model/seeded-random.ts';

/**
 * When the requests of an open loop are due: by a request's number, in ms from the opening of the window. The number is
 * all that counts, so threads that share a window and its numbers send what one thread would. `before`: requests that were
 * sent in an earlier window; the times of this one go on behind theirs. Default: 0.
 */
export function dueTimes(
  ratePerSecond: number,
  { process, seed }: Arrivals,
  before = 0,
): (index: number) => number {
  const everyMs = 1000 / ratePerSecond;
  switch (process) {
    case 'constant':
      return (index) => index * everyMs;
    case 'poisson': {
      const at = poisson(everyMs, seed);
      const openedAt = before === 0 ? 0 : at(before - 1);
      return (index) => at(before + index) - openedAt;
    }
    default:
      return process satisfies never;
  }
}

/** Times of a Poisson process: the distances are exponential, with this mean. */
function poisson(everyMs: number, seed: number): (index: number) => number {
  const random = createRandom(seed);
  const times: number[] = [];
  return (index) => {
    // 1 - next() because 0 has no logarithm.
    while (times.length <= index) times.push((times.at(-1) ?? 0) - everyMs * Math.log(1 - random.next()));
    return times[index]!;
  };
}
