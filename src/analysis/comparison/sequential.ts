import { createRandom } from '../../model/seeded-random.ts';
import { normalCdf } from '../statistics/distributions.ts';

/**
 * Early stop for paired rounds: after each round, is the answer clear already? Looking often at data that grow finds a chance
 * effect sooner or later, so the bounds are wider the earlier the look: |Z| >= c / sqrt(t), where t is the share of the rounds
 * that are measured. P. C. O'Brien and T. R. Fleming, "A multiple testing procedure for clinical trials", Biometrics 35 (1979),
 * 549-556. The constant c is calibrated by a seeded simulation of Brownian motion at the looks, so that a true slowdown of
 * exactly the tolerance crosses either bound before the last round with a probability of at most `alpha`.
 *
 * Z becomes a p-value with Student's t for few rounds, and is compared with the nominal level of the bound (significance level
 * approach: C. Jennison and B. W. Turnbull, "Group Sequential Methods", 2000, section 4.4).
 */

/** The first look, in rounds: with fewer, the spread between rounds is unknown. */
export const FIRST_LOOK = 4;

const PATHS = 20_000;
const SEED = 1979;

/**
 * Nominal one-sided levels of the looks after rounds `FIRST_LOOK` to `maxRounds - 1`, by the number of rounds; other rounds have no
 * look. The last round needs none: the gate decides there as it does without early stop.
 */
export function lookLevels(maxRounds: number, alpha = 0.05): Map<number, number> {
  const looks: number[] = [];
  for (let rounds = FIRST_LOOK; rounds < maxRounds; rounds++) looks.push(rounds);
  if (looks.length === 0) return new Map();
  const constant = calibrate(looks, maxRounds, alpha);
  return new Map(looks.map((rounds) => [rounds, normalCdf(-constant / Math.sqrt(rounds / maxRounds))]));
}

/** The constant that a share `alpha` of the paths without drift exceeds at one look or more. */
function calibrate(looks: readonly number[], maxRounds: number, alpha: number): number {
  const random = createRandom(SEED);
  const largest = new Float64Array(PATHS);
  for (let path = 0; path < PATHS; path++) {
    let position = 0;
    let measured = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const rounds of looks) {
      position += Math.sqrt(rounds - measured) * random.normal();
      measured = rounds;
      // Z sqrt(t) = (position / sqrt(rounds)) sqrt(rounds / maxRounds)
      most = Math.max(most, position / Math.sqrt(maxRounds));
    }
    largest[path] = most;
  }
  largest.sort();
  return largest[Math.min(PATHS - 1, Math.ceil((1 - alpha) * PATHS))] ?? Number.POSITIVE_INFINITY;
}

/** What a look knows of one check. */
export interface LookCheck {
  /** One-sided p-value that the slowdown is not above the tolerance, adjusted for the number of checks. */
  pAboveTolerance: number;
  /** One-sided p-value that the slowdown is not below the tolerance. */
  pBelowTolerance: number;
  /** The slowdown as measured is above the tolerance. */
  beyond: boolean;
}

/**
 * Decides at a look; undefined to go on. `regression`: one check is above the tolerance. `no_regression`: the first check, which
 * leads, is below it, and no other one is above it as measured. `level`: the look's nominal level.
 */
export function decideLook(
  checks: readonly LookCheck[],
  level: number,
): 'regression' | 'no_regression' | undefined {
  const [leading] = checks;
  if (leading === undefined) return undefined;
  if (checks.some(({ pAboveTolerance }) => pAboveTolerance <= level)) return 'regression';
  const isClear = leading.pBelowTolerance <= level && !checks.some(({ beyond }) => beyond);
  return isClear ? 'no_regression' : undefined;
}
