import { Chalk } from 'chalk';
import { levelInWords } from '../../model/cells.ts';
import { DASH, formatCount, formatPair, formatRatio, formatShare } from '../../model/format.ts';
import type { RunComparison, RunComparisonRow, RunComparisonVerdict } from '../../model/run-comparison.ts';
import type { Column } from '../columns.ts';
import { oneLine, wrap } from '../text-width.ts';
import { compareRank, compareWord, ratioInterval } from '../wording/baseline.ts';
import { fitTable, type TerminalOptions } from './terminal-tables.ts';

const COLUMNS: readonly Column<RunComparisonRow>[] = [
  label('target', 2, ({ cell }) => oneLine(cell.target)),
  label('prompt', 0, ({ cell }) => oneLine(cell.prompt)),
  { ...label('load level', 0, ({ cell }) => levelInWords(cell)), align: 'right' },
  label('mode', 3, ({ cell }) => cell.mode),
  label('figure', 0, ({ metric, statistic }) => `${metric}.${statistic}`),
  {
    ...label('base / new', 1, ({ base, next, unit }) => formatPair(base.value, next.value, unit)),
    align: 'right',
  },
  { ...label('ratio', 0, ratio), align: 'right' },
  label('verdict', 0, ({ verdict, gated }) => (gated ? compareWord(verdict) : 'too few')),
];

function label(
  title: string,
  drop: number,
  text: (row: RunComparisonRow) => string,
): Column<RunComparisonRow> {
  return { title, align: 'left', drop, measured: false, text };
}

function ratio(row: RunComparisonRow): string {
  return row.ratio === null ? DASH : `${formatRatio(row.ratio)}${ratioInterval(row)}`;
}

/** A run comparison for a terminal, with the verdict first. Ends with a line feed. */
export function terminalComparison(comparison: RunComparison, { width, color }: TerminalOptions): string {
  const chalk = new Chalk({ level: color });
  const paint = (verdict: RunComparisonVerdict, text: string) => {
    if (verdict === 'regression') return chalk.red(text);
    if (verdict === 'improvement') return chalk.green(text);
    return verdict === 'equivalent' ? text : chalk.yellow(text);
  };
  const lines = (text: string) => wrap(oneLine(text), width);
  const rows = [...comparison.rows].sort((a, b) => compareRank(a.verdict) - compareRank(b.verdict));
  const notable = rows.filter(({ verdict, gated }) => gated && verdict !== 'equivalent');
  const errors = comparison.errors.filter(({ verdict }) => verdict !== 'equivalent');
  const blocks = [
    lines(comparison.sentence).map((line) => chalk.bold(paint(comparison.verdict, line))),
    // The sentence of a run that is not comparable names every obstacle.
    comparison.verdict === 'not_comparable'
      ? []
      : comparison.obstacles.flatMap((obstacle) => lines(`not comparable: ${obstacle}`)),
    rows.length === 0
      ? []
      : [
          fitTable(rows, COLUMNS, {
            width,
            heading: (text) => chalk.bold(text),
            paint: (text, { title }, row) =>
              title === 'verdict' && row.gated ? paint(row.verdict, text) : text,
            instead: () => undefined,
            ruled: () => false,
          }).text,
        ],
    [...notable, ...errors].slice(0, 12).flatMap(({ sentence }) => lines(`- ${sentence}`)),
    comparison.warnings.flatMap((warning) => lines(`note: ${warning}`)),
    lines(
      `base ${comparison.base}, new ${comparison.next}; ratio: new / base with its ${formatShare(comparison.settings.level)} interval (seed ${comparison.settings.seed}, ${formatCount(comparison.settings.resamples)} resamples)`,
    ).map((line) => chalk.dim(line)),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}
