import { displayWidth, oneLine } from '../report/text-width.ts';

/** A column is not made narrower than this. */
const LEAST = 16;
const SPACE = 2;

/**
 * Rows as aligned columns without borders, ready for `grep` and `awk`. Where they are wider than `width`, the widest
 * columns are wrapped, each below its own beginning.
 */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  // A cell may be a name of someone else's.
  const all = [head, ...rows].map((row) => row.map(oneLine));
  const columns = head.map((_, column) => all.map((row) => row[column]!));
  const widths = fitted(columns.map(longest), columns.map(leastOf), width);
  return all.map((row) => drawn(row, widths)).join('');
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map(displayWidth));
}

// A word is never cut: in the last column it may stick out, elsewhere it would run into the next.
function leastOf(texts: readonly string[], column: number, { length }: readonly unknown[]): number {
  return column === length - 1 ? LEAST : Math.max(LEAST, longest(texts.flatMap((text) => text.split(' '))));
}

/** The widths, the widest of those that can be narrowed narrowed until all fit. */
function fitted(natural: readonly number[], least: readonly number[], width: number): number[] {
  const widths = [...natural];
  const over = () => widths.reduce((sum, one) => sum + one + SPACE, -SPACE) > width;
  while (over()) {
    const spare = widths.map((one, column) => (one > least[column]! ? one : 0));
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
      .map((cell, column) => padded(cell[line] ?? '', widths[column]! + SPACE))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
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
