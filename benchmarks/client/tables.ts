import type { LongEvent } from './long-event.ts';
import type { Held } from './memory.ts';
import type { Row } from './one-dialect.ts';

/** Events a second of each reader on each stream, and how many times as fast we are. */
export function speedTable(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ dialect, source, events, bytes, speeds }) =>
    speeds.map(({ reader, eventsPerSecond, firstIsFasterBy }, i) => [
      ...(i === 0 ? [dialect, source, String(events), (bytes / 1024).toFixed(0)] : ['', '', '', '']),
      reader,
      Math.round(eventsPerSecond).toLocaleString('en-US'),
      i === 0 ? '' : `${firstIsFasterBy.toFixed(2)} x as fast`,
    ]),
  );
  const head = ['dialect', 'stream', 'events', 'KB', 'reader', 'events/s', 'streambench is'];
  return table(head, lines, [2, 3, 5, 6]);
}

/** Cost of a long event and of one ten times as long. */
export function longTable(long: readonly LongEvent[]): string {
  const lines = long.map(({ dialect, reader, smallMs, largeMs, ratio }, i) => [
    long[i - 1]?.dialect === dialect ? '' : dialect,
    reader,
    smallMs.toFixed(2),
    largeMs.toFixed(2),
    ratio.toFixed(1),
  ]);
  return table(['dialect', 'reader', '100 KB, ms', '1 MB, ms', 'ratio'], lines, [2, 3, 4]);
}

/** Memory of a stream that is half read. */
export function heldTable(held: readonly Held[]): string {
  const lines = held.map(({ dialect, reader, kilobytes }, i) => [
    held[i - 1]?.dialect === dialect ? '' : dialect,
    reader,
    kilobytes.toFixed(1),
  ]);
  return table(['dialect', 'reader', 'KB'], lines, [2]);
}

/** Rows of text in columns; `right` are the columns that are aligned to the right. */
export function table(head: readonly string[], rows: readonly string[][], right: readonly number[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
