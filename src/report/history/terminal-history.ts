import { Chalk, type ChalkInstance } from 'chalk';
import { DASH, formatValue } from '../../model/format.ts';
import type { HistoryChange, HistoryReport, HistorySeries } from '../../model/history.ts';
import { ASCII, BLOCKS, type Glyphs, inAscii } from '../terminal/strip.ts';
import { clip, displayWidth, padEnd, padStart, wrap } from '../text-width.ts';
import {
  cellNames,
  changeInShort,
  changeSentences,
  directionOf,
  groupRemark,
  groupTitle,
  historySummary,
  methodInWords,
  poolingInWords,
} from './history-words.ts';
import { runRows } from './run-rows.ts';
import { trendLine } from './trend-line.ts';

/** What the terminal is like. */
interface HistoryViewOptions {
  /** Its width in columns. */
  width: number;
  /** Colors as chalk counts them; with 0 there is no escape code. */
  color: 0 | 1 | 2 | 3;
  /** Draw with characters that every terminal has. Default false. */
  ascii?: boolean;
}

/** What the parts of the view draw with. */
export interface HistoryCanvas {
  width: number;
  chalk: ChalkInstance;
  glyphs: Glyphs;
  /** The mark of a run in the plot, and of its level. */
  point: string;
  level: string;
}

const MIN_WIDTH = 40;

/**
 * A history as it is read on a terminal: the result, then each group. With one figure every run has a line; with several every
 * figure has one. Ends in a line feed.
 */
export function terminalHistory(
  report: HistoryReport,
  { width, color, ascii = false }: HistoryViewOptions,
): string {
  const canvas: HistoryCanvas = {
    width: Math.max(MIN_WIDTH, width),
    chalk: new Chalk({ level: color }),
    glyphs: ascii ? ASCII : BLOCKS,
    point: ascii ? 'o' : '●',
    level: ascii ? '|' : '│',
  };
  const { chalk } = canvas;
  const wrapped = (text: string) => wrap(text, canvas.width);
  const blocks = [
    wrapped(`${report.source}: ${historySummary(report)}`).map((line) => chalk.bold(line)),
    ...report.groups.flatMap((group, index) => [
      [
        ...wrapped(groupTitle(group)),
        ...wrapped(groupRemark(group) ?? '')
          .filter((line) => line !== '')
          .map((line) => chalk.yellow(line)),
      ],
      ...groupBlocks(report, index, canvas),
    ]),
    wrapped(methodInWords(report)).map((line) => chalk.dim(line)),
  ].filter((block) => block.length > 0);
  const text = `${blocks.map((block) => block.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
  return ascii ? inAscii(text) : text;
}

function groupBlocks(report: HistoryReport, group: number, canvas: HistoryCanvas): string[][] {
  const series = report.series.filter((one) => one.group === group);
  const changes = report.changePoints.filter((one) => one.group === group);
  const sentences = changeSentences(changes).flatMap(({ direction, text }) =>
    hanging(text, canvas.width).map((line) => paint(direction, line, canvas)),
  );
  const overall = series.filter(({ cell }) => cell === null);
  const [only] = overall;
  if (only !== undefined && overall.length === 1) {
    const runs = report.runs.filter((run) => run.group === group);
    const own = changes.filter(({ cell }) => cell === null);
    const cells = series.filter(({ cell }) => cell !== null);
    const pooling = poolingInWords(only);
    return [
      sentences,
      [
        ...(pooling === undefined ? [] : [canvas.chalk.dim(`${only.figure}: ${pooling}`)]),
        ...runRows(only, runs, own, canvas),
      ],
      seriesRows(cells, changes, cellNames(cells.flatMap(({ cell }) => cell ?? [])), canvas),
    ];
  }
  const figures = overall.map(({ figure }) => figure);
  return [seriesRows(overall, changes, figures, canvas), sentences];
}

function paint(direction: HistoryChange['direction'], text: string, { chalk }: HistoryCanvas): string {
  return direction === 'worse' ? chalk.red(text) : chalk.green(text);
}

function hanging(text: string, width: number): string[] {
  return wrap(text, width - 2).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
}

const LABEL_MAX = 44;
const SPACING = 2;

/** One line for each series: its label, its level now, its last change and its trend. */
function seriesRows(
  series: readonly HistorySeries[],
  changes: readonly HistoryChange[],
  labels: readonly string[],
  canvas: HistoryCanvas,
): string[] {
  if (series.length === 0) return [];
  const rows = series.map((one, index) => {
    const last = changes.findLast((change) => change.figure === one.figure && change.cell === one.cell);
    const now = one.levels.at(-1)?.median ?? null;
    return {
      one,
      last,
      texts: [
        labels[index] ?? '',
        formatValue(now, one.unit),
        last === undefined ? DASH : `${changeInShort(last)} ${directionOf(last)}`,
      ],
    };
  });
  const head = [series[0]?.cell === null ? 'figure' : 'cell', 'now', 'last change'];
  const widths = head.map((title, column) =>
    Math.max(displayWidth(title), ...rows.map(({ texts }) => displayWidth(texts[column] ?? ''))),
  );
  const others = (widths[1] ?? 0) + (widths[2] ?? 0) + 3 * SPACING;
  const labelWidth = Math.min(widths[0] ?? 0, LABEL_MAX, Math.max(8, canvas.width - others - LEAST_TREND));
  widths[0] = labelWidth;
  const columns = Math.max(0, canvas.width - others - labelWidth);
  const joined = (texts: readonly string[], trend: string) =>
    [...texts.map((text, column) => aligned(text, widths[column] ?? 0, column === 1)), trend].join(
      ' '.repeat(SPACING),
    );
  const indent = ' '.repeat(canvas.width - columns);
  return [
    canvas.chalk.bold(joined(head, 'trend')),
    ...rows.flatMap(({ one, last, texts }) => {
      const { line, marks } = trendLine(one.values, one.levels, { columns, glyphs: canvas.glyphs });
      const row = joined(texts, line);
      return [
        last === undefined ? row : row.replace(texts[2] ?? '', (text) => paint(last.direction, text, canvas)),
        ...(marks === '' ? [] : [indent + marks]),
      ];
    }),
  ];
}

const LEAST_TREND = 12;

function aligned(text: string, width: number, right: boolean): string {
  const clipped = clip(text, width);
  return right ? padStart(clipped, width) : padEnd(clipped, width);
}
