import { bestSplit, SHORTEST_SEGMENT, segmentOf } from '../../../src/analysis/history/energy-split.ts';
import { studentCdf } from '../../../src/analysis/statistics/distributions.ts';
import { createRandom, type Random } from '../../../src/model/seeded-random.ts';

/** Simulated histories, and the t-test form of the search to compare with. */

/** How runs scatter. `heavy-tailed`: Student's t with 3 degrees of freedom, scaled to the same standard deviation. */
export type Scatter = 'normal' | 'heavy-tailed';

/** A history: logarithms of a figure, one per run. */
export interface World {
  runs: number;
  /** Standard deviation between runs, such as 0.05. */
  drift: number;
  scatter: Scatter;
  /** Correlation of a run with the one before. Default 0. */
  memory?: number;
  /** From this run on the figure is multiplied by `factor`. */
  change?: { at: number; factor: number };
}

/** Draws a history. */
export function drawHistory({ runs, drift, scatter, memory = 0, change }: World, random: Random): number[] {
  let noise = 0;
  return Array.from({ length: runs }, (_, run) => {
    const fresh = scatter === 'normal' ? random.normal() : heavyTailed(random);
    noise = run === 0 ? fresh : memory * noise + Math.sqrt(1 - memory ** 2) * fresh;
    return Math.log(100) + drift * noise + (change && run >= change.at ? Math.log(change.factor) : 0);
  });
}

function heavyTailed(random: Random): number {
  const squares = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(squares);
}

/** The seeded generator of a trial's data. It must not repeat the numbers of the permutations, whose seed is the trial's too. */
export function trialRandom(seed: number): Random {
  return createRandom(7_919 * seed + 1_000_003);
}

/**
 * The t-test form of Hunter and Apache Otava: the split by energy distance, then Student's t-test without regard to the choice of
 * the split. Default level as there: 0.001.
 */
export function tTestChangePoints(values: readonly number[], level = 0.001): number[] {
  const found: number[] = [];
  const search = (from: number, to: number) => {
    if (to - from < 2 * SHORTEST_SEGMENT) return;
    const segment = values.slice(from, to);
    const prepared = segmentOf(segment);
    if (prepared.meanDistance === 0) return;
    const { size: index } = bestSplit(
      prepared,
      segment.map((_, position) => position),
    );
    if (tTest(segment.slice(0, index), segment.slice(index)) > level) return;
    search(from, from + index);
    found.push(from + index);
    search(from + index, to);
  };
  search(0, values.length);
  return found;
}

/** Two-sided p-value of Student's t-test with pooled variance. */
function tTest(a: readonly number[], b: readonly number[]): number {
  const df = a.length + b.length - 2;
  const variance = (squares(a) + squares(b)) / df;
  const t = Math.abs(mean(a) - mean(b)) / Math.sqrt(variance * (1 / a.length + 1 / b.length));
  return 2 * (1 - studentCdf(t, df));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squares(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0);
}
