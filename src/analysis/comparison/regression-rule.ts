import type { Unit } from '../../model/format.ts';
import type { RunComparisonVerdict } from '../../model/run-comparison.ts';
import type { RatioEstimate } from '../statistics/bootstrap.ts';

/**
 * The rule by which an interval becomes a verdict, on the factor by which a figure got worse (below 1: better):
 * - `regression`: the interval lies above 1 + tolerance, and the difference is above the floor;
 * - `improvement`: the mirror of it, below 1 / (1 + tolerance);
 * - `equivalent`: the interval lies inside the tolerance, or all of it is a difference below the floor;
 * - `inconclusive`: anything else.
 */

/** A figure that decides. */
export interface ComparedFigure {
  metric: string;
  /** A percentile (`p50`, `p99.9`) or `mean`. */
  statistic: string;
  /** By how much it may get worse, as a share. Default 0.1 for p50 and mean, 0.15 for other percentiles. */
  tolerance?: number;
  /** A smaller difference than this is none, in ms. Times only. Default 5. */
  floorMs?: number;
}

/** What the rule says of one figure, before several are looked at together. */
export interface Judged {
  estimate: RatioEstimate | null;
  verdict: RunComparisonVerdict;
  tolerance: number;
  /** That the figure is worse by more than the tolerance, or better, by chance alone. */
  pWorse: number;
  pBetter: number;
  /** The factor by which it got worse, with its bounds. */
  worse: { factor: number; low: number; high: number };
}

const FLOOR_MS = 5;

/** The tolerance of a gate. */
export function toleranceOf({ statistic, tolerance }: ComparedFigure): number {
  return tolerance ?? (statistic === 'p50' || statistic === 'mean' ? 0.1 : 0.15);
}

/** Applies the rule. */
export function judgeInterval(
  estimate: RatioEstimate | null,
  gate: ComparedFigure,
  unit: Unit,
  better: 'lower' | 'higher',
): Judged {
  const tolerance = toleranceOf(gate);
  const limit = 1 + tolerance;
  if (estimate === null) {
    const worse = { factor: Number.NaN, low: 0, high: Number.POSITIVE_INFINITY };
    return { estimate, verdict: 'inconclusive', tolerance, pWorse: 1, pBetter: 1, worse };
  }
  const { base, next, ratio, low, high } = estimate;
  const worse =
    better === 'lower' ? { factor: ratio, low, high } : { factor: 1 / ratio, low: 1 / high, high: 1 / low };
  const floor = unit === 'ms' ? (gate.floorMs ?? FLOOR_MS) : 0;
  const beyondFloor = Math.abs(next - base) > floor;
  // The tolerance in units of the figure, widened to the floor: what an equivalent one may differ by.
  const negligible = better === 'lower' && base > 0 ? floor / base : 0;
  const above = Math.max(limit, 1 + negligible);
  const below = Math.min(1 / limit, Math.max(0, 1 - negligible));
  let verdict: RunComparisonVerdict = 'inconclusive';
  if (worse.low > limit && beyondFloor) verdict = 'regression';
  else if (worse.high < 1 / limit && beyondFloor) verdict = 'improvement';
  else if (worse.low > below && worse.high < above) verdict = 'equivalent';
  const [pWorse, pBetter] =
    better === 'lower'
      ? [estimate.pAbove(limit), estimate.pBelow(1 / limit)]
      : [estimate.pBelow(1 / limit), estimate.pAbove(limit)];
  return { estimate, verdict, tolerance, pWorse, pBetter, worse };
}

/** More than this many times as many requests is no advice. */
const AT_MOST_TIMES = 100;

/**
 * About how many more requests, on each side, would decide an open figure: an interval shrinks with the root of their
 * number. Null where no number would, because the figure lies at the limit itself.
 */
export function moreRequests(
  { worse, tolerance, estimate }: Judged,
  { base, next }: { base: { n: number }; next: { n: number } },
  needed: number,
): number | null {
  const n = Math.min(base.n, next.n);
  if (n < needed) return needed - n;
  if (estimate === null) return null;
  const half = Math.log(worse.high / worse.low) / 2;
  const distance = Math.abs(Math.abs(Math.log(worse.factor)) - Math.log(1 + tolerance));
  const times = (half / distance) ** 2;
  if (!(times > 1) || times > AT_MOST_TIMES) return null;
  const more = n * (times - 1);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(more)) - 1);
  return Math.ceil(more / step) * step;
}
