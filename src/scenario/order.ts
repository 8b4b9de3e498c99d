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
  const random = mulberry32(seed);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

// Mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for an order.
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
