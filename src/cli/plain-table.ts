import { displayWidth, oneLine, padEnd } from '../report/text-width.ts';

/** Minimum width of a column that is narrowed. */
const MIN_WIDTH = 16;
const SPACING = 2;

/**
 * Rows as aligned columns without borders, for `grep` and `awk`. If they are wider than `width`, the widest columns are
 * wrapped.
 */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  // A cell may contain a name from a file or a server.
  const all = [head, ...rows].map((row) => row.map(oneLine));
  const columns = head.map((_, column) => all.map((row) => row[column]!));
  const widths = fitted(columns.map(longest), columns.map(minWidthOf), width);
  return all.map((row) => drawn(row, widths)).join('');
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map(displayWidth));
}

// Words are not split. Only in the last column may a word be wider than the column.
function minWidthOf(texts: readonly string[], column: number, { length }: readonly unknown[]): number {
  return column === length - 1
    ? MIN_WIDTH
    : Math.max(MIN_WIDTH, longest(texts.flatMap((text) => text.split(' '))));
}

/** Narrows the widest columns until all fit into `width`. */
function fitted(natural: readonly number[], minWidths: readonly number[], width: number): number[] {
  const widths = [...natural];
  const over = () => widths.reduce((sum, one) => sum + one + SPACING, -SPACING) > width;
  while (over()) {
    const spare = widths.map((one, column) => (one > (minWidths[column] ?? 0) ? one : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.lastIndexOf(widest)]! -= 1;
  }
  return widths;
}

function drawn(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((text, column) => wrap(text, widths[column]!));
  const height = Math.max(...cells.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, line) =>
    cells
      .map((cell, column) => padEnd(cell[line] ?? '', widths[column]! + SPACING))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function wrap(text: string, room: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > room) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
