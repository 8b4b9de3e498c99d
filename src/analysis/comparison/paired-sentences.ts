import { formatFactor, formatValue } from '../../model/format.ts';
import type { PairedRow } from '../../model/paired-comparison.ts';
import { quantileOf } from '../quantities.ts';
import { enoughFor } from '../statistics/significance.ts';

/** Paired comparisons as text. */

const WORDS: Readonly<Record<string, readonly [noun: string, better: string]>> = {
  ttft: ['first token', 'faster'],
  ttfa: ['first answer text', 'faster'],
  total: ['total', 'faster'],
  latency: ['last token', 'faster'],
  token_rate: ['token rate', 'higher'],
  gap: ['gaps', 'shorter'],
};

/**
 * The rows of one load level in one sentence:
 * `first token 1.8x faster with flash (1.6x to 2.0x): 104 ms instead of 187 ms; total equivalent (1.2 s with
 * flash, 1.2 s with pro)`.
 */
export function pairedSentence(rows: readonly PairedRow[], names: { a: string; b: string }): string {
  return rows.length === 0
    ? `${names.a} and ${names.b} have no prompt and load level in common`
    : rows.map((row) => rowInWords(row, names)).join('; ');
}

function rowInWords(row: PairedRow, { a, b }: { a: string; b: string }): string {
  const [noun, better] = WORDS[row.metric] ?? [row.metric, row.better];
  const name = row.statistic === 'p50' ? noun : `${noun} (${row.statistic})`;
  switch (row.verdict) {
    case 'equivalent':
      return `${name} equivalent${values(row, { a, b })}`;
    case 'inconclusive': {
      if (row.factor === null && row.a === null && row.b === null) return `${name} without data`;
      const needed = enoughFor(quantileOf(row.statistic) ?? 0.5);
      if (row.n < needed)
        return `${name} inconclusive: ${row.n} ${row.n === 1 ? 'value' : 'values'} per side, ${needed} needed`;
      const within = factorInterval(row.low, row.high);
      return `${name} inconclusive${within === '' ? '' : `: ${within} ${better} with ${a}`}${values(row, { a, b })}`;
    }
    case 'a_better':
      return improvement(name, better, a, row);
    case 'b_better':
      return improvement(name, better, b, mirrored(row));
    default:
      return row.verdict satisfies never;
  }
}

/** ` (104 ms with flash, 187 ms with pro)`. */
function values({ a: valueA, b: valueB, unit }: PairedRow, { a, b }: { a: string; b: string }): string {
  const side = (value: number | null, name: string) =>
    `${value === null ? 'failed requests' : formatValue(value, unit)} with ${name}`;
  return ` (${side(valueA, a)}, ${side(valueB, b)})`;
}

type Ratio = Pick<PairedRow, 'factor' | 'low' | 'high' | 'a' | 'b' | 'unit'>;

/** `a` of the ratio is the better side, `winner` its name. */
function improvement(name: string, better: string, winner: string, ratio: Ratio): string {
  const { factor, low, high, a, b, unit } = ratio;
  if (factor === null) return `${name} ${better} with ${winner}: most requests of the other side failed`;
  const within = factorInterval(low, high);
  const instead =
    a === null || b === null ? '' : `: ${formatValue(a, unit)} instead of ${formatValue(b, unit)}`;
  return `${name} ${formatFactor(factor)} ${better} with ${winner}${within === '' ? '' : ` (${within})`}${instead}`;
}

function mirrored({ factor, low, high, a, b, unit }: PairedRow): Ratio {
  return {
    factor: inverseFactor(factor),
    low: inverseFactor(high),
    high: inverseFactor(low),
    a: b,
    b: a,
    unit,
  };
}

/** The interval of a factor: `1.6x to 2.0x`. Empty without bounds. */
export function factorInterval(low: number | null, high: number | null): string {
  if (low === null && high === null) return '';
  return `${low === null ? '0x' : formatFactor(low)} to ${high === null ? 'unbounded' : formatFactor(high)}`;
}

/** The factor seen from the other side. */
export function inverseFactor(value: number | null): number | null {
  return value === null || value === 0 ? null : 1 / value;
}
