import type { PairRow } from '../../model/paired-comparison.ts';
import { quantileOf } from '../quantities.ts';
import { enoughFor } from '../statistics/significance.ts';

/** The sentences that paired comparisons are told in. */

const VERBS: Readonly<Record<string, readonly [verb: string, how: string, noun: string]>> = {
  ttft: ['answers first', 'sooner', 'time to first token'],
  ttfa: ['shows its answer', 'sooner', 'time to the answer'],
  total: ['is done', 'sooner', 'total'],
  latency: ['is done', 'sooner', 'latency'],
  token_rate: ['writes', 'faster', 'speed'],
  gap: ['has gaps', 'shorter', 'gap'],
};

/** Rows of one concurrency in a sentence: `flash answers first 1.8 times sooner (1.6 to 2.0); total is equivalent`. */
export function plainSentence(rows: readonly PairRow[], { a, b }: { a: string; b: string }): string {
  const parts = rows.map((row) => {
    const tail = row.statistic === 'p50' ? '' : ` (${row.statistic})`;
    const [verb, how, noun] = VERBS[row.metric] ?? ['is', row.better, row.metric];
    if (row.verdict === 'equivalent') return `${noun}${tail} is equivalent`;
    if (row.factor === null && row.a === null && row.b === null) return `${noun}${tail} has no data`;
    if (row.verdict === 'inconclusive') {
      const needed = enoughFor(quantileOf(row.statistic) ?? 0.5);
      const few = row.n < needed ? `: ${row.n} answers are too few, ${needed} are needed` : '';
      return `${noun}${tail} is inconclusive${few || range(row, false)}`;
    }
    const mirrored = row.verdict === 'b_better';
    const subject = mirrored ? b : a;
    if (row.factor === null || row.factor === 0) {
      return `${subject} ${verb}${tail}, as the other side mostly fails`;
    }
    const factor = times(mirrored ? 1 / row.factor : row.factor);
    return `${subject} ${verb}${tail} ${factor} times ${how}${range(row, mirrored)}`;
  });
  return parts.length === 0 ? `nothing was measured of both ${a} and ${b}` : parts.join('; ');
}

function range({ low, high }: PairRow, mirrored: boolean): string {
  const [from, to] = mirrored ? [invert(high), invert(low)] : [low, high];
  if (from === null && to === null) return '';
  return ` (${from === null ? '0' : times(from)} to ${to === null ? 'any' : times(to)})`;
}

function invert(value: number | null): number | null {
  return value === null || value === 0 ? null : 1 / value;
}

function times(factor: number): string {
  if (factor >= 9.95) return factor.toFixed(0);
  return factor.toFixed(Math.abs(factor - 1) < 0.195 ? 2 : 1);
}
