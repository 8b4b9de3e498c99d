import { CACHE_GROUPS } from '../../metrics/cache-groups.ts';
import { holds, type Operator } from '../../metrics/objective-check.ts';
import { cellKey, cellOf } from '../../model/cells.ts';
import type { Problem } from '../../model/errors.ts';
import { formatValue } from '../../model/format.ts';
import type { LoadLevel } from '../../model/plan.ts';
import type { Mode } from '../../model/record.ts';
import type { CellReport, GateResult } from '../../model/report.ts';
import { suggest } from '../../model/suggestions.ts';
import type { SweepAxis, SweepReport } from '../../model/sweep.ts';
import { failuresOf, type Reading } from '../quantities.ts';
import { enoughFor } from '../statistics/significance.ts';
import { checkCapacity, evaluateCapacity, isCapacity } from './capacity-threshold.ts';
import type { Label, Threshold } from './threshold-parser.ts';

export { parseThreshold, type Threshold } from './threshold-parser.ts';

/** What a run will measure. An absent field is not known and not checked. */
export interface ThresholdScope {
  targets?: readonly string[];
  prompts?: readonly string[];
  levels?: readonly LoadLevel[];
  modes?: readonly Mode[];
  /** The targets with server metrics. */
  servers?: readonly string[];
  /** What the run's sweep raises; null for a run without a sweep. */
  sweep?: SweepAxis | null;
  /** The modes in which the run's objectives are measured; empty where it states none. Default: none. */
  objectiveModes?: readonly Mode[];
}

/** The problems of thresholds in this run: labels without a match, quantities that it will not measure. */
export function checkThresholds(thresholds: readonly Threshold[], scope: ThresholdScope): Problem[] {
  return thresholds.flatMap((threshold) => {
    const labels = [...threshold.labels, ...versusLabel(threshold)];
    const problems = labels.flatMap((label) => checkLabel(threshold, label, scope));
    problems.push(...checkServers(threshold, scope));
    if (scope.sweep !== undefined) problems.push(...checkCapacity(threshold, scope.sweep));
    if (problems.length > 0 || isCapacity(threshold)) return problems;
    const { modes: measuredModes } = scope;
    const modes = measuredModes?.filter((mode) =>
      threshold.labels.every((label) => label.name !== 'mode' || (label.value === mode) !== label.not),
    );
    const { name, modes: all, ofObjectives = false } = threshold.quantity;
    const { objectiveModes = [] } = scope;
    if (ofObjectives && objectiveModes.length === 0) {
      return [
        {
          message: `"${name}" needs objectives; this run states none (column 1)`,
          place: { file: threshold.expression, column: 1 },
          hint: 'define a good request: objectives: ["ttft < 500ms"], or --objective "ttft < 500ms"',
        },
      ];
    }
    const measured = ofObjectives ? objectiveModes : all;
    if (modes === undefined || measuredModes === undefined) return [];
    if (modes.some((mode) => measured.includes(mode))) return [];
    const column = threshold.labels.find((label) => label.name === 'mode')?.column ?? 1;
    return [
      {
        message: `"${name}" is not measured in ${modes.join(' and ') || 'any mode of this run'} (column ${column})`,
        place: { file: threshold.expression, column },
        hint: `it is measured in: ${measured.join(', ')}; this run measures: ${measuredModes.join(', ')}`,
      },
    ];
  });
}

function versusLabel({ versus }: Threshold): Label[] {
  return versus === undefined
    ? []
    : [{ name: 'vs', value: versus.target, not: false, column: versus.column }];
}

// Known before anything is sent: no target that the labels select has server metrics.
function checkServers(
  { expression, quantity, labels }: Threshold,
  { targets, servers }: ThresholdScope,
): Problem[] {
  if (!quantity.ofServer || servers === undefined || targets === undefined) return [];
  const meant = targets.filter((target) =>
    labels.every(({ name, value, not }) => name !== 'target' || (value === target) !== not),
  );
  if (meant.some((target) => servers.includes(target))) return [];
  return [
    {
      message: `"${quantity.name}" needs server metrics; no target sets metricsUrl (column 1)`,
      place: { file: expression, column: 1 },
      hint: "set the target's metricsUrl to the address of its Prometheus metrics",
    },
  ];
}

function checkLabel({ expression }: Threshold, label: Label, scope: ThresholdScope): Problem[] {
  const known = knownValues(label, scope);
  if (known === undefined || known.includes(label.value)) return [];
  return [
    {
      message: `no ${label.name} "${label.value}" in this run (column ${label.column})`,
      place: { file: expression, column: label.column },
      // Suggestions by spelling are useless for numbers.
      hint: isNumber(label) ? `known: ${known.join(', ') || 'none'}` : suggest(label.value, known),
    },
  ];
}

function isNumber({ name }: Label): boolean {
  return name === 'concurrency' || name === 'rate';
}

function knownValues({ name }: Label, scope: ThresholdScope): readonly string[] | undefined {
  switch (name) {
    case 'target':
    case 'vs':
      return scope.targets;
    case 'prompt':
      return scope.prompts;
    case 'concurrency':
      // In an open loop concurrency is a limit and does not identify a cell.
      return scope.levels?.flatMap(({ concurrency, rate }) =>
        rate === undefined ? [String(concurrency)] : [],
      );
    case 'rate':
      return scope.levels?.flatMap(({ rate }) => (rate === undefined ? [] : [String(rate)]));
    case 'stage':
      return scope.levels?.flatMap(({ stage }) => stage ?? []);
    case 'mode':
      return scope.modes;
    case 'cache':
      return CACHE_GROUPS;
    case 'turn':
      return undefined;
    default:
      return name satisfies never;
  }
}

/**
 * Evaluates thresholds on the cells of a report. A threshold applies to the streaming cells that its labels select; to the others
 * where it has a `mode` label, where the run has no streaming cell, and for `errors`. All selected cells must pass. A cell without a
 * single successful request is no data, and so is a threshold without any value: never a pass.
 */
export function evaluateThresholds(
  thresholds: readonly Threshold[],
  cells: readonly CellReport[],
  sweep?: SweepReport,
): GateResult[] {
  return thresholds.map((threshold) =>
    isCapacity(threshold) ? evaluateCapacity(threshold, sweep) : evaluate(threshold, cells),
  );
}

interface CellReading {
  cell: CellReport;
  value: number | string;
  n: number;
  passes: boolean;
}

function evaluate(threshold: Threshold, cells: readonly CellReport[]): GateResult {
  const { expression, quantity, operator, limit } = threshold;
  const findings: CellReading[] = [];
  const notes: string[] = [];
  let noData = 0;
  let unread = 0;
  let unmatched = 0;
  const scope = cells.filter((cell) => isSelected(threshold, cell, cells));
  for (const cell of scope) {
    const reading = readingOf(threshold, cell, cells);
    if (reading === null) {
      // A cell whose requests succeeded may have no value (no new connection, so no `connect`): it is skipped.
      if ((cell.outcomes.ok ?? 0) === 0) noData += 1;
      else if (quantity.ofServer && cell.server) unread += 1;
      else if (threshold.versus !== undefined) unmatched += 1;
      continue;
    }
    const { value, n } = reading;
    findings.push({ cell, value, n, passes: holds(value, operator, limit) });
  }
  if (scope.length === 0) notes.push('no cell of this run matches');
  else if (findings.length + noData + unread + unmatched === 0)
    notes.push(`no request has a value of ${quantity.name}`);
  if (noData > 0) notes.push(`${count(noData, 'cell')} without a successful request`);
  if (unread > 0) notes.push(`${count(unread, 'cell')} whose server's metrics could not be read`);
  if (unmatched > 0) {
    notes.push(`${count(unmatched, 'cell')} without a value here or for ${threshold.versus?.target}`);
  }
  noData += unread + unmatched;
  const failed = findings.filter(({ passes }) => !passes).length;
  const worst = worstOf(findings, operator, limit);
  if (worst) notes.push(...notesOn(worst, threshold));
  const result: GateResult = {
    expression,
    verdict: failed > 0 ? 'fail' : noData > 0 || findings.length === 0 ? 'no-data' : 'pass',
    actual: worst?.value ?? null,
    unit: quantity.unit,
    cells: { passed: findings.length - failed, failed, noData },
    notes,
  };
  if (worst) result.cell = cellOf(worst.cell);
  if (findings.some(({ cell }) => latenessIn(cell, threshold) !== null)) result.clientLate = true;
  return result;
}

/** By how many ms the client's lateness may have raised the value; null where it is not marked. */
function latenessIn({ client }: CellReport, { quantity }: Threshold): number | null {
  const late = client?.metrics?.[quantity.family];
  return late === undefined || late.verdict === 'ok' ? null : late.lateMs;
}

function readingOf({ quantity, versus }: Threshold, cell: CellReport, cells: readonly CellReport[]): Reading {
  const reading = quantity.read(cell);
  if (reading === null || versus === undefined) return reading;
  const key = cellKey({ ...cell, target: versus.target });
  const other = cells.find((one) => cellKey(one) === key);
  const base = other === undefined ? null : quantity.read(other);
  if (typeof reading.value !== 'number' || typeof base?.value !== 'number') return null;
  return { value: reading.value - base.value, n: Math.min(reading.n, base.n) };
}

function isSelected(
  { quantity, labels, versus }: Threshold,
  cell: CellReport,
  cells: readonly CellReport[],
): boolean {
  if (!quantity.modes.includes(cell.mode) || cell.target === versus?.target) return false;
  const fits = ({ name, value, not }: Label) =>
    name === 'vs' || name === 'cache' || name === 'turn' || (String(cell[name]) === value) !== not;
  if (!labels.every(fits)) return false;
  if (quantity.everyMode || cell.mode === 'streaming' || labels.some(({ name }) => name === 'mode'))
    return true;
  return !cells.some(({ mode }) => mode === 'streaming');
}

/** The value furthest on the failing side; of words, the first that fails. */
function worstOf(
  findings: readonly CellReading[],
  operator: Operator,
  limit: number | string,
): CellReading | undefined {
  const badness = ({ value, passes }: CellReading): number => {
    if (typeof value !== 'number' || typeof limit !== 'number') return passes ? 0 : 1;
    if (operator === '<' || operator === '<=') return value;
    if (operator === '>' || operator === '>=') return -value;
    return operator === '==' ? Math.abs(value - limit) : -Math.abs(value - limit);
  };
  return findings.reduce<CellReading | undefined>(
    (worst, finding) => (worst === undefined || badness(finding) > badness(worst) ? finding : worst),
    undefined,
  );
}

function notesOn({ cell, n }: CellReading, threshold: Threshold): string[] {
  const { quantity, versus } = threshold;
  const notes: string[] = versus === undefined ? [] : [`difference to ${versus.target}`];
  const lateMs = latenessIn(cell, threshold);
  if (lateMs !== null)
    notes.push(`the client was up to ${formatValue(lateMs, 'ms')} late (p99) in this cell`);
  const note = quantity.note?.(cell);
  if (note !== undefined) notes.push(note);
  const { quantile, name } = quantity;
  if (quantile !== undefined && n < enoughFor(quantile)) {
    notes.push(
      `${name} of ${count(n, 'value')}: with fewer than ${enoughFor(quantile)}, few requests decide it`,
    );
  }
  const { failed, requests } = failuresOf(cell);
  if (failed > 0 && !quantity.everyMode && !quantity.ofObjectives) {
    notes.push(`${failed} of ${count(requests, 'request')} failed and are not included`);
  }
  return notes;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
