import { createRandom, type Random } from '../../model/seeded-random.ts';
import { bestSplit, type Segment, SHORTEST_SEGMENT, type Split, segmentOf } from './energy-split.ts';

/**
 * Change points: the runs from which on a figure has another level.
 *
 * E-divisive with binary splits: D. S. Matteson and N. A. James, "A Nonparametric Approach for Multiple Change Point Analysis of
 * Multivariate Data", Journal of the American Statistical Association 109 (2014). A segment is split where the energy distance
 * between its two sides is largest; a permutation test decides whether the split is a change point; then both sides are
 * searched. docs/history.md compares it with the t-test of Apache Otava.
 *
 * All series are one family, because the figures of a run share its luck: each permutation orders the runs of all series alike,
 * and a split is compared with the largest statistic of any series. P. H. Westfall and S. S. Young, "Resampling-Based Multiple
 * Testing" (1993), section 2.3.
 */

/** A place where a series changes. */
export interface ChangePoint {
  /** Index of the first value at the new level. */
  index: number;
  /** Adjusted over the family. */
  pValue: number;
}

/** How change points are searched for. */
export interface ChangePointOptions {
  /** Seed of the permutations. */
  seed: number;
  /** The chance of any change point in series that do not change, over all series. Default 0.05. */
  alpha?: number;
}

/** Known to ± 0.007 at the level 0.05. */
const PERMUTATIONS = 999;
/** A test stops early once so many permutations of each segment were as extreme: its p-value is then above 0.05. */
const ENOUGH_EXTREME = 60;

/**
 * The change points of series over the same runs, in the order of the series. A value belongs to the run of its index; null
 * where the run has none. Values must be finite, and on a scale on which a change is a shift, such as a logarithm.
 */
export function findChangePoints(
  series: readonly (readonly (number | null)[])[],
  { seed, alpha = 0.05 }: ChangePointOptions,
): ChangePoint[][] {
  const random = createRandom(seed);
  const runs = Math.max(0, ...series.map((values) => values.length));
  const found: ChangePoint[][] = series.map(() => []);
  let family = series.flatMap((values, index) => {
    const present = values.flatMap((value, run) => (value === null ? [] : [{ run, value }]));
    return memberOf(index, present);
  });
  while (family.length > 0) {
    const pValues = permutationTest(family, runs, random);
    family = family.flatMap(({ series: index, points, split }, member) => {
      const pValue = pValues[member] ?? 1;
      const first = points[split.size];
      if (pValue > alpha || first === undefined) return [];
      found[index]?.push({ index: first.run, pValue });
      return [...memberOf(index, points.slice(0, split.size)), ...memberOf(index, points.slice(split.size))];
    });
  }
  for (const points of found) points.sort((a, b) => a.index - b.index);
  return found;
}

/** A part of a series, with its best split: a member of the family. */
interface Member {
  /** Index of the series. */
  series: number;
  points: readonly { run: number; value: number }[];
  /** For each run, its position in the segment; -1 for runs outside it. */
  positionOf: Int32Array;
  segment: Segment;
  split: Split;
  /** The positions in the order of a permutation; overwritten by the next. */
  permuted: Int32Array;
}

/** The segment of these points; none where it is too short to split, or constant. */
function memberOf(series: number, points: Member['points']): Member[] {
  if (points.length < 2 * SHORTEST_SEGMENT) return [];
  const segment = segmentOf(points.map(({ value }) => value));
  if (segment.meanDistance === 0) return [];
  const positionOf = new Int32Array((points.at(-1)?.run ?? 0) + 1).fill(-1);
  for (const [position, { run }] of points.entries()) positionOf[run] = position;
  const order = Int32Array.from(points, (_, position) => position);
  return [{ series, points, positionOf, segment, split: bestSplit(segment, order), permuted: order }];
}

/**
 * For each segment, how often the largest statistic of the family is as large when the runs are in random order. Stops early
 * where no segment can be significant: J. Besag and P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78 (1991).
 */
function permutationTest(family: readonly Member[], runs: number, random: Random): number[] {
  const shuffled = Array.from({ length: runs }, (_, run) => run);
  const extreme = family.map(() => 0);
  for (let drawn = 1; drawn <= PERMUTATIONS; drawn++) {
    shuffle(shuffled, random);
    const largest = Math.max(...family.map((one) => permutedStatistic(one, shuffled)));
    for (const [member, { split }] of family.entries()) {
      // Ties count, and equal values give equal statistics only up to rounding.
      if (largest >= split.statistic * (1 - 1e-9)) extreme[member] = (extreme[member] ?? 0) + 1;
    }
    if (extreme.every((count) => count >= ENOUGH_EXTREME)) return extreme.map((count) => count / drawn);
  }
  return extreme.map((count) => (count + 1) / (PERMUTATIONS + 1));
}

function permutedStatistic({ positionOf, segment, permuted }: Member, shuffled: readonly number[]): number {
  let filled = 0;
  for (const run of shuffled) {
    const position = positionOf[run] ?? -1;
    if (position >= 0) permuted[filled++] = position;
  }
  return bestSplit(segment, permuted).statistic;
}

/** Fisher and Yates. */
function shuffle(order: number[], random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
