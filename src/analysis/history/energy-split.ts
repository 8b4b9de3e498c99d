/** The split of a series with the largest energy distance between its two sides. */

/** Values that a side needs at least. Fewer are outliers. */
export const SHORTEST_SEGMENT = 3;

/** The values of a segment, prepared for splits in any order. */
export interface Segment {
  values: Float64Array;
  /** From 1; equal values have different ranks. */
  ranks: Int32Array;
  /** For each value, the sum of its distances to all others. */
  toOthers: Float64Array;
  /** The mean distance of two values. Makes statistics of different figures comparable. */
  meanDistance: number;
  /** Binary indexed trees over the ranks of the values on the left: how many, and their sum. */
  counts: Int32Array;
  sums: Float64Array;
}

/** The best split of a segment. */
export interface Split {
  /** Number of values before it. */
  size: number;
  /** Scaled energy distance, in mean distances of the segment. */
  statistic: number;
}

/** Prepares values, which must be finite. */
export function segmentOf(given: readonly number[]): Segment {
  const n = given.length;
  const least = Math.min(...given);
  // Distances do not change, and small numbers lose fewer digits in sums.
  const values = Float64Array.from(given, (value) => value - least);
  const ranks = new Int32Array(n);
  const toOthers = new Float64Array(n);
  const sorted = Array.from(values.entries()).sort(([, a], [, b]) => a - b);
  const sum = values.reduce((total, value) => total + value, 0);
  let below = 0;
  for (const [rank, [position, value]] of sorted.entries()) {
    ranks[position] = rank + 1;
    toOthers[position] = value * rank - below + (sum - below - value) - value * (n - rank - 1);
    below += value;
  }
  const meanDistance = toOthers.reduce((total, one) => total + one, 0) / (n * (n - 1));
  return {
    values,
    ranks,
    toOthers,
    meanDistance,
    counts: new Int32Array(n + 1),
    sums: new Float64Array(n + 1),
  };
}

/**
 * The best split of the values in this order, in O(n log n): from split to split one value changes sides, and a binary indexed
 * tree gives its distances to the left (P. M. Fenwick, "A New Data Structure for Cumulative Frequency Tables", Software: Practice
 * and Experience 24, 1994). The statistic is equation (7) of Matteson and James (2014) with the exponent 1.
 */
export function bestSplit(segment: Segment, order: ArrayLike<number>): Split {
  const { values, ranks, toOthers, meanDistance, counts, sums } = segment;
  const n = values.length;
  counts.fill(0);
  sums.fill(0);
  let best: Split = { size: SHORTEST_SEGMENT, statistic: Number.NEGATIVE_INFINITY };
  // Sums of distances, each pair once: inside the left side, inside the right side, and between them.
  let left = 0;
  let right = (meanDistance * n * (n - 1)) / 2;
  let between = 0;
  let leftSum = 0;
  for (let size = 1; size <= n - SHORTEST_SEGMENT; size++) {
    const position = order[size - 1]!;
    const value = values[position]!;
    const rank = ranks[position]!;
    let smaller = 0;
    let smallerSum = 0;
    for (let at = rank; at > 0; at -= at & -at) {
      smaller += counts[at]!;
      smallerSum += sums[at]!;
    }
    const toLeft = value * smaller - smallerSum + (leftSum - smallerSum) - value * (size - 1 - smaller);
    const toRight = toOthers[position]! - toLeft;
    left += toLeft;
    right -= toRight;
    between += toRight - toLeft;
    leftSum += value;
    for (let at = rank; at <= n; at += at & -at) {
      counts[at]! += 1;
      sums[at]! += value;
    }
    if (size < SHORTEST_SEGMENT) continue;
    const rest = n - size;
    const energy =
      (2 * between) / (size * rest) - (2 * left) / (size * (size - 1)) - (2 * right) / (rest * (rest - 1));
    const statistic = (((size * rest) / n) * energy) / meanDistance;
    if (statistic > best.statistic) best = { size, statistic };
  }
  return best;
}
