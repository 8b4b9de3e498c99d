/** Values that must lie beyond a quantile before it decides anything. */
const BEYOND = 10;

/** Values needed before the quantile (0 to 1) may gate: 20 for p50, 100 for p90, 200 for p95, 1000 for p99. */
export function enoughFor(quantile: number): number {
  const smaller = Math.min(quantile, 1 - quantile);
  return smaller <= 0 ? Number.POSITIVE_INFINITY : Math.round(BEYOND / smaller);
}

/**
 * Holm's step-down adjustment of p-values, in the order given: with every adjusted value up to 5 % taken for an effect,
 * the chance of even one false alarm among them is at most 5 %, however they hang together. S. Holm, Scandinavian Journal
 * of Statistics 6 (1979), 65-70.
 */
export function holmAdjust(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[index]!));
    adjusted[index] = largest;
  }
  return adjusted;
}
