import { adjust, CELLS_SHARE, drawSmallest, type FamilyMember, GATE_LEVEL, levelsOf } from './family.ts';
import {
  type CheckSeries,
  changeInterval,
  ENOUGH_RUNS,
  type Prediction,
  predict,
  smallestDetectable,
  toleranceLimits,
} from './prediction.ts';
import { type CellResidual, type CellValues, cellResiduals } from './residuals.ts';

/**
 * Decides whether a new run is worse than the accepted ones. First each check over all cells together, as one family; then
 * single cells, apart from what all cells did together.
 *
 * A check is a `regression` when all of these hold: it is worse by more than the tolerance; its familywise p-value is at most
 * the level; and sampling inside the runs does not explain it. The last condition protects against heavy tails, where few runs
 * say little about the next.
 */

/** One check over all cells of the runs. */
export interface SummaryCheck {
  series: CheckSeries;
  /** The change that is accepted, on the scale of the series. */
  tolerance: number;
  /** Whether the change is beyond the tolerance, and beyond the floor of the figure, for the worse or for the better. */
  beyond: 'worse' | 'better' | null;
}

/** One check, cell by cell. */
export interface CellCheck {
  history: readonly CellValues[];
  next: CellValues;
  assumedSpread: number;
  /** For each cell, whether it is worse by more than the tolerance and the floor. */
  beyond: readonly boolean[];
}

/** How a gate decides. */
export interface GateOptions {
  seed: number;
  /** The chance of a false alarm, for the whole gate. Default 0.05. */
  alpha?: number;
  /** Draws of the joint distribution. Default 4,000. */
  draws?: number;
}

/** What is decided about a check. `unchanged`: within the tolerance, or within what the accepted runs do among themselves. */
export type GateVerdict = 'regression' | 'improvement' | 'equivalent' | 'unchanged' | 'inconclusive';

/** A check over all cells, decided. */
export interface SummaryDecision {
  verdict: GateVerdict;
  prediction: Prediction;
  /** Bounds of the change, two-sided at 90 %. */
  low: number;
  high: number;
  /** Adjusted over the family. */
  pWorse: number;
  pBetter: number;
  /** The smallest change for the worse that this check finds in four of five runs. */
  detectable: number;
  /** Too noisy to find a doubling: finding nothing says nothing. */
  blind: boolean;
  /** The one-sided level at which this check is tested, so that all together keep the gate's. */
  level: number;
}

/** A cell, decided. */
export interface CellDecision extends CellResidual {
  regression: boolean;
}

/** A gate, decided. */
export interface GateDecision {
  summaries: SummaryDecision[];
  /** For each cell check, its cells. */
  cells: CellDecision[][];
}

/** With fewer than `ENOUGH_RUNS` accepted runs: the level of the drawn family, as a share of the gate's. Found by simulation. */
const ASSUMED_LEVEL = 0.9;
/**
 * With measured spreads a single check is tested at the gate's level exactly. Several keep back a part of it, because the drawn
 * family is less correlated than the checks are: the level is higher by a tenth for each further check, up to a fifth, as found by
 * simulation (`test/analysis/regression`).
 */
const KEPT_BACK = { each: 0.1, most: 0.2 };

/**
 * Added to the level, as a share, where the tolerance of the leading check limits false alarms by itself: runs that differ little have
 * fewer than the level, and the power goes with them. Found by simulation.
 */
const WHERE_TOLERANCE_LIMITS = 0.4;

/** One-sided level at which sampling inside the runs must not explain a change. */
const SAMPLING_LEVEL = 0.05;
/** A check that finds only changes above this factor (as a logarithm) says nothing when it finds none. */
const BLIND = Math.log(2);

/** Decides. Throws a `RangeError` for a check without an accepted run. */
export function decideGate(
  summaries: readonly SummaryCheck[],
  cellChecks: readonly CellCheck[],
  { seed, alpha = GATE_LEVEL, draws }: GateOptions,
): GateDecision {
  const compared = cellChecks.reduce((sum, { beyond }) => sum + beyond.length, 0);
  const share = compared > 0 ? 1 - CELLS_SHARE : 1;
  return {
    summaries: decideSummaries(summaries, { seed, alpha: alpha * share, draws }),
    cells: cellChecks.map(({ history, next, assumedSpread, beyond }) =>
      cellResiduals(history, next, { assumedSpread }).map((cell, index) => ({
        ...cell,
        regression: beyond[index] === true && cell.pWorse <= (alpha * CELLS_SHARE) / compared,
      })),
    ),
  };
}

function decideSummaries(
  checks: readonly SummaryCheck[],
  { seed, alpha, draws }: Required<Pick<GateOptions, 'seed' | 'alpha'>> & Pick<GateOptions, 'draws'>,
): SummaryDecision[] {
  if (checks.length === 0) return [];
  const family: (FamilyMember & { prediction: Prediction })[] = checks.map(({ series }) => ({
    prediction: predict(series),
    weight: series.weight,
  }));
  const smallest = drawSmallest(family, { seed, draws });
  const worse = adjust(
    family,
    family.map(({ prediction }) => prediction.pWorse),
    smallest,
  );
  const better = adjust(
    family,
    family.map(({ prediction }) => prediction.pBetter),
    smallest,
  );
  const assumed = checks.some(({ series }) => series.history.length < ENOUGH_RUNS);
  const { each, most } = KEPT_BACK;
  const [leading] = checks;
  const limited = leading === undefined ? 0 : toleranceLimits(leading.series, leading.tolerance);
  const raised = 1 + Math.min(most, each * (checks.length - 1)) + WHERE_TOLERANCE_LIMITS * limited;
  const level = alpha * (assumed ? ASSUMED_LEVEL : raised);
  const levels = levelsOf(family, smallest, level);
  return checks.map((check, index) => {
    const { prediction } = family[index]!;
    const [low, high] = changeInterval(prediction, 0.9);
    const detectable = smallestDetectable(prediction, { alpha: levels[index]!, tolerance: check.tolerance });
    const pWorse = worse[index]!;
    const pBetter = better[index]!;
    const found = {
      worse: pWorse <= level && prediction.samplingPWorse <= SAMPLING_LEVEL,
      better: pBetter <= level && prediction.samplingPBetter <= SAMPLING_LEVEL,
    };
    const blind = detectable > BLIND;
    const verdict = verdictOf(check, { found, low, high, blind });
    return { verdict, prediction, low, high, pWorse, pBetter, detectable, blind, level: levels[index]! };
  });
}

function verdictOf(
  { beyond, tolerance }: SummaryCheck,
  {
    found,
    low,
    high,
    blind,
  }: { found: { worse: boolean; better: boolean } } & Pick<SummaryDecision, 'low' | 'high' | 'blind'>,
): GateVerdict {
  if (beyond === 'worse' && found.worse) return 'regression';
  if (beyond === 'better' && found.better) return 'improvement';
  if (low > -tolerance && high < tolerance) return 'equivalent';
  return beyond === 'worse' || blind ? 'inconclusive' : 'unchanged';
}
