import { Chalk } from 'chalk';
import type { ToolCell, ToolDistribution, ToolView } from '../../analysis/other-tools/tool-view.ts';
import { DASH, formatCount, formatValue, type Unit } from '../../model/format.ts';
import { clip, displayWidth, oneLine, padEnd, wrap } from '../text-width.ts';
import { cellName } from '../wording/notes.ts';
import { inAscii } from './strip.ts';
import type { TerminalOptions } from './terminal-tables.ts';

const INDENT = 2;

type Statistic = 'mean' | 'p50' | 'p90' | 'p99' | 'n';

// The widest that fits.
const COLUMNS: readonly (readonly Statistic[])[] = [
  ['mean', 'p50', 'p90', 'p99', 'n'],
  ['mean', 'p50', 'p90', 'p99'],
  ['mean', 'p50', 'p99'],
  ['p50', 'p99'],
];

/** A run under the definitions of another tool, for a terminal. Ends with a line feed. */
export function terminalToolView(
  { tool, version, run, cells, notes }: ToolView,
  { width, color, ascii = false }: Pick<TerminalOptions, 'width' | 'color' | 'ascii'>,
): string {
  const chalk = new Chalk({ level: color });
  const definitions = cells[0]?.distributions.map(({ label, definition }) => `${label}: ${definition}`) ?? [];
  const text = [
    ...wrap(`run ${oneLine(run)} as ${tool} ${version} defines its figures`, width).map((line) =>
      chalk.bold.cyan(line),
    ),
    '',
    ...cells.flatMap((cell) => [chalk.bold(clip(cellName(cell), width)), ...cellLines(cell, width), '']),
    ...[...definitions, ...notes].flatMap((line) => wrap(line, width)).map((line) => chalk.dim(line)),
    '',
  ].join('\n');
  return ascii ? inAscii(text) : text;
}

function cellLines({ figures, distributions }: ToolCell, width: number): string[] {
  const single = figures.map(({ label, unit, value, absent }) => [
    label,
    value === null ? `${DASH} ${absent}` : formatValue(value, unit),
  ]);
  const tables = COLUMNS.map((columns) =>
    aligned([['', ...columns], ...distributions.map((one) => rowOf(one, columns))], width),
  );
  const fitting = tables.find((lines) => lines.every((line) => displayWidth(line) <= width));
  return [...aligned(single, width), '', ...(fitting ?? tables.at(-1) ?? [])];
}

function rowOf({ label, unit, figures, absent }: ToolDistribution, columns: readonly Statistic[]): string[] {
  if (figures === null) return [label, `${DASH} ${absent}`];
  return [
    label,
    ...columns.map((name) => (name === 'n' ? formatCount(figures.n) : precise(figures[name], unit))),
  ];
}

// The tools print two decimals.
function precise(value: number, unit: Unit): string {
  return unit === 'ms' ? `${value.toFixed(2)} ms` : value.toFixed(2);
}

/** Columns of equal width. A longer text in place of figures is below its label. */
function aligned(rows: readonly string[][], width: number): string[] {
  const first = Math.max(...rows.map(([label = '']) => displayWidth(label)));
  const others = Math.max(
    0,
    ...rows.filter((row) => row.length > 2).flatMap((row) => row.slice(1).map(displayWidth)),
  );
  const indent = ' '.repeat(INDENT);
  return rows.flatMap(([label = '', ...values]) => {
    const cells = values.length === 1 ? values : values.map((value) => value.padStart(others));
    const line = `${indent}${padEnd(label, first)}  ${cells.join('  ')}`.trimEnd();
    if (values.length > 1 || displayWidth(line) <= width) return [line];
    const below = wrap(values.join(''), width - 2 * INDENT).map((part) => `${indent}${indent}${part}`);
    return [`${indent}${label}`, ...below];
  });
}
