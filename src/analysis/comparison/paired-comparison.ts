import { metric } from '../../metrics/definitions.ts';
import { tidy } from '../../metrics/distribution.ts';
import { levelInWords, sameLevel } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { PairComparison, PairRow } from '../../model/paired-comparison.ts';
import type { LoadLevel } from '../../model/plan.ts';
import { quantileOf } from '../quantities.ts';
import { bootstrapPairedRatio, type RatioEstimate, type Rounds } from '../statistics/bootstrap.ts';
import { enoughFor, holmAdjust } from '../statistics/significance.ts';
import { plainSentence } from './paired-sentences.ts';
import { type Gate, toleranceOf } from './regression-rule.ts';
import type { CellSamples } from './samples.ts';

/**
 * Two sides that were measured in the same rounds of one run: the same rounds are drawn for both, and what drifts cancels.
 */

export type { PairComparison, PairRow, PairVerdict } from '../../model/paired-comparison.ts';

/** How two sides are compared. */
export interface PairOptions {
  /** Seed of the resampling. */
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Two-sided confidence. Default 0.9. */
  level?: number;
  /** Default `PAIR_FIGURES`. `tolerance` is what counts as equivalent; floors are not used. */
  figures?: readonly Gate[];
}

/** First token, end and speed. */
export const PAIR_FIGURES: readonly Gate[] = [
  { metric: 'ttft', statistic: 'p50' },
  { metric: 'total', statistic: 'p50' },
  { metric: 'token_rate', statistic: 'p50' },
];

/** Two cells that differ in what is compared, and in nothing else. */
export interface Pair {
  prompt: string;
  level: LoadLevel;
  a: CellSamples;
  b: CellSamples;
}

interface Draft {
  row: Omit<PairRow, 'verdict'>;
  estimate: RatioEstimate | null;
  tolerance: number;
  needed: number;
}

/** Compares pairs of cells, prompt by prompt and in all, at each load. */
export function comparePairs(
  names: { a: string; b: string },
  pairs: readonly Pair[],
  options: PairOptions,
): PairComparison {
  const { seed, resamples = 10_000, level = 0.9, figures = PAIR_FIGURES } = options;
  const settings = { seed, resamples, level };
  const levels = pairs
    .map(({ level }) => level)
    .filter((level, at, all) => all.findIndex((one) => sameLevel(one, level)) === at);
  const drafts = levels.flatMap((level) => {
    const here = pairs.filter((pair) => sameLevel(pair.level, level));
    // A single prompt is all prompts.
    const groups = here.length > 1 ? [here, ...here.map((pair) => [pair])] : [here];
    return figures.flatMap((figure) => groups.map((group, i) => draft(group, i === 0, figure, settings)));
  });
  const rows = decide(drafts, (1 - level) / 2);
  return {
    ...names,
    settings,
    rows,
    sentences: levels.map((level) => {
      const about = rows.filter((row) => sameLevel(row, level) && row.prompt === null);
      const where = levels.length > 1 ? `at ${levelInWords(level)}: ` : '';
      return `${where}${plainSentence(about, names)}`;
    }),
  };
}

function draft(
  pairs: readonly Pair[],
  all: boolean,
  figure: Gate,
  settings: PairComparison['settings'],
): Draft {
  const { metric: name, statistic } = figure;
  const { unit, better } = metric(name);
  if (better === 'none') {
    throw new UserError('usage', {
      message: `"${name}" describes the answer: neither side can be better at it`,
    });
  }
  const quantile = quantileOf(statistic);
  const sides = pairs.map(({ a, b }): { base: Rounds; next: Rounds } =>
    // The ratio is how many times better A is: what is better when lower has A below the line.
    better === 'lower'
      ? { base: a.rounds(name), next: b.rounds(name) }
      : { base: b.rounds(name), next: a.rounds(name) },
  );
  const estimate = bootstrapPairedRatio(sides, quantile === undefined ? 'mean' : { quantile }, settings);
  const [a, b] = better === 'lower' ? [estimate?.base, estimate?.next] : [estimate?.next, estimate?.base];
  return {
    estimate,
    tolerance: toleranceOf(figure),
    needed: enoughFor(quantile ?? 0.5),
    row: {
      ...pairs[0]!.level,
      prompt: all ? null : pairs[0]!.prompt,
      metric: name,
      statistic,
      unit,
      better,
      n: Math.min(...pairs.flatMap((pair) => [pair.a.count(name).n, pair.b.count(name).n])),
      a: finite(a),
      b: finite(b),
      factor: finite(estimate?.ratio),
      low: finite(estimate?.low),
      high: finite(estimate?.high),
      drawn: estimate?.drawn ?? null,
    },
  };
}

/** One side is better where the interval leaves 1 out, also after Holm's adjustment over all rows with enough values. */
function decide(drafts: readonly Draft[], alpha: number): PairRow[] {
  const enough = drafts.filter(({ row, needed, estimate }) => estimate !== null && row.n >= needed);
  const above = holmAdjust(enough.map(({ estimate }) => estimate!.pAbove(1)));
  const below = holmAdjust(enough.map(({ estimate }) => estimate!.pBelow(1)));
  return drafts.map((one): PairRow => {
    const at = enough.indexOf(one);
    const { row, estimate, tolerance } = one;
    if (at === -1 || estimate === null) return { ...row, verdict: 'inconclusive' };
    const { low, high } = estimate;
    if (low > 1 / (1 + tolerance) && high < 1 + tolerance) return { ...row, verdict: 'equivalent' };
    if (low > 1 && above[at]! <= alpha) return { ...row, verdict: 'a_better' };
    if (high < 1 && below[at]! <= alpha) return { ...row, verdict: 'b_better' };
    return { ...row, verdict: 'inconclusive' };
  });
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? tidy(value) : null;
}
