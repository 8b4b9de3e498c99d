import { factorInterval, inverseFactor } from '../../analysis/comparison/paired-sentences.ts';
import { quantileOf } from '../../analysis/quantities.ts';
import { enoughFor } from '../../analysis/statistics/significance.ts';
import { metric } from '../../metrics/definitions.ts';
import { distinctLevels, sameLevel } from '../../model/cells.ts';
import type { ConclusionFigure, ConclusionLine } from '../../model/conclusion.ts';
import { formatFactor, formatValue } from '../../model/format.ts';
import type { PairedComparison, PairedRow } from '../../model/paired-comparison.ts';
import type { LoadLevel } from '../../model/plan.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { levelName, type Side, type Sides } from './sides.ts';

/** The lines of a conclusion with figures. */

const LABELS: Readonly<Record<string, string>> = {
  ttfa: 'first answer',
  ttft: 'first token',
  total: 'whole answer',
};

/** The figures of each side, and which is better where the sides were compared. Figures that no side has are left out. */
export function figureLines(report: Report, sides: Sides): ConclusionLine[] {
  return allFigures(report, sides).filter(({ figure }) => figure?.values.some((value) => value !== null));
}

function allFigures(report: Report, { by, sides }: Sides): ConclusionLine[] {
  const cells = sides.flatMap((side) => side.cells);
  const names = figuresOf(cells);
  if (by === 'target' || by === 'mode') {
    const found = report.pairedComparisons.filter(
      ({ kind }) => kind === (by === 'target' ? 'targets' : 'streaming'),
    );
    const levels = distinctLevels(cells);
    const shown = [...new Set([levels[0], levels.at(-1)])].flatMap((level) => level ?? []);
    return shown.flatMap((level) =>
      names.map((name) => comparedLine(name, level, levels.length > 1, sides, found)),
    );
  }
  const [first] = names;
  return [
    ...names.map((name) => plainLine(name, 'p50', sides)),
    ...(first !== undefined && hasEnough(cells, first) ? [plainLine(first, 'p95', sides)] : []),
    plainRate(sides),
  ];
}

/** Where a model reasons, a reader waits for the first answer; the first token is only its reasoning. */
function figuresOf(cells: readonly CellReport[]): string[] {
  const first = cells.some(
    ({ metrics }) =>
      metrics.ttfa != null && metrics.ttft != null && differs(metrics.ttfa.p50, metrics.ttft.p50),
  )
    ? 'ttfa'
    : 'ttft';
  return cells.some(({ mode }) => mode === 'streaming') ? [first, 'total'] : ['total'];
}

function differs(a: number, b: number): boolean {
  return Math.abs(a - b) > 0.01 * b;
}

function hasEnough(cells: readonly CellReport[], name: string): boolean {
  return cells.every(({ metrics }) => (metrics[name]?.n ?? 0) >= enoughFor(0.95) / 2);
}

function plainLine(name: string, statistic: 'p50' | 'p95', sides: readonly Side[]): ConclusionLine {
  const { unit } = metric(name);
  const values = meansOf(
    sides.map(({ cells }) => cells),
    (cell) => cell.metrics[name]?.[statistic],
  );
  return {
    topic: 'figure',
    label: `${LABELS[name] ?? name}${statistic === 'p50' ? '' : ` (${statistic})`}`,
    values: values.map((value) => formatValue(value, unit)),
    text: '',
    outcome: 'neutral',
    figure: { metric: name, statistic, unit, values },
  };
}

function plainRate(sides: readonly Side[]): ConclusionLine {
  const values = sides.map(({ cells }) =>
    meanOf(cells.map(({ throughput }) => throughput.requestsPerSecond)),
  );
  return {
    topic: 'figure',
    label: 'throughput',
    values: values.map((value) => formatValue(value, '1/s')),
    text: sides.length === 1 ? 'requests' : 'requests per second',
    outcome: 'neutral',
    figure: { metric: 'throughput', statistic: 'mean', unit: '1/s', values },
  };
}

/**
 * For each side the geometric mean of its cells, as in comparisons over several prompts. Prompts that a side has no value for are
 * left out on all sides.
 */
function meansOf(
  sides: readonly (readonly CellReport[])[],
  figureOf: (cell: CellReport) => number | null | undefined,
): (number | null)[] {
  const missing = new Set(
    sides.flatMap((cells) => cells.filter((cell) => figureOf(cell) == null).map(({ prompt }) => prompt)),
  );
  const common = (cells: readonly CellReport[]) => cells.filter(({ prompt }) => !missing.has(prompt));
  // If the sides are prompts, one without a value leaves the others as they are.
  return sides.map((cells) => meanOf((common(cells).length > 0 ? common(cells) : cells).map(figureOf)));
}

function meanOf(values: readonly (number | null | undefined)[]): number | null {
  const known = values.flatMap((value) => value ?? []);
  if (known.length === 0) return null;
  if (known.length === 1) return known[0] ?? null;
  return Math.exp(known.reduce((sum, value) => sum + Math.log(value), 0) / known.length);
}

function comparedLine(
  name: string,
  level: LoadLevel,
  withLevel: boolean,
  sides: readonly Side[],
  comparisons: readonly PairedComparison[],
): ConclusionLine {
  const { unit } = metric(name);
  const rows = comparisons.flatMap(({ a, b, rows }) =>
    rows
      .filter((row) => row.metric === name && row.prompt === null && sameLevel(row, level))
      .map((row): Pair => ({ ...row, names: [a, b] })),
  );
  const means = meansOf(
    sides.map(({ cells }) => cells.filter((cell) => sameLevel(cell, level))),
    ({ metrics }) => metrics[name]?.p50,
  );
  const values = sides.map(({ key }, at) => {
    const row = rows.find(({ names }) => names.includes(key));
    return row === undefined ? (means[at] ?? null) : row.names[0] === key ? row.a : row.b;
  });
  const label = `${LABELS[name] ?? name}${withLevel ? `, ${levelName(level)}` : ''}`;
  const figure: ConclusionFigure = { metric: name, statistic: 'p50', unit, level, values };
  const decided = decide(sides, values, rows);
  return {
    topic: 'figure',
    label,
    values: values.map((value) => formatValue(value, unit)),
    text: decided === undefined ? '' : inWords(decided, sides),
    outcome: decided === undefined || decided.certainty === 'unsure' ? 'unknown' : 'neutral',
    figure: decided === undefined ? figure : { ...figure, ...factsOf(decided) },
  };
}

type Pair = PairedRow & { names: readonly [string, string] };

interface Decided {
  certainty: NonNullable<ConclusionFigure['certainty']>;
  row: Pair;
  best: string;
  against: string;
  factor: number | null;
  low: number | null;
  high: number | null;
}

/**
 * The best side against the next one. All comparisons are with the first target, so if another is the best, it is set against
 * the first.
 */
function decide(
  sides: readonly Side[],
  values: readonly (number | null)[],
  rows: readonly Pair[],
): Decided | undefined {
  const ranked = sides
    .map(({ key }, at) => ({ key, value: values[at] ?? Number.POSITIVE_INFINITY }))
    .sort((x, y) => x.value - y.value);
  const first = sides[0]?.key;
  const best = ranked[0]?.key;
  const other = best === first ? ranked[1]?.key : best;
  const row = rows.find(({ names }) => names[0] === first && names[1] === other);
  if (row === undefined) return undefined;
  const [a, b] = row.names;
  const { factor, low, high } = row;
  switch (row.verdict) {
    case 'a_better':
      return { certainty: 'sure', row, best: a, against: b, factor, low, high };
    case 'b_better':
      return {
        certainty: 'sure',
        row,
        best: b,
        against: a,
        factor: inverseFactor(factor),
        low: inverseFactor(high),
        high: inverseFactor(low),
      };
    case 'equivalent':
      return { certainty: 'equal', row, best: a, against: b, factor, low, high };
    case 'inconclusive':
      return { certainty: 'unsure', row, best: a, against: b, factor, low, high };
    default:
      return row.verdict satisfies never;
  }
}

function factsOf({ certainty, best, against, factor, low, high }: Decided): Partial<ConclusionFigure> {
  return certainty === 'sure'
    ? { certainty, best, against, factor, low, high }
    : { certainty, factor, low, high };
}

function inWords(
  { certainty, row, best, against, factor, low, high }: Decided,
  sides: readonly Side[],
): string {
  const nameOf = (key: string) => sides.find((side) => side.key === key)?.name ?? key;
  const range = factorInterval(low, high);
  switch (certainty) {
    case 'sure': {
      const times = factor === null ? 'faster' : `${formatFactor(factor)} faster`;
      const than = sides.length > 2 ? ` than ${nameOf(against)}` : '';
      return `${nameOf(best)} ${times}${than}${range === '' ? '' : ` [${range}]`}, sure`;
    }
    case 'equal':
      return sides.length > 2 ? `${nameOf(best)} and ${nameOf(against)} equal, sure` : 'equal, sure';
    case 'unsure': {
      const needed = enoughFor(quantileOf(row.statistic) ?? 0.5);
      if (row.n < needed) return `not sure: ${row.n} of ${needed} answers needed per side`;
      return `not sure${range === '' ? '' : `: ${nameOf(best)} ${range} as fast`}`;
    }
    default:
      return certainty satisfies never;
  }
}
