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
