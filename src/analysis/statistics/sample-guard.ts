/** Values that must lie beyond a quantile before it decides anything. */
const BEYOND = 10;

/** Values needed before the quantile (0 to 1) may gate: 20 for p50, 100 for p90, 200 for p95, 1000 for p99. */
export function enoughFor(quantile: number): number {
  const smaller = Math.min(quantile, 1 - quantile);
  return smaller <= 0 ? Number.POSITIVE_INFINITY : Math.round(BEYOND / smaller);
}
