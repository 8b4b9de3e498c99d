import type { Unit } from '../../model/format.ts';
import type { RunComparisonVerdict } from '../../model/run-comparison.ts';
import type { RatioEstimate } from '../statistics/bootstrap.ts';

/**
 * How an interval becomes a verdict. The interval is that of the factor by which a figure got worse (below 1: better):
 * - `regression`: the interval lies above 1 + tolerance, and the difference is above the floor;
 * - `improvement`: the mirror, below 1 / (1 + tolerance);
 * - `equivalent`: the interval lies inside the tolerance, or inside the floor;
 * - `inconclusive`: anything else.
 */

/** A figure that is compared, with its limits. */
export interface ComparedFigure {
  metric: string;
  /** A percentile (`p50`, `p99.9`) or `mean`. */
  statistic: string;
  /** By how much it may get worse, as a share. Default 0.1 for p50 and mean, 0.15 for other percentiles. */
  tolerance?: number;
  /** The floor: a smaller difference is no change, in ms. Times only. Default 5. */
  floorMs?: number;
}

/** The result of the rule for one figure, before the adjustment over several figures. */
export interface Judged {
  estimate: RatioEstimate | null;
  verdict: RunComparisonVerdict;
  tolerance: number;
  /** p-values: the figure is worse, or better, by more than the tolerance only by chance. */
  pWorse: number;
  pBetter: number;
  /** The factor by which it got worse, with its bounds. */
  worse: { factor: number; low: number; high: number };
}

const FLOOR_MS = 5;

/** The tolerance of a figure, with its default. */
export function toleranceOf({ statistic, tolerance }: ComparedFigure): number {
  return tolerance ?? (statistic === 'p50' || statistic === 'mean' ? 0.1 : 0.15);
}

/** Applies the rule. */
export function judgeInterval(
  estimate: RatioEstimate | null,
  figure: ComparedFigure,
  unit: Unit,
  better: 'lower' | 'higher',
): Judged {
  const tolerance = toleranceOf(figure);
  const limit = 1 + tolerance;
  if (estimate === null) {
    const worse = { factor: Number.NaN, low: 0, high: Number.POSITIVE_INFINITY };
    return { estimate, verdict: 'inconclusive', tolerance, pWorse: 1, pBetter: 1, worse };
  }
  const { base, next, ratio, low, high } = estimate;
  const worse =
    better === 'lower' ? { factor: ratio, low, high } : { factor: 1 / ratio, low: 1 / high, high: 1 / low };
  const floor = unit === 'ms' ? (figure.floorMs ?? FLOOR_MS) : 0;
  const beyondFloor = Math.abs(next - base) > floor;
  // An equivalent figure may differ by the tolerance or by the floor, whichever is larger.
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

/** Advice to send more than this many times as many requests is useless. */
const AT_MOST_TIMES = 100;

/**
 * About how many more requests per side would decide an inconclusive figure: an interval shrinks with the square root of their
 * number. Null where no reasonable number would, because the figure is too close to the limit.
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
