import { expect, test } from 'vitest';
import { bestSplit, SHORTEST_SEGMENT, segmentOf } from '../../../src/analysis/history/energy-split.ts';
import { trialRandom } from './simulation.ts';

/** The mean distance between values of two lists; of one list with itself over pairs of different values. */
function meanDistance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (const one of a) for (const other of b) sum += Math.abs(one - other);
  return sum / (a === b ? a.length * (a.length - 1) : a.length * b.length);
}

/** The definition, term by term. */
function byDefinition(values: readonly number[]): { size: number; statistic: number } {
  let best = { size: 0, statistic: Number.NEGATIVE_INFINITY };
  for (let size = SHORTEST_SEGMENT; size <= values.length - SHORTEST_SEGMENT; size++) {
    const [x, y] = [values.slice(0, size), values.slice(size)];
    const energy = 2 * meanDistance(x, y) - meanDistance(x, x) - meanDistance(y, y);
    const statistic = (((x.length * y.length) / values.length) * energy) / meanDistance(values, values);
    if (statistic > best.statistic) best = { size, statistic };
  }
  return best;
}

test('the best split is that of the definition, in any order and with equal values', () => {
  const random = trialRandom(1);
  for (let trial = 0; trial < 200; trial++) {
    const n = 6 + random.below(20);
    const values = Array.from({ length: n }, () =>
      trial % 2 === 0 ? 4.6 + 0.05 * random.normal() : random.below(4),
    );
    const order = values.map((_, position) => position).sort(() => random.next() - 0.5);
    const expected = byDefinition(order.map((position) => values[position] ?? 0));
    const segment = segmentOf(values);
    if (segment.meanDistance === 0) continue;
    // Twice: the second must not see what the first left behind.
    for (const split of [bestSplit(segment, order), bestSplit(segment, order)]) {
      expect(split.statistic).toBeCloseTo(expected.statistic, 9);
      if (trial % 2 === 0) expect(split.size).toBe(expected.size);
    }
  }
});
