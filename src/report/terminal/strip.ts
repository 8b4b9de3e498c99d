import { DASH } from '../../model/format.ts';

/** Bars, sparklines and axes on one line of text. Widths are in columns, positions are shares of a span. */

/** The characters to draw with. */
export interface Glyphs {
  /** A column that is filled from the left, in eighths: index 1 is one eighth, 8 is full. */
  left: readonly string[];
  /** A column that is filled from the right, in eighths. */
  right: readonly string[];
  /** Heights of a column, lowest first. */
  heights: readonly string[];
  /** The part of a progress bar that is not filled. */
  track: string;
  /** A span too short to be drawn, in the left or the right half of a column. */
  moment: { left: string; right: string };
  axis: { start: string; line: string; tick: string; end: string };
  ok: string;
  ended: string;
  failed: string;
  remedy: string;
}

/** Block elements. */
export const BLOCKS: Glyphs = {
  left: [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
  // Unicode has only these characters for the right side.
  right: [' ', '▕', '▕', '▐', '▐', '▐', '█', '█', '█'],
  heights: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  track: '░',
  moment: { left: '▏', right: '▕' },
  axis: { start: '├', line: '─', tick: '┼', end: '┤' },
  ok: '✔',
  ended: '▲',
  failed: '✘',
  remedy: '→',
};

/** ASCII characters. */
export const ASCII: Glyphs = {
  left: [' ', ' ', ' ', ' ', '#', '#', '#', '#', '#'],
  right: [' ', ' ', ' ', ' ', '#', '#', '#', '#', '#'],
  heights: ['.', ':', '-', '=', '+', '*', '%', '#'],
  track: '.',
  moment: { left: '|', right: '|' },
  axis: { start: '+', line: '-', tick: '+', end: '+' },
  ok: '+',
  ended: '!',
  failed: 'x',
  remedy: '>',
};

const EIGHTHS = 8;

const ASCII_SPELLING: Readonly<Record<string, string>> = {
  '·': '-',
  [DASH]: '-',
  '…': '~',
  '“': '"',
  '”': '"',
  '×': 'x',
  µ: 'u',
  '−': '-',
  '\u202f': ' ',
  '→': '>',
  '─': '-',
  '│': '|',
  ...Object.fromEntries([...'╭╮╰╯├┤┬┴┼'].map((corner) => [corner, '+'])),
  ...Object.fromEntries(BLOCKS.heights.map((height, at) => [height, ASCII.heights[at] ?? '#'])),
};

const SPELLED = new RegExp(`[${Object.keys(ASCII_SPELLING).join('')}]`, 'g');

/** The program's own text in ASCII. Letters of names are kept. */
export function inAscii(text: string): string {
  return text.replaceAll(SPELLED, (char) => ASCII_SPELLING[char] ?? '?');
}

/** A bar from one share (0..1) of the width to another. A bar too short to be visible is drawn as a moment. */
export function bar(from: number, to: number, columns: number, glyphs: Glyphs): string {
  const begin = Math.min(Math.round(clamp(from) * columns * EIGHTHS), columns * EIGHTHS - 1);
  const end = Math.round(clamp(to) * columns * EIGHTHS);
  const column = Math.floor(begin / EIGHTHS);
  let text = '';
  for (let at = column; at * EIGHTHS < end && begin < end; at++) {
    const first = Math.max(0, begin - at * EIGHTHS);
    const last = Math.min(EIGHTHS, end - at * EIGHTHS);
    // A part inside one column can only be drawn at its sides: its size is exact, its place is not.
    text += first > 0 && last === EIGHTHS ? glyphs.right[last - first]! : glyphs.left[last - first]!;
  }
  const moment = begin % EIGHTHS < EIGHTHS / 2 ? glyphs.moment.left : glyphs.moment.right;
  return ' '.repeat(column) + (text.trim() === '' ? moment : text);
}

/** One height per column. 0 is a space, any other count has at least the lowest height. */
export function sparkline(counts: readonly number[], glyphs: Glyphs): string {
  const most = Math.max(1, ...counts);
  const steps = glyphs.heights.length;
  return counts
    .map((count) => (count <= 0 ? ' ' : glyphs.heights[Math.max(1, Math.ceil((count / most) * steps)) - 1]!))
    .join('');
}

/** How many of the weighted positions (shares, 0..1) fall into each column. */
export function buckets(
  positions: Iterable<readonly [share: number, weight: number]>,
  columns: number,
): number[] {
  const counts = new Array<number>(columns).fill(0);
  for (const [share, weight] of positions) {
    const column = Math.min(columns - 1, Math.floor(clamp(share) * columns));
    counts[column] = counts[column]! + weight;
  }
  return counts;
}

/** A scale from 0 to `span` in two lines: ticks at round numbers, and their labels. */
export function axis(
  span: number,
  columns: number,
  label: (value: number) => string,
  glyphs: Glyphs,
): [string, string] {
  const line = glyphs.axis.line.repeat(columns - 2).split('');
  const marks = [glyphs.axis.start, ...line, glyphs.axis.end];
  let labels = label(0);
  const last = label(span);
  const end = columns - last.length;
  for (const value of roundValues(span, columns)) {
    const column = Math.round((value / span) * columns);
    const text = label(value);
    const at = column - Math.floor(text.length / 2);
    // A label that would touch its neighbour is omitted, with its tick.
    if (at <= labels.length || at + text.length >= end || column >= columns - 1) continue;
    marks[column] = glyphs.axis.tick;
    labels = labels.padEnd(at) + text;
  }
  return [marks.join(''), labels.length < end ? labels.padEnd(end) + last : labels];
}

// Multiples of 1, 2 or 5 times a power of ten, about twelve columns apart.
function roundValues(span: number, columns: number): number[] {
  if (!(span > 0)) return [];
  const least = (span * 12) / columns;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5, 10].find((factor) => power * factor >= least) ?? 10);
  return Array.from({ length: Math.max(0, Math.ceil(span / step) - 1) }, (_, i) => (i + 1) * step);
}

/** A histogram over powers of ten. */
interface LogHistogram {
  /** The bounds, powers of ten. */
  low: number;
  high: number;
  counts: number[];
}

/** Counts positive values in at most `columns` buckets of equal ratio. Undefined without values. */
export function logHistogram(values: readonly number[], columns: number): LogHistogram | undefined {
  const logs = values.filter((value) => value > 0).map((value) => Math.log10(value));
  if (logs.length === 0) return undefined;
  const [least, most] = logs.reduce(([a, b], log) => [Math.min(a, log), Math.max(b, log)] as const, [
    logs[0]!,
    logs[0]!,
  ] as const);
  const low = Math.floor(least);
  const high = Math.max(low + 1, Math.ceil(most));
  const width = Math.min(columns, (high - low) * 8);
  const positions = logs.map((log) => [(log - low) / (high - low), 1] as const);
  return { low: 10 ** low, high: 10 ** high, counts: buckets(positions, width) };
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
