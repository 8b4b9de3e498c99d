import type { Unit } from './format.ts';
import type { Cell } from './plan.ts';

/** A run compared with accepted runs of the same scenario, figure by figure. */

/**
 * The verdict on a figure, or on all of them:
 * - `regression`: worse by more than the tolerance, and by more than accepted runs differ;
 * - `improvement`: the opposite;
 * - `equivalent`: within the tolerance with certainty;
 * - `unchanged`: within what accepted runs do among themselves;
 * - `inconclusive`: worse by more than the tolerance, which may be chance; or too noisy to find a doubling;
 * - `not_comparable`: not the same scenario, load or kind of machine.
 */
export type RunComparisonVerdict =
  | 'regression'
  | 'improvement'
  | 'equivalent'
  | 'unchanged'
  | 'inconclusive'
  | 'not_comparable';

/** One figure, over all cells or of one. Numbers that do not exist (no data, infinite) are null. */
export interface RunComparisonRow {
  /** Null: all cells together. */
  cell: Cell | null;
  /** The pin that it was compared with; absent where it was the newest accepted runs. */
  pin?: string;
  /** `ttft.p50`, `errors.rate`, `goodput`. */
  figure: string;
  unit: Unit;
  better: 'lower' | 'higher';
  base: RunComparisonSide;
  next: RunComparisonSide;
  /** Of a row with a pin: `next` is the mean of so many runs, the new one and the accepted ones before it. Absent: the new run. */
  nextRuns?: number;
  /**
   * How far the new run is from the accepted ones, with the 90 % interval: relative (0.31 is +31 %); for shares such as the
   * error rate the difference.
   */
  change: number | null;
  low: number | null;
  high: number | null;
  /** By how much it may get worse, in the unit of `change`. */
  tolerance: number;
  verdict: RunComparisonVerdict;
  /** False where it decides nothing: too few values, or too noisy. */
  gated: boolean;
  /** Adjusted for all checks of the gate: the chance of such a change for the worse, or the better, if nothing had changed. */
  pWorse: number | null;
  pBetter: number | null;
  /** The smallest change for the worse that is found in four of five runs, in the unit of `change`. Null for single cells. */
  detectable: number | null;
  sentence: string;
}

/** One side of a row. */
export interface RunComparisonSide {
  /** Over several cells their geometric mean. Null without data, or where failed requests reach up to this figure. */
  value: number | null;
  /** Values, failed requests included. */
  n: number;
  /** Failed requests, counted as worse than any value. */
  censored: number;
}

/** What the new run was compared with. */
export interface ComparedHistory {
  /** Ids of the accepted runs, oldest first. */
  runs: string[];
  /** The assumed standard deviation between runs (0.05 is 5 %); null where it was measured. */
  assumedSpread: number | null;
  /** The measured standard deviation between runs of the first check; null where it was assumed. */
  measuredSpread: number | null;
}

/** A comparison of a run with accepted ones. */
export interface RunComparison {
  verdict: RunComparisonVerdict;
  sentence: string;
  /** What else matters, at most three sentences. */
  details: string[];
  /** Why the runs cannot be compared. */
  obstacles: string[];
  /** What a reader should know: another client version, accepted runs that were left out. */
  warnings: string[];
  /** What it was compared with: the name of a baseline, or the id of a run. */
  base: string;
  next: string;
  history: ComparedHistory;
  /** How it was decided; the same settings give the same result. */
  settings: { seed: number; alpha: number };
  /** Over all cells, one row for each check; then those against pins. */
  summaries: RunComparisonRow[];
  /** Cell by cell, without what all cells did together. Empty for runs of one cell. */
  cells: RunComparisonRow[];
}

/** A run compared with a stored baseline. */
export interface BaselineReport extends RunComparison {
  /** The baseline as requested: its name, or a folder. */
  name: string;
  /** True where an inconclusive result is a failure too. */
  strict: boolean;
}
