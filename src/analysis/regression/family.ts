import { createRandom, type Random } from '../../model/seeded-random.ts';
import type { GateCheck } from './checks.ts';
import { type Prediction, upperTail } from './prediction.ts';

/**
 * All checks of a gate as one family: p-values adjusted so that the chance of even one false alarm stays at the level, for
 * checks that are far from independent. The checks of a run share its luck: when a machine is slow for an hour, p50, mean and
 * total are all up. Holm's method ignores that and costs a third of the power here; the joint distribution of the largest
 * standardized change does not.
 *
 * The joint distribution is drawn by a multiplier bootstrap over the accepted runs (V. Chernozhukov, D. Chetverikov and K. Kato,
 * "Gaussian approximations and multiplier bootstrap for maxima of sums", Annals of Statistics 41, 2013), which keeps the
 * correlation that the history shows, divided by the root of a chi-square for the few degrees of freedom. Few runs overstate
 * correlations, so a share 2 / (K + 1) of each draw is independent. The adjustment is single-step with weights: P. H. Westfall
 * and S. S. Young, "Resampling-Based Multiple Testing" (1993), section 2.3.
 */

/** The chance of a false alarm, for a whole gate. */
export const GATE_LEVEL = 0.05;
/** Where there are several cells, this share of the level is for single ones. */
export const CELLS_SHARE = 0.15;
/** The share of the level of the most important check; the others have the rest in equal parts. */
const LEADING_SHARE = 0.5;
/**
 * The same where the median and the mean of the leading metric are both checked: they vary together, so that the second one costs
 * little, and a slowdown of all requests is found by either. The mean is the more precise one in a short run.
 */
const LOCATION_SHARES: Readonly<Record<string, number>> = { p50: 0.35, mean: 0.5 };

/** The share of each check of the level, in order of importance. */
export function weightsOf(checks: readonly Pick<GateCheck, 'metric' | 'statistic'>[]): number[] {
  const [first] = checks;
  const shares = checks.map(({ metric, statistic = '' }) =>
    metric !== undefined && metric === first?.metric ? LOCATION_SHARES[statistic] : undefined,
  );
  const isLed = shares[0] !== undefined && shares.filter((share) => share !== undefined).length === 2;
  const leading = isLed ? shares : checks.map((_, at) => (at === 0 ? LEADING_SHARE : undefined));
  const rest = 1 - leading.reduce<number>((sum, share = 0) => sum + share, 0);
  const others = leading.filter((share) => share === undefined).length;
  return leading.map((share) => share ?? rest / others);
}

/** A member of the family. */
export interface FamilyMember {
  prediction: Pick<Prediction, 'scores' | 'degreesOfFreedom' | 'assumed' | 'common'>;
  weight: number;
}

/** How the joint distribution is drawn. */
export interface FamilyOptions {
  seed: number;
  /** Default 4,000: the adjusted p-value 0.05 is then known to ± 0.004. */
  draws?: number;
}

/** Draws below this are counted as if they were this large: their p-values (above 0.15) decide nothing, and cost time. */
const SMALLEST_T = 1;

/** The smallest p-value in units of its weight, over draws in which nothing has changed. Sorted. */
export function drawSmallest(
  family: readonly FamilyMember[],
  { seed, draws = 4_000 }: FamilyOptions,
): Float64Array {
  const smallest = new Float64Array(draws);
  const random = createRandom(seed);
  const runs = Math.max(0, ...family.map(({ prediction }) => prediction.scores.length));
  const multipliers = new Float64Array(runs);
  const members = preparedMembers(family);
  const degrees = [...new Set(members.map(({ degreesOfFreedom }) => degreesOfFreedom))];
  const inflations = new Float64Array(degrees.length);
  const kinds = kindsOf(members);
  for (let draw = 0; draw < draws; draw++) {
    for (let run = 0; run < runs; run++) multipliers[run] = random.normal();
    const shared = random.normal();
    for (const [index, count] of degrees.entries()) inflations[index] = chiInflation(count, random);
    let least = Number.POSITIVE_INFINITY;
    for (const { degreesOfFreedom, share, members: same } of kinds) {
      let largest = SMALLEST_T;
      const inflation = inflations[degrees.indexOf(degreesOfFreedom)]!;
      for (const member of same) {
        const deviate = commonPart(member, multipliers, shared) + member.own * random.normal();
        largest = Math.max(largest, deviate * inflation);
      }
      least = Math.min(least, upperTail(largest, degreesOfFreedom) / share);
    }
    smallest[draw] = least;
  }
  return smallest.sort();
}

/** The familywise p-value of each p-value, given the sorted draws of `drawSmallest` for the same family. */
export function adjust(
  family: readonly FamilyMember[],
  pValues: readonly number[],
  smallest: Float64Array,
): number[] {
  const shares = sharesOf(family);
  return pValues.map((p, index) => countUpTo(smallest, p / shares[index]!) / smallest.length);
}

/** The one-sided level at which each member is tested so that the whole family keeps `alpha`. */
export function levelsOf(family: readonly FamilyMember[], smallest: Float64Array, alpha: number): number[] {
  const at = smallest[Math.max(0, Math.floor(alpha * smallest.length) - 1)] ?? 0;
  return sharesOf(family).map((share) => Math.min(1, at * share));
}

function sharesOf(family: readonly FamilyMember[]): number[] {
  const sum = family.reduce((total, { weight }) => total + weight, 0);
  return family.map(({ weight }) => weight / sum);
}

/** A member as it is drawn: a part that all checks of a run have in common, and one of its own. */
interface PreparedMember {
  degreesOfFreedom: number;
  share: number;
  /** Coefficients of the accepted runs' multipliers; empty where the spread is assumed. */
  scores: Float64Array;
  /** Coefficient of what all checks share where the spread is assumed. */
  shared: number;
  /** Coefficient of the independent part. */
  own: number;
}

function preparedMembers(family: readonly FamilyMember[]): PreparedMember[] {
  const shares = sharesOf(family);
  return family.map(({ prediction: { scores, degreesOfFreedom, assumed, common } }, index) => {
    const kind = { degreesOfFreedom, share: shares[index]! };
    if (assumed)
      return { ...kind, scores: new Float64Array(), shared: Math.sqrt(common), own: Math.sqrt(1 - common) };
    const runs = scores.length;
    const squares = scores.reduce((sum, score) => sum + score * score, 0);
    // What the history's own spread does not fill up to the standard deviation that was used is independent.
    const filled = Math.min(1, squares / (runs - 1));
    const shown = (runs - 1) / (runs + 1);
    const scale = Math.sqrt(shown / Math.max(runs - 1, squares));
    return {
      ...kind,
      scores: Float64Array.from(scores, (score) => score * scale),
      shared: 0,
      own: Math.sqrt(1 - shown * filled),
    };
  });
}

/** Members whose p-values have the same order as their t: only the largest t of them needs a p-value, which is slow to compute. */
function kindsOf(members: readonly PreparedMember[]) {
  const kinds: (Pick<PreparedMember, 'degreesOfFreedom' | 'share'> & { members: PreparedMember[] })[] = [];
  for (const member of members) {
    const { degreesOfFreedom, share } = member;
    const known = kinds.find((kind) => kind.degreesOfFreedom === degreesOfFreedom && kind.share === share);
    if (known === undefined) kinds.push({ degreesOfFreedom, share, members: [member] });
    else known.members.push(member);
  }
  return kinds;
}

function commonPart({ scores, shared }: PreparedMember, multipliers: Float64Array, all: number): number {
  let sum = shared * all;
  for (let run = 0; run < scores.length; run++) sum += scores[run]! * multipliers[run]!;
  return sum;
}

function chiInflation(degreesOfFreedom: number, random: Random): number {
  if (degreesOfFreedom === Number.POSITIVE_INFINITY) return 1;
  let squares = 0;
  for (let i = 0; i < degreesOfFreedom; i++) squares += random.normal() ** 2;
  return Math.sqrt(degreesOfFreedom / squares);
}

/** How many of the sorted values are at most `limit`. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
