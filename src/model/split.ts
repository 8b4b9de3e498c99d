/** `total` in `parts` whole numbers that differ by at most one and sum to it, larger ones first. */
export function split(total: number, parts: number): number[] {
  const least = Math.floor(total / parts);
  const rest = total - least * parts;
  return Array.from({ length: parts }, (_, index) => least + (index < rest ? 1 : 0));
}
