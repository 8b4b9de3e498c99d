import type { Unit } from './format.ts';
import type { Cell } from './plan.ts';

/** Two runs of one scenario held against each other, figure by figure. */

/** What is said of a figure, of a cell or of all. */
export type RunComparisonVerdict =
  | 'regression'
  | 'improvement'
  | 'equivalent'
  | 'inconclusive'
  | 'not_comparable';

/** One figure of one cell, on both sides. Numbers that do not exist (no data, infinite) are null. */
export interface RunComparisonRow {
  cell: Cell;
  metric: string;
  /** `p50`, `p95`, `mean` ... */
  statistic: string;
  unit: Unit;
  better: 'lower' | 'higher';
  base: RunComparisonSide;
  next: RunComparisonSide;
  /** next / base, as measured and with the bounds of its interval. */
  ratio: number | null;
  low: number | null;
  high: number | null;
  /** next - base, as measured. */
  difference: number | null;
  /** How much worse the value may get before it is a regression, as a share. */
  tolerance: number;
  verdict: RunComparisonVerdict;
  /** False with too few values: the row is shown, but does not affect the verdict. */
  gated: boolean;
  /** Holm-adjusted over all gates: that a change for the worse, or the better, of this size came by chance. */
  pWorse: number | null;
  pBetter: number | null;
  /** `rounds`: drift from round to round is in the interval; `requests`: it is not. Null without an interval. */
  drawn: 'rounds' | 'requests' | null;
  /** Estimated additional requests on each side for a conclusive verdict; null if unknown. */
  moreRequests: number | null;
  /** For information: rank test over all values. Does not account for drift. */
  mannWhitney: { p: number; superiority: number } | null;
  sentence: string;
}

/** One side of a row. */
export interface RunComparisonSide {
  /** Values, failed requests included. */
  n: number;
  /** Failed requests, counted as worse than any value. */
  censored: number;
  /** Null without data, or where failures reach up to this statistic. */
  value: number | null;
}

/** Two runs compared. */
export interface RunComparison {
  verdict: RunComparisonVerdict;
  sentence: string;
  /** Why the runs cannot be compared. */
  obstacles: string[];
  /** For example: different client version, aborted run, drift not covered. */
  warnings: string[];
  base: string;
  next: string;
  /** How it was decided; the same settings give the same result. */
  settings: { seed: number; resamples: number; level: number };
  rows: RunComparisonRow[];
  errors: ErrorRateRow[];
}

/** The error rate of one cell, on both sides. */
export interface ErrorRateRow {
  cell: Cell;
  base: ErrorRateSide;
  next: ErrorRateSide;
  /** next - base, as shares, with Newcombe's interval. Null where a side has no request. */
  difference: number | null;
  low: number | null;
  high: number | null;
  verdict: RunComparisonVerdict;
  sentence: string;
}

/** One side: failed requests with Wilson's interval of their share. */
export interface ErrorRateSide {
  failed: number;
  requests: number;
  rate: number | null;
  low: number;
  high: number;
}

/** A run held against a baseline that was kept. */
export interface BaselineReport extends RunComparison {
  /** The baseline as it was asked for: its name, or a folder. */
  name: string;
  /** True where to know nothing is a failure too. */
  strict: boolean;
}
