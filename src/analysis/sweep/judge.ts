import { tidy } from '../../metrics/distribution.ts';
import { rankOf } from '../../metrics/percentile.ts';
import type { ObjectiveFinding } from '../../model/sweep.ts';
import { studentQuantile } from '../statistics/distributions.ts';
import { wilsonInterval } from '../statistics/proportions.ts';
import { type Slo, violates } from './slo.ts';

/**
 * Whether the values of one load level meet an objective, by a confidence interval.
 *
 * A percentile is below its limit exactly if the share of values above the limit is small enough, so percentiles and shares are
 * one test: Wilson's interval for a share. The interval of a percentile that is shown is that of the order statistics.
 *
 * Requests that follow each other see the same queue, so their values are correlated, and an interval that takes them as
 * independent is too narrow. The values are divided into batches in order of time (the method of batch means: A. M. Law,
 * Simulation Modeling and Analysis), and the variance between batches, and between measurements, shows by which factor the
 * number of independent values is smaller (the design effect).
 */

/** Two-sided confidence of the intervals. */
export const CONFIDENCE = 0.95;

/** Batches of one measurement, and the fewest requests of a batch. */
const BATCHES = 8;
const BATCH_REQUESTS = 5;
/** With fewer batches a mean has no interval. */
const LEAST_BATCHES = 4;

/** The values of one measurement: one list for each request, in order of the requests' starts. */
export type MeasuredValues = readonly (readonly number[])[];

/** What the values show about the objective: the finding, and the side on which the point estimate is. */
export interface Judgement extends ObjectiveFinding {
  leaning: 'met' | 'broken';
}

/** Judges the measurements of one level. */
export function judge(slo: Slo, measurements: readonly MeasuredValues[]): Judgement {
  const found = slo.kind === 'mean' ? judgeMean(slo, measurements) : judgeShare(slo, measurements);
  const rounded = (value: number | null) => (value === null ? null : tidy(value));
  return { ...found, value: rounded(found.value), low: rounded(found.low), high: rounded(found.high) };
}

/** Values that violate, of how many. */
interface Count {
  hits: number;
  n: number;
}

function judgeShare(slo: Slo, measurements: readonly MeasuredValues[]): Judgement {
  const isHit = slo.kind === 'share' ? (value: number) => value > 0 : (value: number) => violates(slo, value);
  const count = (requests: MeasuredValues): Count => {
    const values = requests.flat();
    return { hits: values.filter(isHit).length, n: values.length };
  };
  const whole = measurements.map(count);
  const total = sumOf(whole);
  const independent =
    total.n /
    Math.max(
      designEffect(
        measurements.flatMap((requests) => batchesOf(requests).map(count)),
        total,
      ),
      designEffect(whole, total),
    );
  const share = total.n === 0 ? 0 : total.hits / total.n;
  const { low, high } = wilsonInterval(share * independent, independent, CONFIDENCE);
  const verdict =
    total.n === 0 ? 'unclear' : low > slo.allowed ? 'broken' : high <= slo.allowed ? 'met' : 'unclear';
  const named = { expression: slo.threshold.expression, unit: slo.unit, n: total.n };
  const shown =
    slo.kind === 'share'
      ? shownShare(slo, share, { low, high })
      : shownPercentile(slo, measurements, independent);
  const values = total.n === 0 ? { value: null, low: null, high: null } : shown;
  // An error or two in a few requests do not stop the search where no limit for errors was stated.
  if (slo.isImplied && verdict === 'unclear') return { ...named, ...values, verdict: 'met', leaning: 'met' };
  const isLow = total.n > 0 && share <= slo.allowed;
  return { ...named, ...values, verdict, leaning: isLow ? 'met' : 'broken' };
}

/** By which factor the variance between the parts exceeds that of independent values. At least 1. */
function designEffect(parts: readonly Count[], { hits, n }: Count): number {
  const filled = parts.filter((part) => part.n > 0);
  // Without both kinds of values there is no variance.
  if (filled.length < 2 || hits === 0 || hits === n) return 1;
  const share = hits / n;
  // Each part's share, weighted by its size; independent values give 1 on average.
  const squares = filled.reduce((sum, part) => sum + part.n * (part.hits / part.n - share) ** 2, 0);
  return Math.max(1, squares / ((filled.length - 1) * share * (1 - share)));
}

function batchesOf(requests: MeasuredValues): MeasuredValues[] {
  const count = Math.max(1, Math.min(BATCHES, Math.floor(requests.length / BATCH_REQUESTS)));
  return Array.from({ length: count }, (_, index) =>
    requests.slice(
      Math.floor((index * requests.length) / count),
      Math.floor(((index + 1) * requests.length) / count),
    ),
  );
}

function sumOf(counts: readonly Count[]): Count {
  return counts.reduce((sum, { hits, n }) => ({ hits: sum.hits + hits, n: sum.n + n }), { hits: 0, n: 0 });
}

type Shown = Pick<ObjectiveFinding, 'value' | 'low' | 'high'>;

function shownShare({ threshold }: Slo, share: number, { low, high }: { low: number; high: number }): Shown {
  // Of good requests: violations are the rest.
  return threshold.quantity.name === 'goodput.rate'
    ? { value: 1 - share, low: 1 - high, high: 1 - low }
    : { value: share, low, high };
}

/**
 * The percentile with the order statistics that enclose it. They are the limits that the test of the share would just decide: a
 * limit above `high` is met, one of at most `low` is broken.
 */
function shownPercentile(
  { threshold }: Slo,
  measurements: readonly MeasuredValues[],
  independent: number,
): Shown {
  const sorted = Float64Array.from(measurements.flat(2)).sort();
  const n = sorted.length;
  const { quantile = 0.5 } = threshold.quantity;
  const above = 1 - quantile;
  const share = (count: number) => wilsonInterval((count / n) * independent, independent, CONFIDENCE);
  // How many values may be above `high`, and how many must be at least `low`.
  const most = firstFrom(0, n + 1, (count) => share(count).high > above) - 1;
  const least = firstFrom(0, n + 1, (count) => share(count).low > above);
  return {
    value: sorted[rankOf(quantile, n) - 1] ?? null,
    low: sorted[n - least] ?? null,
    high: most < 0 ? null : (sorted[n - 1 - most] ?? null),
  };
}

/** The first whole number from `from` to `to` that fits; `to` if none does. All numbers after one that fits must fit. */
function firstFrom(from: number, to: number, fits: (count: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function judgeMean(slo: Slo, measurements: readonly MeasuredValues[]): Judgement {
  const batches = measurements.flatMap((requests) =>
    batchesOf(requests).flatMap((batch) => {
      const values = batch.flat();
      return values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
  const values = measurements.flat(2);
  const named = { expression: slo.threshold.expression, unit: slo.unit, n: values.length };
  if (values.length === 0)
    return { ...named, value: null, low: null, high: null, verdict: 'unclear', leaning: 'broken' };
  const value = values.reduce((sum, one) => sum + one, 0) / values.length;
  const leaning = violates(slo, value) ? 'broken' : 'met';
  if (batches.length < LEAST_BATCHES)
    return { ...named, value, low: null, high: null, verdict: 'unclear', leaning };
  const mean = batches.reduce((sum, one) => sum + one, 0) / batches.length;
  const variance = batches.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (batches.length - 1);
  const spread =
    studentQuantile(0.5 + CONFIDENCE / 2, batches.length - 1) * Math.sqrt(variance / batches.length);
  const [low, high] = [value - spread, value + spread];
  const ends = [violates(slo, low), violates(slo, high)];
  const verdict = ends.every((broken) => broken)
    ? 'broken'
    : ends.some((broken) => broken)
      ? 'unclear'
      : 'met';
  return { ...named, value, low, high, verdict, leaning };
}
