import { Chalk } from 'chalk';
import { formatShare } from '../../model/format.ts';
import type { RunComparison, RunComparisonRow, RunComparisonVerdict } from '../../model/run-comparison.ts';
import type { Column } from '../columns.ts';
import { oneLine, wrap } from '../text-width.ts';
import {
  rowChange,
  rowDetectable,
  rowPlace,
  rowValues,
  sortedRows,
  verdictInWords,
} from '../wording/baseline.ts';
import { inAscii } from './strip.ts';
import { fitTable, type TerminalOptions } from './terminal-tables.ts';

/** Single cells that regressed are listed up to this number. */
const MOST_CELLS = 12;

function columnsOf(rows: readonly RunComparisonRow[]): Column<RunComparisonRow>[] {
  const places = rows.some(({ cell, pin }) => cell !== null || pin !== undefined);
  return [
    column('figure', 0, ({ figure }) => figure),
    ...(places ? [column('where', 1, rowPlace)] : []),
    { ...column('base / new', 2, rowValues), align: 'right' },
    { ...column('change', 0, rowChange), align: 'right' },
    { ...column('detects', 3, rowDetectable), align: 'right' },
    column('verdict', 0, verdictInWords),
  ];
}

function column(
  title: string,
  drop: number,
  text: (row: RunComparisonRow) => string,
): Column<RunComparisonRow> {
  return { title, align: 'left', drop, measured: false, text };
}

/** A comparison for a terminal: the verdict first, then what else matters, then the table. Ends in a line feed. */
export function terminalComparison(
  comparison: RunComparison,
  { width, color, ascii = false }: TerminalOptions,
): string {
  const chalk = new Chalk({ level: color });
  const paint = (verdict: RunComparisonVerdict, text: string) => {
    switch (verdict) {
      case 'regression':
        return chalk.red(text);
      case 'improvement':
        return chalk.green(text);
      case 'inconclusive':
      case 'not_comparable':
        return chalk.yellow(text);
      case 'equivalent':
      case 'unchanged':
        return text;
      default:
        return verdict satisfies never;
    }
  };
  const lines = (text: string) => wrap(oneLine(text), width);
  const sorted = sortedRows(comparison);
  const cells = sorted.filter(({ cell }) => cell !== null);
  const rows = sorted.filter((row) => row.cell === null || cells.indexOf(row) < MOST_CELLS);
  const more = cells.length - MOST_CELLS;
  const { settings, base, next } = comparison;
  const blocks = [
    lines(comparison.sentence).map((line) => chalk.bold(paint(comparison.verdict, line))),
    comparison.details.flatMap(lines),
    rows.length === 0
      ? []
      : [
          fitTable(rows, columnsOf(rows), {
            width,
            heading: (text) => chalk.bold(text),
            paint: (text, { title }, row) =>
              title === 'verdict' && row.gated ? paint(row.verdict, text) : text,
            instead: () => undefined,
            ruled: () => false,
          }).text,
          ...(more > 0 ? [`${more} more cells regressed`] : []),
        ],
    comparison.warnings.flatMap((warning) => lines(`note: ${warning}`)),
    lines(
      `base ${base}, new ${next}; changes with 90 % intervals; chance of a false alarm ${formatShare(settings.alpha)} for all figures together (seed ${settings.seed})`,
    ).map((line) => chalk.dim(line)),
  ];
  const text = `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
  return ascii ? inAscii(text) : text;
}
