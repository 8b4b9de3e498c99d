import { type ChildProcess, fork } from 'node:child_process';
import type { ReadResult, ReadTask, ReadWindow } from './fidelity-reader.ts';
import { READERS, type ReaderName } from './fidelity-readers.ts';
import { median } from './measure.ts';

/** Load and effort of a measurement. */
export interface Setting {
  levels: readonly number[];
  ratePerSecond: number;
  rounds: number;
  settleMs: number;
  windowMs: number;
  /** A load is still read in time when the p99 is below this. */
  limitMs: number;
}

/** One reader at one level: medians over the rounds. Times in ms; null where nothing came in most rounds. */
export interface Cell {
  streams: number;
  reader: ReaderName;
  p50: number;
  p99: number;
  max: number;
  /** Medians of the ratios that were taken within a round. */
  p99OfFloor: number;
  fetchOfP99: number;
  cpuMicrosPerEvent: number;
  cpuOfFloor: number;
  /** What came, as a share of what the server should have sent. Below 1 the reader did not keep up. */
  received: number;
  rssBytes: number;
  p99OfRounds: number[];
}

/** What a reader does at its limits. */
export interface Limit {
  reader: ReaderName;
  /** The most streams that were read in time, of those tried; 0 when none was. */
  streams: number;
  /** True when more could not be tried. */
  atLeast: boolean;
  /** Resident memory that each stream adds between the second level and the highest. */
  bytesPerStream: number | null;
}

/** The server in its own process. */
export async function startServer(ratePerSecond: number): Promise<{ port: number; close(): void }> {
  const child = fork(`${import.meta.dirname}/fidelity-server.js`, [String(ratePerSecond)]);
  const { port } = await message<{ port: number }>(child);
  return { port, close: () => void child.kill() };
}

/** Runs one reader in a process of its own. */
function read(task: ReadTask): Promise<ReadResult> {
  const file = `${import.meta.dirname}/fidelity-reader.js`;
  return message(fork(file, [JSON.stringify(task)], { execArgv: ['--expose-gc'] }));
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with code ${code}`)));
  });
}

/** All readers at all levels. They take turns, and begin with another in each round. */
export async function measureLags(
  port: number,
  setting: Setting,
  note: (text: string) => void,
): Promise<Cell[]> {
  const seen = new Map<string, ReadWindow[]>();
  const { levels, ratePerSecond, rounds, settleMs, windowMs } = setting;
  for (let round = 0; round < rounds; round++) {
    for (const streams of levels) {
      for (let turn = 0; turn < READERS.length; turn++) {
        const reader = READERS[(round + turn) % READERS.length]!;
        note(`round ${round + 1} of ${rounds}: ${reader}, ${streams} streams`);
        const task = { reader, port, streams, ratePerSecond, settleMs, windowMs, windows: 1 };
        const { windows } = await read(task);
        const key = `${streams} ${reader}`;
        seen.set(key, [...(seen.get(key) ?? []), windows[0]!]);
      }
    }
  }
  return levels.flatMap((streams) => {
    const of = (reader: ReaderName) => seen.get(`${streams} ${reader}`)!;
    return READERS.map((reader) => {
      const rows = of(reader);
      const p99OfRounds = rows.map(p99);
      const over = (other: ReaderName, value: (row: ReadWindow) => number) =>
        median(rows.map((row, round) => value(row) / value(of(other)[round]!)));
      return {
        streams,
        reader,
        p50: median(rows.map((row) => row.lagMs?.p50 ?? Number.POSITIVE_INFINITY)),
        p99: median(p99OfRounds),
        max: median(rows.map((row) => row.lagMs?.max ?? Number.POSITIVE_INFINITY)),
        p99OfFloor: over('net', p99),
        fetchOfP99: 1 / over('fetch', p99),
        cpuMicrosPerEvent: median(rows.map((row) => row.cpuMicrosPerEvent)),
        cpuOfFloor: over('net', (row) => row.cpuMicrosPerEvent),
        received: median(rows.map((row) => (row.events * 1000) / (streams * ratePerSecond * windowMs))),
        rssBytes: median(rows.map((row) => row.rssBytes)),
        p99OfRounds,
      };
    });
  });
}

/** Our reader on one thread and on several: medians over the rounds. */
export interface ThreadsCell {
  streams: number;
  threads: number;
  p50: number;
  p99: number;
  cpuMicrosPerEvent: number;
  received: number;
}

/** The same streams on one thread and on `threads`, which take turns. */
export async function measureThreads(
  port: number,
  setting: Setting,
  threads: number,
  note: (text: string) => void,
): Promise<ThreadsCell[]> {
  const { levels, ratePerSecond, rounds, settleMs, windowMs } = setting;
  const counts = [1, threads];
  const cells: ThreadsCell[] = [];
  for (const streams of levels) {
    const seen = counts.map((): ReadWindow[] => []);
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < counts.length; turn++) {
        const at = (round + turn) % counts.length;
        note(`threads, round ${round + 1} of ${rounds}: ${streams} streams on ${counts[at]}`);
        const task = { reader: READERS[0], port, streams, ratePerSecond, settleMs, windowMs, windows: 1 };
        const { windows } = await read({ ...task, threads: counts[at]! });
        seen[at]!.push(...windows);
      }
    }
    for (const [at, rows] of seen.entries()) {
      cells.push({
        streams,
        threads: counts[at]!,
        p50: median(rows.map((row) => row.lagMs?.p50 ?? Number.POSITIVE_INFINITY)),
        p99: median(rows.map(p99)),
        cpuMicrosPerEvent: median(rows.map((row) => row.cpuMicrosPerEvent)),
        received: median(rows.map((row) => (row.events * 1000) / (streams * ratePerSecond * windowMs))),
      });
    }
  }
  return cells;
}

/** Memory over time, in bytes, minute by minute. */
export interface Memory {
  reader: ReaderName;
  idle: number;
  rss: number[];
}

const MEMORY_READERS = ['streambench', 'net'] as const;
/** As long as answers are. Our reader keeps each gap of a stream until its end, so an endless one would grow. */
const STREAM_MS = 20_000;

/** Reads `streams` streams, one after the other ends, for so many minutes; the readers one after the other. */
export async function measureMemory(
  port: number,
  setting: Setting,
  streams: number,
  minutes: number,
  note: (text: string) => void,
): Promise<Memory[]> {
  const { ratePerSecond, settleMs } = setting;
  const rows: Memory[] = [];
  for (const reader of MEMORY_READERS) {
    note(`${minutes} minutes of memory: ${reader}, ${streams} streams`);
    const task = { reader, port, streams, ratePerSecond, settleMs, streamMs: STREAM_MS };
    const { idleRssBytes, windows } = await read({ ...task, windowMs: 60_000, windows: minutes });
    rows.push({ reader, idle: idleRssBytes, rss: windows.map((window) => window.rssBytes) });
  }
  return rows;
}

function p99(row: ReadWindow): number {
  return row.lagMs?.p99 ?? Number.POSITIVE_INFINITY;
}

const STEPS = 3;
const MOST_STREAMS = 2000;

/** Between the highest level that a reader reads in time and the next one, the limit is looked for by halving. */
export async function findLimits(
  port: number,
  setting: Setting,
  cells: readonly Cell[],
  note: (text: string) => void,
): Promise<Limit[]> {
  const limits: Limit[] = [];
  const { limitMs, ratePerSecond, settleMs, windowMs, levels } = setting;
  for (const reader of READERS) {
    const own = cells.filter((cell) => cell.reader === reader);
    let good = Math.max(0, ...own.filter((cell) => cell.p99 < limitMs).map((cell) => cell.streams));
    let bad = Math.min(...own.filter((c) => c.streams > good).map((c) => c.streams), MOST_STREAMS);
    for (let step = 0; step < STEPS && good !== bad; step++) {
      const streams = bad === MOST_STREAMS && step === 0 ? bad : Math.round((good + bad) / 20) * 10;
      note(`limit of ${reader}: ${streams} streams`);
      const task = { reader, port, streams, ratePerSecond, settleMs, windowMs: windowMs / 3, windows: 3 };
      const { windows } = await read(task);
      if (median(windows.map(p99)) < limitMs) good = streams;
      else bad = streams;
    }
    const rssAt = (streams: number | undefined) => own.find((cell) => cell.streams === streams)?.rssBytes;
    // The first level's memory is still growing with the code; of two there is no other.
    const [low, high] = [levels.at(levels.length > 2 ? 1 : 0)!, levels.at(-1)!];
    const bytesPerStream = low === high ? null : (rssAt(high)! - rssAt(low)!) / (high - low);
    limits.push({ reader, streams: good, atLeast: good === MOST_STREAMS, bytesPerStream });
  }
  return limits;
}
