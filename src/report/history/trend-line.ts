import type { HistoryLevel } from '../../model/history.ts';
import type { Glyphs } from '../terminal/strip.ts';

/** A series as one line of characters. */
export interface TrendLine {
  /** Heights from the smallest value to the largest; a space for a run without a value. */
  line: string;
  /** A mark below each first run of a new level. */
  marks: string;
}

const NO_VALUE = ' ';

/** Draws a series in at most `columns` columns. Neighbouring runs share a column where there are more. */
export function trendLine(
  values: readonly (number | null)[],
  levels: readonly HistoryLevel[],
  { columns, glyphs }: { columns: number; glyphs: Glyphs },
): TrendLine {
  const width = Math.min(columns, values.length);
  const columnOf = (index: number) => Math.floor((index * width) / values.length);
  const present = values.flatMap((value) => value ?? []);
  const [low, high] = [Math.min(...present), Math.max(...present)];
  const cells = Array.from({ length: width }, (): number[] => []);
  for (const [index, value] of values.entries()) if (value !== null) cells[columnOf(index)]?.push(value);
  const line = cells.map((own) => {
    if (own.length === 0) return NO_VALUE;
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return glyphs.heights[heightOf(mean, low, high, glyphs.heights.length)] ?? ' ';
  });
  const marks = Array<string>(width).fill(' ');
  for (const { from } of levels.slice(1)) marks[columnOf(from)] = '^';
  return { line: line.join(''), marks: marks.join('').trimEnd() };
}

// A spread of less than 10 % is drawn as if it were 10 %: noise would fill the line otherwise.
const LEAST_SPAN = 0.1;

function heightOf(value: number, low: number, high: number, heights: number): number {
  const [bottom, top] = plotRange(low, high);
  if (top <= bottom) return 0;
  return Math.min(heights - 1, Math.floor(((value - bottom) / (top - bottom)) * heights));
}

/** The range to draw values between `low` and `high` in. */
export function plotRange(low: number, high: number): [number, number] {
  const missing = Math.max(0, LEAST_SPAN * Math.abs(high) - (high - low));
  return [Math.max(low >= 0 ? 0 : Number.NEGATIVE_INFINITY, low - missing / 2), high + missing / 2];
}
