import type { CompareVerdict, ComparisonRow } from '../../model/run-comparison.ts';

/** The words and the order in which comparisons are told, on a terminal and in every other format. */

const ORDER: readonly CompareVerdict[] = [
  'regression',
  'not_comparable',
  'inconclusive',
  'improvement',
  'equivalent',
];

/** For sorting: the gravest verdict first. */
export function compareRank(verdict: CompareVerdict): number {
  return ORDER.indexOf(verdict);
}

/** The verdict in a word for a person. */
export function compareWord(verdict: CompareVerdict): string {
  return verdict.replace('_', ' ');
}

/** ` (0.95–1.20)`: the interval of a ratio, with a question mark for a bound that the data does not set; empty without both. */
export function ratioInterval({ low, high }: Pick<ComparisonRow, 'low' | 'high'>): string {
  if (low === null && high === null) return '';
  const bound = (value: number | null) => (value === null ? '?' : value.toFixed(2));
  return ` (${bound(low)}–${bound(high)})`;
}
