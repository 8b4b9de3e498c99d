/** A value and how much it counts. */
export interface Weighted {
  value: number;
  weight: number;
}

/** Mean and percentiles of a distribution. */
export interface WeightedFigures {
  n: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
}

/**
 * The figures of weighted values; null without any of a weight over 0. `linear` interpolates between neighbouring values, as numpy
 * does, and needs equal weights. `rank` takes the first value at which the cumulated shares reach `q`.
 */
export function weightedFigures(
  values: readonly Weighted[],
  percentiles: 'linear' | 'rank',
): WeightedFigures | null {
  const sorted = values.filter(({ weight }) => weight > 0).sort((a, b) => a.value - b.value);
  if (sorted.length === 0) return null;
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const mean = sorted.reduce((sum, { value, weight }) => sum + value * weight, 0) / total;
  const at = (q: number) => (percentiles === 'linear' ? interpolated(sorted, q) : ranked(sorted, q, total));
  return { n: sorted.length, mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function interpolated(sorted: readonly Weighted[], q: number): number {
  const position = q * (sorted.length - 1);
  const below = valueAt(sorted, Math.floor(position));
  const above = valueAt(sorted, Math.ceil(position));
  return below + (above - below) * (position - Math.floor(position));
}

// In floating point, seven times 1/14 is less than 0.5. guidellm adds the same shares without a tolerance: its median is then the
// next value.
function ranked(sorted: readonly Weighted[], q: number, total: number): number {
  let cumulated = 0;
  for (const { value, weight } of sorted) {
    cumulated += weight / total;
    if (cumulated >= q) return value;
  }
  return valueAt(sorted, sorted.length - 1);
}

function valueAt(sorted: readonly Weighted[], index: number): number {
  const found = sorted[index];
  if (found === undefined) throw new RangeError('a percentile of no values');
  return found.value;
}
