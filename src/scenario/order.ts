import { createRandom } from '../model/seeded-random.ts';

/** In which order the cells of a run take their turns. */

/**
 * The order of `count` groups in each round. The first round is a shuffle by the seed. Rounds go in pairs, the
 * second of a pair in the reverse order of the first, so that a steady drift weighs on all groups alike; from pair to
 * pair the order is rotated, so that no group keeps its neighbours or the ends of the round to itself.
 */
export function roundOrders(count: number, rounds: number, seed: number): number[][] {
  const base = shuffled(count, seed);
  const pairs = Math.ceil(rounds / 2);
  return Array.from({ length: rounds }, (_, round) => {
    const shift = Math.floor((Math.floor(round / 2) * count) / pairs);
    const order = [...base.slice(shift), ...base.slice(0, shift)];
    return round % 2 === 0 ? order : order.reverse();
  });
}

function shuffled(count: number, seed: number): number[] {
  const random = createRandom(seed);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
