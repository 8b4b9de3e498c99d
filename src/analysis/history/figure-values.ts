import type { AcceptedCell, AcceptedRun } from '../../model/accepted-run.ts';
import { cellKey, cellOf } from '../../model/cells.ts';
import type { TrackedFigure } from '../../model/history.ts';
import type { Cell } from '../../model/plan.ts';

/** The values of a figure over runs, for all cells together and cell by cell. */
export interface FigureValues {
  /** One for each run. Null where a cell has no value in this run. */
  all: (number | null)[];
  cells: { cell: Cell; values: (number | null)[] }[];
}

/** Reads a figure from runs of one scenario. Cells without the figure in every run are left out. */
export function figureValues(figure: string, runs: readonly AcceptedRun[]): FigureValues {
  const byKey = runs.map((run) => new Map(run.cells.map((cell) => [cellKey(cell), cell])));
  const planned = new Map(runs.flatMap((run) => run.cells.map((cell) => [cellKey(cell), cellOf(cell)])));
  const cells = Array.from(planned, ([key, cell]) => ({
    key,
    cell,
    values: byKey.map((known) => valueIn(figure, known.get(key))),
  })).filter(({ values }) => values.some((value) => value !== null));
  return {
    all: byKey.map((known) =>
      pooled(
        figure,
        cells.map(({ key }) => known.get(key)),
      ),
    ),
    cells: cells.map(({ cell, values }) => ({ cell, values })),
  };
}

function valueIn(figure: string, cell: AcceptedCell | undefined): number | null {
  if (cell === undefined || cell.requests === 0) return null;
  switch (figure) {
    case 'errors.rate':
      return cell.failed / cell.requests;
    case 'goodput.rate':
      return cell.goodput === undefined ? null : cell.goodput.met / cell.requests;
    case 'goodput':
      return cell.goodput?.requestsPerSecond ?? null;
    default:
      return cell.figures[figure]?.value ?? null;
  }
}

function pooled(figure: string, cells: readonly (AcceptedCell | undefined)[]): number | null {
  const values: number[] = [];
  let requests = 0;
  let weighted = 0;
  for (const cell of cells) {
    const value = valueIn(figure, cell);
    if (value === null || cell === undefined) return null;
    values.push(value);
    requests += cell.requests;
    weighted += value * cell.requests;
  }
  if (values.length === 0) return null;
  const sum = values.reduce((total, value) => total + value, 0);
  if (figure === 'errors.rate' || figure === 'goodput.rate') return weighted / requests;
  if (figure === 'goodput') return sum;
  if (values.length === 1 || values.some((value) => value <= 0)) return sum / values.length;
  return Math.exp(values.reduce((total, value) => total + Math.log(value), 0) / values.length);
}

/** The values on a scale on which a change is a shift: arcsine for shares, logarithm where all are above 0. */
export function changeScale(
  { unit }: Pick<TrackedFigure, 'unit'>,
  values: readonly (number | null)[],
): (number | null)[] {
  if (unit === 'ratio') return values.map((value) => (value === null ? null : Math.asin(Math.sqrt(value))));
  const logarithmic = values.every((value) => value === null || value > 0);
  return logarithmic ? values.map((value) => (value === null ? null : Math.log(value))) : [...values];
}
