/** Percentiles by rank: percentile q of n values is the value at rank ceil(q n), so always a value that occurred. */

/** The rank of percentile `q` (0..1) among `n` values, from 1 to n. */
export function rankOf(q: number, n: number): number {
  // 0.07 * 100 is slightly above 7 in floating point; without the tolerance its rank would be 8.
  return Math.min(n, Math.max(1, Math.ceil(q * n - 1e-9)));
}

/** Percentile `q` (0..1) of at least one value, in ascending order. Throws a `RangeError` for none. */
export function percentileOf(sorted: ArrayLike<number>, q: number): number {
  const value = sorted[rankOf(q, sorted.length) - 1];
  if (value === undefined) throw new RangeError('a percentile of no values');
  return value;
}
