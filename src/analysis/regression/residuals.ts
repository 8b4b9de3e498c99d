import { ENOUGH_RUNS, upperTail } from './prediction.ts';

/**
 * One cell against the others: has this prompt or this load become slower, apart from what all cells of the run did together?
 * The run's own mean over all cells is taken out, and with it the drift that all cells share, so that a change in one of 24
 * cells is found although runs differ by 10 %. The spread of what remains is pooled over cells: few runs give many degrees of
 * freedom.
 */

/** One figure of one run, by cell: its logarithm (larger is worse), and the variance that sampling explains. */
export interface CellValues {
  values: readonly number[];
  sampling: readonly number[];
}

/** What is known of one cell. */
export interface CellResidual {
  /** Change of the cell against the accepted runs, with what all cells share. */
  change: number;
  /** The same without what all cells share. */
  residual: number;
  /** One-sided p-value of `residual`. */
  pWorse: number;
}

/** Standard deviation of one cell's own spread between runs where it cannot be measured, as a share of the assumed spread. */
const OWN_SHARE = 0.5;
/** The residuals of heavy-tailed figures are not normal: more degrees of freedom than this are not believed. */
const MOST_DEGREES = 20;

/**
 * Residuals of all cells of a new run. Every run has the same cells in the same order, and at least two. Throws a `RangeError`
 * otherwise, or without an accepted run.
 */
export function cellResiduals(
  history: readonly CellValues[],
  next: CellValues,
  { assumedSpread }: { assumedSpread: number },
): CellResidual[] {
  const cells = next.values.length;
  const runs = history.length;
  if (runs === 0 || cells < 2 || history.some(({ values }) => values.length !== cells)) {
    throw new RangeError('residuals need at least one accepted run and two cells that all runs have');
  }
  const earlier = history.map(({ values }) => centred(values));
  const latest = centred(next.values);
  const usual = next.values.map((_, cell) => mean(earlier.map((run) => run[cell]!)));
  const freedom = (runs - 1) * (cells - 1);
  const explained = mean(history.flatMap(({ sampling }) => sampling));
  const squares = earlier.reduce(
    (sum, run) => run.reduce((inner, value, cell) => inner + (value - usual[cell]!) ** 2, sum),
    0,
  );
  const own =
    runs < ENOUGH_RUNS ? (OWN_SHARE * assumedSpread) ** 2 : Math.max(0, squares / freedom - explained);
  const degreesOfFreedom = runs < ENOUGH_RUNS ? Number.POSITIVE_INFINITY : Math.min(freedom, MOST_DEGREES);
  return next.values.map((value, cell) => {
    const sampled = mean(history.map(({ sampling }) => sampling[cell]!));
    const noisier = Math.max(0, next.sampling[cell]! - sampled);
    const variance = (own + sampled) * (1 + 1 / runs) + noisier;
    const residual = latest[cell]! - usual[cell]!;
    return {
      change: value - mean(history.map(({ values }) => values[cell]!)),
      residual,
      pWorse: upperTail(variance > 0 ? residual / Math.sqrt(variance) : 0, degreesOfFreedom),
    };
  });
}

function centred(values: readonly number[]): number[] {
  const centre = mean(values);
  return values.map((value) => value - centre);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
