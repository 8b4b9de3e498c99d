import type { Cell, Limit, Memory, ThreadsCell } from './fidelity-run.ts';
import type { Startup } from './fidelity-start.ts';

const NAMES = { streambench: 'streambench', fetch: 'fetch', openai: 'openai SDK', net: 'raw net socket' };

/** Lag and cost of each reader at each level. */
export function lagTable(cells: readonly Cell[]): string {
  const rows = cells.map((cell, i) => [
    cells[i - 1]?.streams === cell.streams ? '' : String(cell.streams),
    NAMES[cell.reader],
    ms(cell.p50),
    ms(cell.p99),
    ms(cell.max),
    times(cell.p99OfFloor),
    times(cell.fetchOfP99),
    cell.cpuMicrosPerEvent.toFixed(1),
    times(cell.cpuOfFloor),
    `${Math.round(cell.received * 100)} %`,
  ]);
  const head = [
    'streams',
    'reader',
    'p50 ms',
    'p99 ms',
    'max ms',
    '/ net',
    'fetch /',
    'us/event',
    '/ net',
    'in time',
  ];
  return table(head, rows, [1]);
}

/** How far each reader gets, and what a stream weighs. */
export function limitTable(limits: readonly Limit[], limitMs: number): string {
  const rows = limits.map(({ reader, streams, atLeast, bytesPerStream }) => [
    NAMES[reader],
    `${atLeast ? '>= ' : ''}${streams}`,
    bytesPerStream === null ? '-' : (bytesPerStream / 1024).toFixed(0),
  ]);
  return table(['reader', `streams with p99 < ${limitMs} ms`, 'KB a stream'], rows, [0]);
}

/** Our reader on one thread and on several. */
export function threadsTable(cells: readonly ThreadsCell[]): string {
  const rows = cells.map((cell, i) => [
    cells[i - 1]?.streams === cell.streams ? '' : String(cell.streams),
    String(cell.threads),
    ms(cell.p50),
    ms(cell.p99),
    cell.cpuMicrosPerEvent.toFixed(1),
    `${Math.round(cell.received * 100)} %`,
  ]);
  return table(['streams', 'threads', 'p50 ms', 'p99 ms', 'us/event', 'in time'], rows, []);
}

/** Memory at the start, in the middle and at the end of a long run. */
export function memoryTable(memory: readonly Memory[]): string {
  const rows = memory.map(({ reader, idle, rss }) => {
    const points = [idle, rss[0]!, rss[(rss.length - 1) >> 1]!, rss.at(-1)!];
    return [NAMES[reader], ...points.map((bytes) => (bytes / 1024 / 1024).toFixed(0))];
  });
  return table(['reader', 'no stream', 'start', 'middle', 'end'], rows, [0]);
}

/** What it takes to start. */
export function startLines({ bareNode, version, firstRequestMs }: Startup): string {
  const { wallMs, cpuMs } = version;
  return `streambench --version: ${cpuMs.toFixed(0)} ms of CPU, ${wallMs.toFixed(0)} ms (node alone: ${bareNode.cpuMs.toFixed(0)} and ${bareNode.wallMs.toFixed(0)} ms)
streambench probe: ${firstRequestMs.toFixed(0)} ms from its start to its first request at the server`;
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0);
}

/** Rows of text in columns; all but those in `left` are aligned to the right. */
function table(head: readonly string[], rows: readonly string[][], left: readonly number[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
