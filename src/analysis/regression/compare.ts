import { tidy } from '../../metrics/distribution.ts';
import type { AcceptedRun, Pin } from '../../model/accepted-run.ts';
import type { RunComparison, RunComparisonRow, RunComparisonVerdict } from '../../model/run-comparison.ts';
import { adviceOf } from './advice.ts';
import { defaultChecks, type GateCheck } from './checks.ts';
import { GATE_LEVEL, weightsOf } from './family.ts';
import { decideGate, type GateDecision, type SummaryDecision } from './gate.ts';
import { ENOUGH_RUNS, toleranceLimits } from './prediction.ts';
import { selectHistory } from './selection.ts';
import { detailSentences, overallSentence, rowSentence } from './sentences.ts';
import { type PreparedCheck, type PrepareOptions, prepareCheck, valueAt } from './series.ts';

/** Has it become slower? A run compared with accepted runs: first all cells together, then single cells. */

/** How a run is compared. */
export interface CompareOptions {
  /** The name of the baseline, or the id of the run that stands for it. */
  base: string;
  /** The checks, the most important one first. Default: `defaultChecks`. */
  checks?: readonly GateCheck[];
  /** Fixed references that the run is compared with as well. */
  pins?: readonly Pin[];
  /** Default 1. */
  seed?: number;
  /** The chance of a false alarm, for the whole gate. Default 0.05. */
  alpha?: number;
  /** Standard deviation between runs where fewer than 5 were accepted. Default 0.05, which is 5 %. */
  assumedSpread?: number;
  /** Compare with runs from other kinds of machines too. Default false. */
  anyMachine?: boolean;
  /** Draws of the joint distribution of all checks. Default 4,000. */
  draws?: number;
}

/** The assumed standard deviation between runs. */
export const ASSUMED_SPREAD = 0.05;
/**
 * The share of the level that the newest runs and the pins are each tested at where there are pins, found by simulation: both
 * test the same new run, so that their false alarms mostly come together. More of it where the tolerance limits false alarms.
 */
const SHARE_WITH_PINS = {
  assumed: 0.7,
  least: 0.45,
  more: 0.45,
};

/**
 * A pin is compared with the new run, and with the mean of so many of the last runs, the new one included: a regression that creeps
 * in is in all of them, and their mean drifts less than one run.
 */
const RUNS_AGAINST_PIN = 2;

interface Compared {
  prepared: PreparedCheck[];
  decision: GateDecision;
}

/**
 * Compares a run with accepted ones, oldest first. No data is never a pass: without a figure to compare the result is
 * `inconclusive`, without a comparable run `not_comparable`. The same input gives the same result.
 */
export function compareWithHistory(
  history: readonly AcceptedRun[],
  next: AcceptedRun,
  options: CompareOptions,
): RunComparison {
  const { base, pins = [], seed = 1, alpha = GATE_LEVEL, anyMachine, draws } = options;
  const { assumedSpread = ASSUMED_SPREAD } = options;
  const { runs, obstacles, warnings } = selectHistory(history, next, { anyMachine });
  const checks = options.checks ?? defaultChecks([...runs, next]);
  const decide = (prepared: PreparedCheck[], level: number): Compared => {
    const { summaries, cellChecks } = testsOf(prepared);
    return { prepared, decision: decideGate(summaries, cellChecks, { seed, alpha: level, draws }) };
  };
  const newest = prepareAll(checks, runs, next, { assumedSpread, byCell: true });
  const share = pins.length > 0 ? shareWithPins(newest) : 1;
  const main = runs.length === 0 ? undefined : decide(newest, alpha * share);
  const rows = main === undefined ? [] : summaryRows(main, options.checks !== undefined);
  for (const pin of main === undefined ? [] : pins) {
    const selected = selectHistory(pin.runs, next, { anyMachine });
    if (selected.runs.length === 0)
      warnings.push(`pin ${pin.name} is not compared: ${selected.obstacles.join('; ')}`);
    else {
      const recent = runsSince(pin, runs).slice(1 - RUNS_AGAINST_PIN);
      const prepared = [[], ...(recent.length > 0 ? [recent] : [])].flatMap((before) =>
        prepareAll(checks, selected.runs, next, { assumedSpread, byCell: false, recent: before }),
      );
      const compared = decide(prepared, (alpha * share) / pins.length);
      rows.push(...clearest(summaryRows(compared, false)).map((row) => pinned(row, pin.name)));
    }
  }
  const cells = main === undefined ? [] : cellRows(main);
  const verdict = overall([...rows, ...cells], obstacles);
  const leading = main?.prepared.find(({ summary }) => summary !== undefined)?.summary?.series;
  const spread = leading === undefined ? 0 : standardDeviation(leading.history);
  const measured = runs.length >= ENOUGH_RUNS;
  const compared = {
    base,
    history: {
      runs: runs.map(({ manifest }) => manifest.run.id),
      assumedSpread: measured || runs.length === 0 ? null : assumedSpread,
      measuredSpread: measured ? tidy(spread) : null,
    },
    obstacles,
    summaries: rows,
    cells,
  };
  const advice = main && adviceOf(main.prepared, main.decision.summaries, next);
  return {
    verdict,
    sentence: overallSentence(verdict, compared),
    details: detailSentences(verdict, compared, advice),
    ...compared,
    warnings: [...warnings, ...leftOutWarnings(main)],
    next: next.manifest.run.id,
    settings: { seed, alpha },
  };
}

function shareWithPins(prepared: readonly PreparedCheck[]): number {
  const leading = prepared.find(({ summary }) => summary !== undefined)?.summary;
  if (leading === undefined || leading.series.history.length < ENOUGH_RUNS) return SHARE_WITH_PINS.assumed;
  return SHARE_WITH_PINS.least + SHARE_WITH_PINS.more * toleranceLimits(leading.series, leading.tolerance);
}

/** The accepted runs after those of a pin. */
function runsSince(pin: Pin, runs: readonly AcceptedRun[]): readonly AcceptedRun[] {
  const held = new Set(pin.runs.map(({ manifest }) => manifest.run.id));
  return runs.slice(runs.findLastIndex(({ manifest }) => held.has(manifest.run.id)) + 1);
}

/** The checks that have a summary, and the smaller family of those that cells are compared by. */
export function prepareAll(
  checks: readonly GateCheck[],
  accepted: readonly AcceptedRun[],
  next: AcceptedRun,
  { byCell, ...options }: Omit<PrepareOptions, 'weight'>,
): PreparedCheck[] {
  const weights = weightsOf(checks);
  return checks.map((check, index) =>
    prepareCheck(check, accepted, next, {
      ...options,
      weight: weights[index]!,
      // The tail of a single cell is too noisy to share the level with the others.
      byCell:
        byCell &&
        (index === 0 || check.statistic === 'p50' || check.statistic === 'mean' || check.kind === 'errors'),
    }),
  );
}

/** What a gate decides on. */
export function testsOf(prepared: readonly PreparedCheck[]) {
  return {
    summaries: prepared.flatMap(({ summary }) => summary ?? []),
    cellChecks: prepared.flatMap(({ byCell }) => byCell ?? []),
  };
}

function summaryRows({ prepared, decision }: Compared, chosen: boolean): RunComparisonRow[] {
  let decided = 0;
  return prepared.flatMap((one, index): RunComparisonRow[] => {
    if (one.summary === undefined) return missingRow(one, chosen);
    const made = decision.summaries[decided++];
    if (made === undefined) return [];
    const { check, base, next } = one;
    // Unless the user chose it, a figure that is too noisy does not keep the others from deciding.
    const gated = !made.blind || made.verdict !== 'inconclusive' || chosen || index === 0;
    const row = {
      ...{ cell: null, figure: check.figure, unit: check.unit, better: check.better, base, next },
      ...bounds(one, made),
      nextRuns: one.nextRuns > 1 ? one.nextRuns : undefined,
      tolerance: check.tolerance,
      verdict: made.verdict,
      gated,
      pWorse: tidy(made.pWorse),
      pBetter: tidy(made.pBetter),
    };
    return [{ ...row, sentence: rowSentence(row) }];
  });
}

/** A figure without data decides only where the user chose it, or where the accepted runs have it. */
function missingRow({ check, base, next, missing }: PreparedCheck, chosen: boolean): RunComparisonRow[] {
  if (missing === 'no values' && !chosen) return [];
  const row = {
    ...{ cell: null, figure: check.figure, unit: check.unit, better: check.better, base, next },
    ...{ change: null, low: null, high: null, tolerance: check.tolerance, detectable: null },
    ...{ verdict: 'inconclusive' as const, gated: chosen || missing === 'no values in the new run' },
    ...{ pWorse: null, pBetter: null },
  };
  return [{ ...row, sentence: rowSentence(row, missing) }];
}

/** Of the rows of a figure the one that is most likely worse. */
function clearest(rows: readonly RunComparisonRow[]): RunComparisonRow[] {
  const worst = new Map<string, RunComparisonRow>();
  for (const row of rows) {
    const known = worst.get(row.figure);
    if (known === undefined || (row.pWorse ?? 1) < (known.pWorse ?? 1)) worst.set(row.figure, row);
  }
  return [...worst.values()];
}

function pinned(row: RunComparisonRow, pin: string): RunComparisonRow {
  const { sentence: _, ...rest } = row;
  // A pin is a limit: that a run is not worse than it is all that counts.
  const gated = row.gated && row.verdict === 'regression';
  const made = { ...rest, pin, gated };
  return { ...made, sentence: rowSentence(made) };
}

function cellRows({ prepared, decision }: Compared): RunComparisonRow[] {
  let decided = 0;
  return prepared.flatMap((one) => {
    if (one.byCell === undefined) return [];
    const cells = decision.cells[decided++] ?? [];
    const { check } = one;
    return cells.flatMap(({ regression, pWorse }, index): RunComparisonRow[] => {
      const [cell, sides] = [one.cells[index], one.bySide[index]];
      if (cell === undefined || sides === undefined) return [];
      const { base, next } = sides;
      const row = {
        ...{ cell, figure: check.figure, unit: check.unit, better: check.better, base, next },
        ...{ change: changeOf(check, base.value, next.value), low: null, high: null },
        tolerance: check.tolerance,
        verdict: regression ? ('regression' as const) : ('unchanged' as const),
        ...{ gated: regression, pWorse: tidy(pWorse), pBetter: null, detectable: null },
      };
      return [{ ...row, sentence: rowSentence({ ...row, gated: true }) }];
    });
  });
}

type Bounds = Pick<RunComparisonRow, 'change' | 'low' | 'high' | 'detectable'>;

/** From the scale of the gate to changes of the value. */
function bounds({ check, base, next, summary }: PreparedCheck, made: SummaryDecision): Bounds {
  const at = (change: number) => {
    const center = made.prediction.center;
    return Number.isFinite(change) ? changeOf(check, base.value, valueAt(check, center + change)) : null;
  };
  const ends = [at(made.low), at(made.high)];
  const detectable = summary === undefined ? null : at(made.detectable);
  return {
    change: changeOf(check, base.value, next.value),
    low: check.better === 'lower' ? (ends[0] ?? null) : (ends[1] ?? null),
    high: check.better === 'lower' ? (ends[1] ?? null) : (ends[0] ?? null),
    detectable,
  };
}

function changeOf({ unit }: GateCheck, base: number | null, next: number | null): number | null {
  if (base === null || next === null) return null;
  if (unit === 'ratio') return tidy(next - base);
  return base > 0 ? tidy(next / base - 1) : null;
}

function overall(rows: readonly RunComparisonRow[], obstacles: readonly string[]): RunComparisonVerdict {
  const deciding = rows.filter(({ gated }) => gated);
  const has = (verdict: RunComparisonVerdict) => deciding.some((one) => one.verdict === verdict);
  if (obstacles.length > 0) return 'not_comparable';
  if (has('regression')) return 'regression';
  if (deciding.length === 0 || has('inconclusive')) return 'inconclusive';
  if (has('improvement')) return 'improvement';
  return has('unchanged') ? 'unchanged' : 'equivalent';
}

function leftOutWarnings(main: Compared | undefined): string[] {
  const few = (main?.prepared ?? []).filter(({ leftOut, summary }) => leftOut > 0 && summary !== undefined);
  return few.map(
    ({ check, leftOut }) =>
      `${check.figure}: ${leftOut} ${leftOut === 1 ? 'cell has' : 'cells have'} too few values on a side and ${leftOut === 1 ? 'is' : 'are'} not compared`,
  );
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
}
