import { DASH, formatValue } from '../../model/format.ts';
import type { HistoryChange, HistoryRun, HistorySeries } from '../../model/history.ts';
import { clip, displayWidth, padEnd, padStart } from '../text-width.ts';
import {
  changeInShort,
  dateAndTime,
  dateOf,
  directionOf,
  missingReason,
  shortName,
} from './history-words.ts';
import type { HistoryCanvas } from './terminal-history.ts';
import { plotRange, trendLine } from './trend-line.ts';

/** Older runs are in the trend line only. */
const MOST_ROWS = 40;
const SPACING = 2;
const LEAST_PLOT = 12;
const LEAST_COMMIT = 7;
/** Below this width, columns are short. */
const WIDE = 100;

/** Every run of a series: date, commit, value and its place between the smallest and the largest, change points between them. */
export function runRows(
  series: HistorySeries,
  runs: readonly HistoryRun[],
  changes: readonly HistoryChange[],
  canvas: HistoryCanvas,
): string[] {
  const { values, unit, levels } = series;
  const { width, chalk, glyphs } = canvas;
  const first = Math.max(0, values.length - MOST_ROWS);
  const rows = runs
    .slice(first)
    .map((run, at) => ({ run, index: first + at, value: values[first + at] ?? null }));
  const texts = rows.map(({ run, value }) => [
    width < 80 ? dateOf(run.startedAt) : dateAndTime(run.startedAt),
    clip(shortName(run), width < WIDE ? 12 : 24),
    value === null ? DASH : formatValue(value, unit),
  ]);
  const titles = ['date', runs.some(({ commit }) => commit !== undefined) ? 'commit' : 'run', series.figure];
  const widths = titles.map((title, column) =>
    Math.max(displayWidth(title), ...texts.map((row) => displayWidth(row[column] ?? ''))),
  );
  const used = () => widths.reduce((sum, one) => sum + one + SPACING, 0);
  widths[1] = Math.max(LEAST_COMMIT, (widths[1] ?? 0) - Math.max(0, used() + LEAST_PLOT - width));
  const columns = Math.max(0, width - used());
  const joined = (row: readonly string[]) =>
    row.map((text, column) => cellText(text, widths[column] ?? 0, column)).join('');
  const { line, marks } = trendLine(values, levels, { columns: width, glyphs });
  const place = placer(values, columns);
  return [
    ...(first === 0
      ? []
      : [line, ...(marks === '' ? [] : [marks]), `the newest ${MOST_ROWS} of ${values.length} runs:`, '']),
    chalk.bold(joined(titles)) + chalk.dim(scale(values, unit, columns)),
    ...rows.flatMap(({ run, index, value }, at) => {
      const change = changes.find((one) => one.run === run.id);
      const level = levels.findLast(({ from }) => from <= index)?.median;
      const plot =
        value === null
          ? chalk.yellow(clip(missingReason(run), columns))
          : plotted(place(value), level === undefined ? undefined : place(level), canvas);
      const row = joined(texts[at] ?? []) + plot;
      return change === undefined && !run.newLevel ? [row] : [divider(change, run, canvas), row];
    }),
  ];
}

function cellText(text: string, width: number, column: number): string {
  const clipped = clip(text, width);
  return (column === 2 ? padStart(clipped, width) : padEnd(clipped, width)) + ' '.repeat(SPACING);
}

/** The line above the first run of a level. */
function divider(
  change: HistoryChange | undefined,
  { newLevel }: HistoryRun,
  { width, chalk, glyphs }: HistoryCanvas,
): string {
  const words = [
    ...(change === undefined ? [] : [`${changeInShort(change)} ${directionOf(change)}`]),
    ...(newLevel ? ['accepted as a new level'] : []),
  ];
  const text = `${glyphs.axis.line.repeat(2)} ${words.join(', ')} `;
  const line = clip(text + glyphs.axis.line.repeat(Math.max(0, width - displayWidth(text))), width);
  if (change === undefined) return chalk.dim(line);
  return change.direction === 'worse' ? chalk.red(line) : chalk.green(line);
}

/** The column of a value. */
function placer(values: HistorySeries['values'], columns: number): (value: number) => number {
  const [low, high] = rangeOf(values);
  return (value) => Math.round(((value - low) / (high - low || 1)) * (columns - 1));
}

function rangeOf(values: HistorySeries['values']): [number, number] {
  const present = values.flatMap((value) => value ?? []);
  return plotRange(Math.min(...present), Math.max(...present));
}

function plotted(point: number, level: number | undefined, canvas: HistoryCanvas): string {
  const marks = [{ at: point, text: canvas.point }];
  if (level !== undefined && level !== point) marks.push({ at: level, text: canvas.level });
  let line = '';
  for (const { at, text } of marks.sort((a, b) => a.at - b.at)) line = line.padEnd(at) + text;
  return line;
}

/** The two ends of the plot. */
function scale(values: HistorySeries['values'], unit: HistorySeries['unit'], columns: number): string {
  if (values.every((value) => value === null)) return '';
  const [low, high] = rangeOf(values).map((value) => formatValue(value, unit));
  if (low === undefined || high === undefined || low.length + high.length + 1 > columns) return '';
  return low + high.padStart(columns - low.length);
}
