/**
 * Rows as aligned columns without borders, ready for `grep` and `awk`. The last column is wrapped to `width`, below
 * its own beginning.
 */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [head, ...rows];
  const widths = head.slice(0, -1).map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const indent = widths.reduce((sum, columnWidth) => sum + columnWidth + 2, 0);
  const room = Math.max(20, width - indent);
  return all
    .map((row) => {
      const left = widths.map((columnWidth, column) => row[column]!.padEnd(columnWidth + 2)).join('');
      const lines = wrap(row.at(-1)!, room).map((line, i) => (i === 0 ? left : ' '.repeat(indent)) + line);
      return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
    })
    .join('');
}

function wrap(text: string, room: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
