import { rankOf } from '../../metrics/percentile.ts';

/** The estimated statistic: a quantile (0 to 1) or the mean. */
export type Statistic = { quantile: number } | 'mean';

/**
 * The values of one side, in groups that are resampled as a whole. Sorted once; a resample is a weight per group, and its
 * percentile needs one search. Values may be infinite (censored), never NaN.
 */
export interface GroupedSample {
  readonly groups: number;
  readonly n: number;
  /** The statistic where group g counts `weights[g]` times. NaN where no value has weight. */
  at(statistic: Statistic, weights: ArrayLike<number>): number;
  /** The values in ascending order. */
  readonly sorted: Float64Array;
}

/** Creates a sample. Empty groups are kept: a round without values can be drawn like any other. */
export function groupedSample(groups: readonly ArrayLike<number>[]): GroupedSample {
  const sizes = groups.map((group) => group.length);
  const means = groups.map(meanOf);
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const { sorted, owner } = merge(groups);

  const blocks = blockCounts(owner, sizes.length);
  const weightOf = (block: number, weights: ArrayLike<number>): number => {
    let sum = 0;
    for (let g = 0; g < sizes.length; g++) sum += weights[g]! * blocks[block * sizes.length + g]!;
    return sum;
  };

  const quantileAt = (quantile: number, weights: ArrayLike<number>): number => {
    let total = 0;
    for (let g = 0; g < sizes.length; g++) total += weights[g]! * sizes[g]!;
    if (total === 0) return Number.NaN;
    const rank = rankOf(quantile, total);
    // HOT PATH: thousands of searches per comparison. A bisection finds the last block with less than `rank` before it, a scan
    // of that block finds the value.
    let low = 0;
    let high = Math.floor((n - 1) / BLOCK);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (weightOf(middle, weights) < rank) low = middle;
      else high = middle - 1;
    }
    let seen = weightOf(low, weights);
    for (let i = low * BLOCK; i < n; i++) {
      seen += weights[owner[i]!]!;
      if (seen >= rank) return sorted[i]!;
    }
    return Number.NaN;
  };

  const meanAt = (weights: ArrayLike<number>): number => {
    let count = 0;
    let sum = 0;
    for (let g = 0; g < sizes.length; g++) {
      const weight = weights[g]! * sizes[g]!;
      if (weight === 0) continue;
      count += weight;
      sum += weight * means[g]!;
    }
    return sum / count;
  };

  return {
    groups: groups.length,
    n,
    sorted,
    at: (statistic, weights) =>
      statistic === 'mean' ? meanAt(weights) : quantileAt(statistic.quantile, weights),
  };
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Values per block of the search for a percentile. */
const BLOCK = 256;

/** For each block: how many values of each group come before it. */
function blockCounts(owner: Uint16Array, groups: number): Uint32Array {
  const counts = new Uint32Array(Math.ceil(owner.length / BLOCK) * groups);
  const before = new Uint32Array(groups);
  for (let i = 0; i < owner.length; i++) {
    if (i % BLOCK === 0) counts.set(before, (i / BLOCK) * groups);
    before[owner[i]!]! += 1;
  }
  return counts;
}

/** Values in ascending order, with the group of each. */
interface Owned {
  sorted: Float64Array;
  owner: Uint16Array;
}

/**
 * Sorts all values; `owner` is the group of each. The groups are merged one by one between two buffers: a new buffer per group
 * would leave several times the result as garbage outside the heap, which is collected late.
 */
function merge(groups: readonly ArrayLike<number>[]): Owned {
  const n = groups.reduce((sum, group) => sum + group.length, 0);
  const newBuffer = (): Owned => ({ sorted: new Float64Array(n), owner: new Uint16Array(n) });
  let [from, to] = [newBuffer(), newBuffer()];
  let merged = 0;
  for (const [g, group] of groups.entries()) {
    const list = Float64Array.from(group).sort();
    const length = merged + list.length;
    let left = 0;
    let right = 0;
    for (let i = 0; i < length; i++) {
      const takeLeft = right >= list.length || (left < merged && from.sorted[left]! <= list[right]!);
      to.sorted[i] = takeLeft ? from.sorted[left]! : list[right]!;
      to.owner[i] = takeLeft ? from.owner[left]! : g;
      if (takeLeft) left += 1;
      else right += 1;
    }
    merged = length;
    [from, to] = [to, from];
  }
  return from;
}
