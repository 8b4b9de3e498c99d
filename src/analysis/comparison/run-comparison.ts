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
import { judgeErrors } from './error-comparison.ts';
import { type ComparedFigure, type Judged, judgeInterval, moreRequests } from './regression-rule.ts';
import { cellInWords, overallSentence, rowSentence } from './run-sentences.ts';
import type { CellSamples, RunSamples } from './samples.ts';

export type { RunComparison } from '../../model/run-comparison.ts';
export type { ComparedFigure } from './regression-rule.ts';

/** Has it become slower? Two runs of one scenario, decided cell by cell and figure by figure. */

/** How two runs are compared. */
export interface RunComparisonOptions {
  /** Seed of the resampling. */
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Two-sided confidence of the intervals. Default 0.9: 5 % on either side. */
  level?: number;
  /** What decides. Default `REGRESSION_FIGURES`. */
  gates?: readonly ComparedFigure[];
  /** A rise of the error rate by less than this share is no regression. Default 0.01. */
  errorTolerance?: number;
}

/** Time to first token and total, median and tail, and the tail of the gaps. */
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
 * Compares two runs by the rule of the interval (see `gate-rule.ts`), over several gates with Holm's adjustment. No data is
 * never a pass: it is `inconclusive`, and a cell that one side lacks is `not_comparable`. Throws a `UserError` (`usage`,
 * `unknown_metric`) for a gate that cannot be: sample the gates' metrics first.
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
    gates = REGRESSION_FIGURES,
    errorTolerance = 0.01,
  } = options;
  for (const gate of gates) checkGate(gate);
  const { obstacles, warnings } = comparability(base.manifest, next.manifest);
  const settings = { seed, resamples, level };
  const keys = [...new Set([...base.cells.keys(), ...next.cells.keys()])];
  const drafts: Draft[] = [];
  const errors: ErrorRateRow[] = [];
  // Nothing is computed for runs of different things; a cell that is missing spoils the whole, not the other cells.
  for (const key of obstacles.length > 0 ? [] : keys) {
    const before = base.cells.get(key);
    const after = next.cells.get(key);
    const { cell } = (before ?? after)!;
    if (before && after) {
      drafts.push(...gates.flatMap((gate) => draft(cell, gate, before, after, settings)));
      errors.push(judgeErrors(cell, before, after, level, errorTolerance));
    } else {
      obstacles.push(`${cellInWords(cell)} is in one of the runs only`);
    }
  }
  const rows = decide(drafts, 1 - level);
  if (rows.some(({ drawn }) => drawn === 'requests')) {
    warnings.push(
      'fewer than 4 rounds on a side: requests were resampled, so drift between the runs is not covered',
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

function checkGate({ metric: name, statistic }: ComparedFigure): void {
  if (metric(name).better === 'none') {
    throw new UserError('usage', {
      message: `"${name}" cannot be a gate: it describes the answer, and no direction is better`,
      hint: 'gate on a time or a rate, such as ttft.p50 or token_rate.p50',
    });
  }
  if (statistic !== 'mean' && quantileOf(statistic) === undefined) {
    throw new UserError('usage', {
      message: `"${name}.${statistic}" cannot be a gate`,
      hint: 'gate on a percentile or on the mean: p50, p90, p95, p99, mean',
    });
  }
}

interface Draft extends Judged {
  row: Omit<RunComparisonRow, 'verdict' | 'pWorse' | 'pBetter' | 'sentence' | 'moreRequests'>;
  needed: number;
}

function draft(
  cell: Cell,
  gate: ComparedFigure,
  before: CellSamples,
  after: CellSamples,
  settings: RunComparison['settings'],
): Draft[] {
  const { unit, better, modes } = metric(gate.metric);
  if (better === 'none' || (modes && !modes.includes(cell.mode))) return [];
  const quantile = quantileOf(gate.statistic);
  const [from, to] = [before.rounds(gate.metric), after.rounds(gate.metric)];
  const counts = [before.count(gate.metric), after.count(gate.metric)] as const;
  const estimate = bootstrapRatio(from, to, quantile === undefined ? 'mean' : { quantile }, {
    ...settings,
    dependent: gate.metric === 'gap',
  });
  const needed = quantile === undefined ? enoughFor(0.5) : enoughFor(quantile);
  const judged = judgeInterval(estimate, gate, unit, better);
  const ranks = mannWhitney(flat(from), flat(to));
  return [
    {
      ...judged,
      needed,
      row: {
        cell,
        metric: gate.metric,
        statistic: gate.statistic,
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

/** Holm's adjustment over the gates, then the verdicts. Rows that decide nothing do not dilute those that do. */
function decide(drafts: readonly Draft[], twoSided: number): RunComparisonRow[] {
  const gated = drafts.filter(({ row, estimate }) => row.gated && estimate !== null);
  const worse = holmAdjust(gated.map(({ pWorse }) => pWorse));
  const better = holmAdjust(gated.map(({ pBetter }) => pBetter));
  return drafts.map((one) => {
    const at = gated.indexOf(one);
    const alpha = twoSided / 2;
    let verdict = one.verdict;
    // Rounded, because a bound exactly at the limit is the same statement as a p-value exactly at alpha.
    if (verdict === 'regression' && (at === -1 || worse[at]! > alpha * 1.02)) verdict = 'inconclusive';
    if (verdict === 'improvement' && (at === -1 || better[at]! > alpha * 1.02)) verdict = 'inconclusive';
    const byChance = at !== -1 && verdict !== one.verdict;
    const more = verdict === 'inconclusive' ? moreRequests(one, one.row, one.needed) : null;
    const row = {
      ...one.row,
      verdict,
      pWorse: at === -1 ? null : worse[at]!,
      pBetter: at === -1 ? null : better[at]!,
      moreRequests: more,
    };
    return { ...row, sentence: rowSentence(row, { needed: one.needed, gates: gated.length, byChance }) };
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
