/** A quantile decides only with this many values beyond it. */
const BEYOND = 10;

/** Values that a quantile (0 to 1) needs to decide: 20 for p50, 100 for p90, 200 for p95, 1000 for p99. */
export function enoughFor(quantile: number): number {
  const smaller = Math.min(quantile, 1 - quantile);
  return smaller <= 0 ? Number.POSITIVE_INFINITY : Math.round(BEYOND / smaller);
}

/**
 * Holm's step-down adjustment of p-values, in the order given. Where every adjusted value up to 5 % counts as an effect, the
 * probability of at least one false alarm is at most 5 %, whatever the dependence between them. S. Holm, Scandinavian Journal of
 * Statistics 6 (1979), 65-70.
 */
export function holmAdjust(pValues: readonly number[]): number[] {
  const ascending = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, { p, index }] of ascending.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * p));
    adjusted[index] = largest;
  }
  return adjusted;
}
