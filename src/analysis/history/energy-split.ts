/** The split of a series with the largest energy distance between its two sides. */

/** Values that a side needs at least. Fewer are outliers. */
export const SHORTEST_SEGMENT = 3;

/** The distances between the values of a segment. */
export interface Distances {
  /** Number of values. */
  n: number;
  /** Row by row. */
  matrix: Float64Array;
  /** Over all pairs of different values. Makes statistics of different figures comparable. */
  mean: number;
}

/** The best split of a segment. */
export interface Split {
  /** Number of values before it. */
  size: number;
  /** Scaled energy distance, in mean distances of the segment. */
  statistic: number;
}

/** The distances between values. */
export function distances(values: readonly number[]): Distances {
  const n = values.length;
  const matrix = new Float64Array(n * n);
  let sum = 0;
  for (const [row, value] of values.entries()) {
    for (const [column, other] of values.entries()) {
      const distance = Math.abs(value - other);
      matrix[row * n + column] = distance;
      sum += distance;
    }
  }
  return { n, matrix, mean: sum / (n * (n - 1)) };
}

/**
 * The best split of the values in this order, in O(n²): the sums of distances change by one value from split to split. The
 * statistic is equation (7) of Matteson and James (2014) with the exponent 1.
 */
export function bestSplit({ n, matrix, mean }: Distances, order: ArrayLike<number>): Split {
  let best: Split = { size: SHORTEST_SEGMENT, statistic: Number.NEGATIVE_INFINITY };
  // Each pair once.
  let left = 0;
  let right = (mean * n * (n - 1)) / 2;
  let between = 0;
  for (let size = 1; size <= n - SHORTEST_SEGMENT; size++) {
    const row = order[size - 1]! * n;
    let toLeft = 0;
    let toRight = 0;
    for (let i = 0; i < size - 1; i++) toLeft += matrix[row + order[i]!]!;
    for (let i = size; i < n; i++) toRight += matrix[row + order[i]!]!;
    left += toLeft;
    right -= toRight;
    between += toRight - toLeft;
    if (size < SHORTEST_SEGMENT) continue;
    const rest = n - size;
    const energy =
      (2 * between) / (size * rest) - (2 * left) / (size * (size - 1)) - (2 * right) / (rest * (rest - 1));
    const statistic = (((size * rest) / n) * energy) / mean;
    if (statistic > best.statistic) best = { size, statistic };
  }
  return best;
}
