import { setTimeout as sleep } from 'node:timers/promises';
import { percentileOf } from '../../../src/metrics/percentile.ts';
import { monotonicClock } from '../../../src/model/clock.ts';
import { makeReader, type ReaderName } from './fidelity-readers.ts';

// One reader under one load, in a process of its own, so that no reader shares an event loop or a heap with another.

/** What is measured. */
export interface ReadTask {
  reader: ReaderName;
  port: number;
  streams: number;
  ratePerSecond: number;
  /** Until connections, code and heap have settled. */
  settleMs: number;
  /** Length of one window, and how many follow each other. */
  windowMs: number;
  windows: number;
}

/** One window. */
export interface ReadWindow {
  /** Those that were sent and had arrived within it. */
  events: number;
  /** From the stamp of the server, taken before its write, to that of the reader, in ms; null where nothing came. */
  lagMs: { p50: number; p99: number; max: number } | null;
  /** User and system time of the process, over all that arrived within the window. */
  cpuMicrosPerEvent: number;
  /** Resident memory of the process at the end. */
  rssBytes: number;
}

/** What was measured. */
export interface ReadResult {
  /** Before the streams were opened, with the reader's code loaded and used. */
  idleRssBytes: number;
  windows: ReadWindow[];
}

const WARM_STREAMS = 20;
const WARM_MS = 300;
const CONNECT_AT_ONCE = 50;
const CONNECT_EVERY_MS = 10;

const task: ReadTask = JSON.parse(process.argv[2]!);
const lags = new Float64Array(Math.ceil((task.streams * task.ratePerSecond * task.windowMs * 1.5) / 1000));
let events = 0;
let arrivals = 0;
let from = Number.POSITIVE_INFINITY;
const open = await makeReader(task.reader, task.port, (sentAt, arrivedAt) => {
  arrivals++;
  if (sentAt >= from && events < lags.length) lags[events++] = arrivedAt - sentAt;
});

const warm = Array.from({ length: WARM_STREAMS }, open);
await sleep(WARM_MS);
for (const abort of warm) abort();
await sleep(20);
globalThis.gc?.();
const idleRssBytes = process.memoryUsage.rss();

for (let opened = 0; opened < task.streams; opened++) {
  open();
  if (opened % CONNECT_AT_ONCE === CONNECT_AT_ONCE - 1) await sleep(CONNECT_EVERY_MS);
}
await sleep(task.settleMs);
const windows: ReadWindow[] = [];
for (let i = 0; i < task.windows; i++) windows.push(await readWindow());

const result: ReadResult = { idleRssBytes, windows };
process.send?.(result, () => process.exit());

async function readWindow(): Promise<ReadWindow> {
  events = 0;
  arrivals = 0;
  from = monotonicClock.now();
  const before = process.cpuUsage();
  await sleep(task.windowMs);
  const { user, system } = process.cpuUsage(before);
  const seen = events;
  from = Number.POSITIVE_INFINITY;
  const sorted = lags.slice(0, seen).sort();
  return {
    events: seen,
    lagMs:
      seen === 0
        ? null
        : { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99), max: sorted.at(-1)! },
    cpuMicrosPerEvent: (user + system) / arrivals,
    rssBytes: process.memoryUsage.rss(),
  };
}
