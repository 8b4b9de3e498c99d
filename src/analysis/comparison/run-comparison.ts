import { metric } from '../../metrics/definitions.ts';
import { tidy } from '../../metrics/distribution.ts';
import { UserError } from '../../model/errors.ts';
import type { Cell } from '../../model/plan.ts';
import type {
  ErrorRateRow,
  RunComparison,
  RunComparisonRow,
  RunComparisonVerdict,
} from '../../model/run-comparison.ts';
import { quantileOf } from '../quantities.ts';
import { bootstrapRatio } from '../statistics/bootstrap.ts';
import { mannWhitney } from '../statistics/mann-whitney.ts';
import { enoughFor, holmAdjust } from '../statistics/significance.ts';
import { comparability } from './comparability.ts';
import { compareErrors } from './error-comparison.ts';
import { type ComparedFigure, type Judged, judgeInterval, moreRequests } from './regression-rule.ts';
import { cellInWords, overallSentence, rowSentence } from './run-sentences.ts';
import type { CellSamples, RunSamples } from './samples.ts';

export type { RunComparison } from '../../model/run-comparison.ts';
export type { ComparedFigure } from './regression-rule.ts';

/** How two runs are compared. */
export interface RunComparisonOptions {
  /** Seed of the resampling. */
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Two-sided confidence of the intervals. Default 0.9: 5 % on either side. */
  level?: number;
  /** Default `REGRESSION_FIGURES`. */
  figures?: readonly ComparedFigure[];
  /** A smaller rise of the error rate is not a regression. A share, default 0.01. */
  errorTolerance?: number;
}

/** The figures of a regression check: time to first token and total, median and tail, and the tail of the gaps. */
export const REGRESSION_FIGURES: readonly ComparedFigure[] = [
  { metric: 'ttft', statistic: 'p50' },
  { metric: 'ttft', statistic: 'p95' },
  { metric: 'total', statistic: 'p50' },
  { metric: 'total', statistic: 'p95' },
  { metric: 'gap', statistic: 'p95' },
];

const RESAMPLES = 10_000;
const LEVEL = 0.9;

/**
 * Compares two runs of one scenario, for each cell and figure, by the rule in `regression-rule.ts` and with Holm's adjustment over
 * all figures. No data is never a pass: it is `inconclusive`, and a cell that only one run has is `not_comparable`. Both runs must
 * have samples of the figures' metrics. Throws a `UserError` (`usage`, `unknown_metric`) for a figure that cannot be compared.
 */
export function compareRuns(
  base: RunSamples,
  next: RunSamples,
  options: RunComparisonOptions,
): RunComparison {
  const {
    seed,
    resamples = RESAMPLES,
    level = LEVEL,
    figures = REGRESSION_FIGURES,
    errorTolerance = 0.01,
  } = options;
  for (const figure of figures) checkFigure(figure);
  const { obstacles, warnings } = comparability(base.manifest, next.manifest);
  const settings = { seed, resamples, level };
  const keys = [...new Set([...base.cells.keys(), ...next.cells.keys()])];
  const drafts: Draft[] = [];
  const errors: ErrorRateRow[] = [];
  // With obstacles nothing is computed. A missing cell changes the overall verdict, not the rows of the other cells.
  for (const key of obstacles.length > 0 ? [] : keys) {
    const before = base.cells.get(key);
    const after = next.cells.get(key);
    if (before && after) {
      const { cell } = before;
      drafts.push(...figures.flatMap((figure) => draftRows(cell, figure, before, after, settings)));
      errors.push(compareErrors(cell, before, after, level, errorTolerance));
    } else {
      const only = before ?? after;
      if (only) obstacles.push(`${cellInWords(only.cell)} is in only one of the runs`);
    }
  }
  const rows = decide(drafts, 1 - level);
  if (rows.some(({ drawn }) => drawn === 'requests')) {
    warnings.push(
      'fewer than 4 rounds on a side: requests were resampled, and drift between the runs is not covered',
    );
  }
  const verdict = overall(rows, errors, obstacles);
  return {
    verdict,
    sentence: overallSentence(verdict, rows, errors, obstacles),
    obstacles,
    warnings,
    base: base.manifest.run.id,
    next: next.manifest.run.id,
    settings,
    rows,
    errors,
  };
}

function checkFigure({ metric: name, statistic }: ComparedFigure): void {
  if (metric(name).better === 'none') {
    throw new UserError('usage', {
      message: `"${name}" cannot be compared: neither direction is better`,
      hint: 'compare a time or a rate, such as ttft.p50 or token_rate.p50',
    });
  }
  if (statistic !== 'mean' && quantileOf(statistic) === undefined) {
    throw new UserError('usage', {
      message: `"${name}.${statistic}" cannot be compared`,
      hint: 'compare a percentile or the mean: p50, p90, p95, p99, mean',
    });
  }
}

interface Draft extends Judged {
  row: Omit<RunComparisonRow, 'verdict' | 'pWorse' | 'pBetter' | 'sentence' | 'moreRequests'>;
  needed: number;
}

/** The row of one figure. Empty where the metric has no meaning in the cell's mode. */
function draftRows(
  cell: Cell,
  figure: ComparedFigure,
  before: CellSamples,
  after: CellSamples,
  settings: RunComparison['settings'],
): Draft[] {
  const { unit, better, modes } = metric(figure.metric);
  if (better === 'none' || (modes && !modes.includes(cell.mode))) return [];
  const quantile = quantileOf(figure.statistic);
  const [from, to] = [before.rounds(figure.metric), after.rounds(figure.metric)];
  const counts = [before.count(figure.metric), after.count(figure.metric)] as const;
  const estimate = bootstrapRatio(from, to, quantile === undefined ? 'mean' : { quantile }, {
    ...settings,
    dependent: figure.metric === 'gap',
  });
  const needed = enoughFor(quantile ?? 0.5);
  const judged = judgeInterval(estimate, figure, unit, better);
  const ranks = mannWhitney(flat(from), flat(to));
  return [
    {
      ...judged,
      needed,
      row: {
        cell,
        metric: figure.metric,
        statistic: figure.statistic,
        unit,
        better,
        base: { ...counts[0], value: finite(estimate?.base) },
        next: { ...counts[1], value: finite(estimate?.next) },
        ratio: finite(estimate?.ratio),
        low: finite(estimate?.low),
        high: finite(estimate?.high),
        difference: finite(estimate ? estimate.next - estimate.base : undefined),
        tolerance: judged.tolerance,
        gated: Math.min(counts[0].n, counts[1].n) >= needed || estimate === null,
        drawn: estimate?.drawn ?? null,
        mannWhitney: ranks && { p: ranks.p, superiority: ranks.superiority },
      },
    },
  ];
}

/** Applies Holm's adjustment, then decides. Only rows with enough values take part in the adjustment. */
function decide(drafts: readonly Draft[], twoSided: number): RunComparisonRow[] {
  const gated = drafts.filter(({ row, estimate }) => row.gated && estimate !== null);
  const worse = holmAdjust(gated.map(({ pWorse }) => pWorse));
  const better = holmAdjust(gated.map(({ pBetter }) => pBetter));
  // With a margin, because a bound exactly at the limit is the same statement as a p-value exactly at alpha.
  const limit = (twoSided / 2) * 1.02;
  return drafts.map((one) => {
    const at = gated.indexOf(one);
    const [pWorse = null, pBetter = null] = [worse[at], better[at]];
    let verdict = one.verdict;
    if (verdict === 'regression' && (pWorse === null || pWorse > limit)) verdict = 'inconclusive';
    if (verdict === 'improvement' && (pBetter === null || pBetter > limit)) verdict = 'inconclusive';
    const byChance = at !== -1 && verdict !== one.verdict;
    const more = verdict === 'inconclusive' ? moreRequests(one, one.row, one.needed) : null;
    const row = { ...one.row, verdict, pWorse, pBetter, moreRequests: more };
    return { ...row, sentence: rowSentence(row, { needed: one.needed, figures: gated.length, byChance }) };
  });
}

function overall(
  rows: readonly RunComparisonRow[],
  errors: readonly ErrorRateRow[],
  obstacles: readonly string[],
): RunComparisonVerdict {
  const deciding = [...rows.filter(({ gated }) => gated), ...errors];
  const has = (verdict: RunComparisonVerdict) => deciding.some((one) => one.verdict === verdict);
  if (has('regression')) return 'regression';
  if (obstacles.length > 0) return 'not_comparable';
  if (!rows.some(({ gated }) => gated) || has('inconclusive')) return 'inconclusive';
  return has('improvement') ? 'improvement' : 'equivalent';
}

function flat(rounds: readonly ArrayLike<number>[]): number[] {
  return rounds.flatMap((round) => Array.from(round));
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? tidy(value) : null;
}
