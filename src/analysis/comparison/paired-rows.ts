import { metric } from '../../metrics/definitions.ts';
import { tidy } from '../../metrics/distribution.ts';
import { distinctLevels, levelInWords, sameLevel } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { PairedComparison, PairedRow } from '../../model/paired-comparison.ts';
import type { LoadLevel } from '../../model/plan.ts';
import { quantileOf } from '../quantities.ts';
import { defaultTolerance } from '../regression/checks.ts';
import { bootstrapPairedRatio, type RatioEstimate, type Rounds } from '../statistics/bootstrap.ts';
import { enoughFor, holmAdjust } from '../statistics/significance.ts';
import { pairedSentence } from './paired-sentences.ts';
import type { CellSamples } from './samples.ts';

/** A figure that is compared. */
export interface ComparedFigure {
  metric: string;
  /** A percentile (`p50`, `p99.9`) or `mean`. */
  statistic: string;
  /** By how much the sides may differ and still be equivalent, as a share. Default 0.1 for p50 and mean, 0.15 for others. */
  tolerance?: number;
}

/** How two sides are compared. */
export interface PairedOptions {
  /** Seed of the resampling. */
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Two-sided confidence. Default 0.9. */
  level?: number;
  /** Default `pairedFigures`. `tolerance` is what counts as equivalent. */
  figures?: readonly ComparedFigure[];
}

/** The metrics that comparisons within a run need. */
export const PAIRED_METRICS = ['ttfa', 'ttft', 'total', 'token_rate'] as const;

/** First token, end and speed; where a side reasons, the first answer text comes before the first token. */
export function pairedFigures(pairs: readonly CellPair[]): ComparedFigure[] {
  const reasoning = pairs.some(({ a, b }) => reasons(a) || reasons(b));
  return PAIRED_METRICS.filter((metric) => reasoning || metric !== 'ttfa').map((metric) => ({
    metric,
    statistic: 'p50',
  }));
}

function reasons({ reasoned, requests, failed }: CellSamples): boolean {
  return reasoned > 0 && reasoned >= (requests - failed) / 2;
}

/** Two cells that differ only in what is compared. */
export interface CellPair {
  prompt: string;
  level: LoadLevel;
  a: CellSamples;
  b: CellSamples;
}

interface Draft {
  row: Omit<PairedRow, 'verdict'>;
  estimate: RatioEstimate | null;
  tolerance: number;
  needed: number;
}

/**
 * Compares pairs of cells that were measured in the same rounds, for each prompt and for all of them, at each load level. The
 * same rounds are resampled on both sides, so that drift cancels.
 */
export function comparePairs(
  names: { a: string; b: string },
  pairs: readonly CellPair[],
  options: PairedOptions,
): Pick<PairedComparison, 'a' | 'b' | 'settings' | 'rows' | 'sentences'> {
  const { seed, resamples = 10_000, level = 0.9, figures = pairedFigures(pairs) } = options;
  const settings = { seed, resamples, level };
  const levels = distinctLevels(pairs.map(({ level }) => level));
  const drafts = levels.flatMap((level) => {
    const atLevel = pairs.filter((pair) => sameLevel(pair.level, level));
    // A single prompt is all prompts.
    const prompts = atLevel.length > 1 ? atLevel : [];
    return figures.flatMap((figure) => [
      draftRow(atLevel, null, level, figure, settings),
      ...prompts.map((pair) => draftRow([pair], pair.prompt, level, figure, settings)),
    ]);
  });
  const rows = decide(drafts, (1 - level) / 2);
  return {
    ...names,
    settings,
    rows,
    sentences: levels.map((level) => {
      const ofAll = rows.filter((row) => sameLevel(row, level) && row.prompt === null);
      const where = levels.length > 1 ? `at ${levelInWords(level)}: ` : '';
      return `${where}${pairedSentence(ofAll, names)}`;
    }),
  };
}

/** The tolerance of a compared figure. */
export function toleranceOf({ statistic, tolerance }: ComparedFigure): number {
  return tolerance ?? defaultTolerance(statistic);
}

function draftRow(
  pairs: readonly CellPair[],
  prompt: string | null,
  level: LoadLevel,
  figure: ComparedFigure,
  settings: PairedComparison['settings'],
): Draft {
  const { metric: name, statistic } = figure;
  const { unit, better } = metric(name);
  if (better === 'none') {
    throw new UserError('usage', {
      message: `"${name}" cannot be compared: neither direction is better`,
    });
  }
  const quantile = quantileOf(statistic);
  // The ratio next / base is how many times better A is: of times A is the base, of rates B.
  const sides = pairs.map(({ a, b }): { base: Rounds; next: Rounds } =>
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
      ...level,
      prompt,
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

/** One side is better where the interval excludes 1, also after Holm's adjustment over all rows with enough values. */
function decide(drafts: readonly Draft[], alpha: number): PairedRow[] {
  const decidable = drafts.flatMap(({ row, needed, estimate }) =>
    estimate !== null && row.n >= needed ? [{ row, estimate }] : [],
  );
  const pAbove = holmAdjust(decidable.map(({ estimate }) => estimate.pAbove(1)));
  const pBelow = holmAdjust(decidable.map(({ estimate }) => estimate.pBelow(1)));
  return drafts.map(({ row, tolerance }): PairedRow => {
    const at = decidable.findIndex((one) => one.row === row);
    const [above, below] = [pAbove[at], pBelow[at]];
    const estimate = decidable[at]?.estimate;
    if (estimate === undefined || above === undefined || below === undefined)
      return { ...row, verdict: 'inconclusive' };
    const { low, high } = estimate;
    if (low > 1 / (1 + tolerance) && high < 1 + tolerance) return { ...row, verdict: 'equivalent' };
    if (low > 1 && above <= alpha) return { ...row, verdict: 'a_better' };
    if (high < 1 && below <= alpha) return { ...row, verdict: 'b_better' };
    return { ...row, verdict: 'inconclusive' };
  });
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? tidy(value) : null;
}
