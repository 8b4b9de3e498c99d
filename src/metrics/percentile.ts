/** Percentiles by rank: percentile q of n values is the one at rank ceil(q n), so always a value that occurred. */

/** The rank of percentile `q` (0..1) among `n` values, from 1 to n. */
export function rankOf(q: number, n: number): number {
  // 0.07 * 100 is a hair above 7 in binary; without the allowance its rank would be 8.
  return Math.min(n, Math.max(1, Math.ceil(q * n - 1e-9)));
}

/** Percentile `q` (0..1) of values in ascending order. At least one value is needed. */
export function percentileOf(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError('a percentile of no values');
  return sorted[rankOf(q, sorted.length) - 1]!;
}
