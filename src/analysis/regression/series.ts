import type { AcceptedCell, AcceptedFigure, AcceptedRun } from '../../model/accepted-run.ts';
import { cellKey, cellOf } from '../../model/cells.ts';
import type { Cell } from '../../model/plan.ts';
import { enoughFor } from '../statistics/significance.ts';
import type { GateCheck } from './checks.ts';
import type { CellCheck, SummaryCheck } from './gate.ts';
import { center } from './prediction.ts';

/**
 * From accepted runs and a new one to the numbers that a gate decides on. Times and rates are compared by their logarithm,
 * shares by the arcsine of their root, which makes their variance the same everywhere; larger is always worse.
 */

/** One side of a check: a value in the check's unit, and how many requests or values it is made of. */
export interface CheckSide {
  /** Over several cells: their geometric mean; of a share, of all requests together. Null where failures reach up to it. */
  value: number | null;
  n: number;
  censored: number;
}

/** A check over all cells, with the numbers that a report shows. */
export interface PreparedCheck {
  check: GateCheck;
  /** Undefined where nothing can be compared: see `missing`. */
  summary?: SummaryCheck;
  /** Why there is no summary. */
  missing?: string;
  /** The accepted runs that have the figure in all compared cells. */
  runs: number;
  base: CheckSide;
  /** Of the last `nextRuns` runs, at their mean. */
  next: CheckSide;
  nextRuns: number;
  /** The compared cells; what of them is compared cell by cell. */
  cells: Cell[];
  /** Cells of the new run that are left out, because a side has too few values. */
  leftOut: number;
  byCell?: CellCheck;
  bySide: { base: CheckSide; next: CheckSide }[];
}

/** One figure of one cell on the scale of the gate. */
interface Scaled {
  /** Larger is worse. */
  value: number;
  sampling: number;
  side: CheckSide;
}

/** Variance below this is not believed: values are stamped in steps, and many can be equal. */
const LEAST_VARIANCE = 4e-6;
/** What a cell of failed requests counts as beside the others: 20 times slower than before. */
const FAILED_CELL = 3;
/** A time below 1 µs, or a rate below 1 in a million seconds, counts as that. */
const LEAST = { ms: 1e-3, other: 1e-6 };

/** How a check is prepared. */
export interface PrepareOptions {
  /** The check's share of the familywise error rate. */
  weight: number;
  assumedSpread: number;
  byCell: boolean;
  /** Accepted runs before the new one that are compared together with it, by their mean. Default: none. */
  recent?: readonly AcceptedRun[];
}

/** Prepares a check. */
export function prepareCheck(
  check: GateCheck,
  history: readonly AcceptedRun[],
  next: AcceptedRun,
  { weight, assumedSpread, byCell, recent = [] }: PrepareOptions,
): PreparedCheck {
  const none: CheckSide = { value: null, n: 0, censored: 0 };
  const nothing = { check, runs: 0, base: none, next: none, nextRuns: 1, cells: [], leftOut: 0, bySide: [] };
  const known = history.map((run) => byCellKey(check, run));
  const latest = next.cells.flatMap((cell) => {
    const value = scaled(check, cell, true);
    return value === undefined ? [] : [{ cell: cellOf(cell), key: cellKey(cell), ...value }];
  });
  const hadData = known.some((run) => [...run.values()].some((value) => value !== undefined));
  if (latest.length === 0)
    return { ...nothing, missing: missingData(check, next, hadData), leftOut: next.cells.length };
  // Runs that lack a cell are left out first; where none has all, cells that a run lacks.
  const whole = known.filter((run) => latest.every(({ key }) => isUsable(run.get(key))));
  const runs =
    whole.length > 0 ? whole : known.filter((run) => latest.some(({ key }) => isUsable(run.get(key))));
  const compared = latest.filter(({ key }) => runs.every((run) => isUsable(run.get(key))));
  if (runs.length === 0 || compared.length === 0)
    return { ...nothing, missing: 'no accepted run has enough values', leftOut: next.cells.length };
  const earlier = runs.map((run) => compared.map(({ key }) => run.get(key)!));
  const isShare = check.unit === 'ratio';
  const pool = isShare ? pooledShare(check) : averaged(check);
  const before = earlier.map(pool);
  const lately = recent
    .map((run) => byCellKey(check, run))
    .filter((run) => compared.every(({ key }) => isUsable(run.get(key))))
    .map((run) => pool(compared.map(({ key }) => run.get(key)!)));
  const nextRuns = lately.length + 1;
  const after = together(check, [...lately, pool(compared)]);
  const values = before.map(({ value }) => value);
  const base = atCenter(check, values, before);
  const sampling = { history: center(before.map((one) => one.sampling)), next: after.sampling };
  const spread = isShare ? 0 : assumedSpread;
  const limit = isShare ? check.tolerance : Math.log1p(check.tolerance);
  const change = after.value - center(values);
  const worseBy = changeFor(check, base, after.side);
  const prepared: PreparedCheck = {
    check,
    runs: runs.length,
    base,
    next: after.side,
    nextRuns,
    cells: compared.map(({ cell }) => cell),
    leftOut: next.cells.length - compared.length,
    bySide: [],
    summary: {
      series: { weight, history: values, next: after.value, nextRuns, sampling, assumedSpread: spread },
      tolerance: isShare ? shareTolerance(check, base) : limit,
      beyond: beyond(check, change, worseBy),
    },
  };
  if (!byCell || compared.length < 2) return prepared;
  const failedAs = (key: string) => center(runs.map((run) => run.get(key)!.value)) + FAILED_CELL;
  const bySide = compared.map((cell, index) => {
    const own = earlier.map((run) => run[index]!);
    return {
      base: atCenter(
        check,
        own.map(({ value }) => value),
        own,
      ),
      next: cell.side,
    };
  });
  return {
    ...prepared,
    bySide,
    byCell: {
      history: earlier.map((run) => valuesOf(run)),
      next: valuesOf(
        compared.map((cell) => (Number.isFinite(cell.value) ? cell : { ...cell, value: failedAs(cell.key) })),
      ),
      assumedSpread: spread,
      beyond: compared.map(({ value }, index) => {
        const own = center(earlier.map((run) => run[index]!.value));
        const sides = bySide[index]!;
        return beyond(check, value - own, changeFor(check, sides.base, sides.next)) === 'worse';
      }),
    },
  };
}

function byCellKey(check: GateCheck, { cells }: AcceptedRun): Map<string, Scaled | undefined> {
  return new Map(cells.map((cell) => [cellKey(cell), scaled(check, cell, false)]));
}

/** The mean of runs. */
function together(check: GateCheck, runs: readonly Scaled[]): Scaled {
  const [only, ...others] = runs;
  if (only !== undefined && others.length === 0) return only;
  const value = center(runs.map((run) => run.value));
  const side = atCenter(check, [value], runs);
  return {
    value,
    sampling: center(runs.map(({ sampling }) => sampling)) / runs.length,
    side: Number.isFinite(value) ? side : { ...side, value: null },
  };
}

function valuesOf(cells: readonly Scaled[]): { values: number[]; sampling: number[] } {
  return { values: cells.map(({ value }) => value), sampling: cells.map(({ sampling }) => sampling) };
}

function isUsable(value: Scaled | undefined): value is Scaled {
  return value !== undefined && Number.isFinite(value.value);
}

/** How much worse the new side is, in the unit of the check. Infinite where failures reach up to it. */
function changeFor({ better }: GateCheck, base: CheckSide, next: CheckSide): number {
  if (next.value === null || base.value === null) return next.value === null ? Number.POSITIVE_INFINITY : 0;
  return better === 'lower' ? next.value - base.value : base.value - next.value;
}

/** `change`: on the scale of the gate; `worseBy`: in the check's unit. */
function beyond(
  { unit, tolerance, floor }: GateCheck,
  change: number,
  worseBy: number,
): 'worse' | 'better' | null {
  const far = unit === 'ratio' ? Math.abs(worseBy) > tolerance : Math.abs(change) > Math.log1p(tolerance);
  if (!far || Math.abs(worseBy) <= floor) return null;
  return worseBy > 0 ? 'worse' : 'better';
}

/** The tolerance of a share on the scale of the gate, at its value. */
function shareTolerance({ better, tolerance }: GateCheck, { value }: CheckSide): number {
  const from = value ?? 0;
  const to = better === 'lower' ? Math.min(1, from + tolerance) : Math.max(0, from - tolerance);
  return Math.abs(arcsine(to) - arcsine(from));
}

function averaged(check: GateCheck): (cells: readonly Scaled[]) => Scaled {
  return (cells) => {
    const value = center(cells.map((cell) => cell.value));
    const sum = (of: (cell: Scaled) => number) => cells.reduce((total, cell) => total + of(cell), 0);
    return {
      value,
      sampling: sum(({ sampling }) => sampling) / cells.length ** 2,
      side: {
        value: Number.isFinite(value) ? valueAt(check, value) : null,
        n: sum(({ side }) => side.n),
        censored: sum(({ side }) => side.censored),
      },
    };
  };
}

function pooledShare(check: GateCheck): (cells: readonly Scaled[]) => Scaled {
  return (cells) => {
    const n = cells.reduce((sum, { side }) => sum + side.n, 0);
    const hits = cells.reduce((sum, { side }) => sum + (side.value ?? 0) * side.n, 0);
    return ofShare(
      check,
      hits / n,
      n,
      cells.reduce((sum, { side }) => sum + side.censored, 0),
    );
  };
}

/** The accepted side: the value at the center of the runs. */
function atCenter(check: GateCheck, values: readonly number[], runs: readonly Scaled[]): CheckSide {
  return {
    value: valueAt(check, center(values)),
    n: runs.reduce((sum, { side }) => sum + side.n, 0),
    censored: runs.reduce((sum, { side }) => sum + side.censored, 0),
  };
}

/** Back from the scale of the gate to the check's unit. */
export function valueAt({ unit, better }: Pick<GateCheck, 'unit' | 'better'>, scaledValue: number): number {
  const signed = better === 'lower' ? scaledValue : -scaledValue;
  if (unit !== 'ratio') return Math.exp(signed);
  return Math.sin(Math.min(Math.PI / 2, Math.max(0, signed))) ** 2;
}

function scaled(check: GateCheck, cell: AcceptedCell, isNext: boolean): Scaled | undefined {
  const { requests, failed, goodput } = cell;
  switch (check.kind) {
    case 'errors':
      return requests === 0 ? undefined : ofShare(check, failed / requests, requests, failed);
    case 'goodput-rate':
      return goodput === undefined || requests === 0
        ? undefined
        : ofShare(check, goodput.met / requests, requests, failed);
    case 'goodput':
      return goodput === undefined || requests === 0
        ? undefined
        : ofValue(check, goodputFigure(goodput, requests, failed), isNext);
    case 'metric': {
      const figure = cell.figures[check.figure];
      return figure === undefined || figure.n < neededFor(check) ? undefined : ofValue(check, figure, isNext);
    }
    default:
      return check.kind satisfies never;
  }
}

/** Values that a check needs in each cell. */
function neededFor({ kind, quantile }: GateCheck): number {
  return kind === 'metric' ? enoughFor(quantile ?? 0.5) : 1;
}

/** Good requests in a fixed time: their number varies as a binomial one does. */
function goodputFigure(
  { met, requestsPerSecond }: NonNullable<AcceptedCell['goodput']>,
  requests: number,
  failed: number,
): AcceptedFigure {
  const share = Math.max(met, 0.5) / requests;
  return {
    value: met === 0 ? null : requestsPerSecond,
    logVariance: met === 0 ? null : (1 - Math.min(share, 1)) / (requests * share),
    n: requests,
    censored: failed,
    drawn: 'requests',
  };
}

/** A value that failures reach is worse than any: of an accepted run it is no reference. */
function ofValue({ unit, better }: GateCheck, figure: AcceptedFigure, isNext: boolean): Scaled | undefined {
  const { value, logVariance, n, censored } = figure;
  const side = { value, n, censored };
  if (value === null) return isNext ? { value: Number.POSITIVE_INFINITY, sampling: 0, side } : undefined;
  const log = Math.log(Math.max(value, unit === 'ms' ? LEAST.ms : LEAST.other));
  return {
    value: better === 'lower' ? log : -log,
    sampling: Math.max(LEAST_VARIANCE, logVariance ?? 0),
    side,
  };
}

function ofShare({ better }: GateCheck, share: number, n: number, censored: number): Scaled {
  const value = arcsine(share);
  return {
    value: better === 'lower' ? value : -value,
    sampling: 1 / (4 * n),
    side: { value: share, n, censored },
  };
}

function arcsine(share: number): number {
  return Math.asin(Math.sqrt(share));
}

function missingData(check: GateCheck, next: AcceptedRun, hadData: boolean): string {
  if (check.kind === 'goodput' || check.kind === 'goodput-rate') return 'the run states no objectives';
  const most = Math.max(
    0,
    ...next.cells.map(({ figures, requests }) => figures[check.figure]?.n ?? requests),
  );
  const needed = neededFor(check);
  if (most < needed) return `${most} ${most === 1 ? 'value' : 'values'} per cell, ${needed} needed`;
  return hadData ? 'no values in the new run' : 'no values';
}
