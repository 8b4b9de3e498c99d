import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { percentileOf } from '../../src/metrics/percentile.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { split } from '../../src/model/plan.ts';
import { makeReader, type ReaderName } from './fidelity-readers.ts';

// One reader under one load, in a process of its own, so that no reader shares an event loop or a heap with another.

/** What is measured. */
export interface ReadTask {
  reader: ReaderName;
  port: number;
  streams: number;
  ratePerSecond: number;
  /**
   * Until connections and heap have settled and the code is compiled. Compiling goes on beside the event loop for some
   * two seconds, and as processor time it looks like the reader's own.
   */
  settleMs: number;
  /** Length of one window, and how many follow each other. */
  windowMs: number;
  windows: number;
  /** Threads that share the streams. Default: 1, the process's own. */
  threads?: number;
  /** Each stream is given up and opened again after that long. Default: never. */
  streamMs?: number;
}

/** One window. */
export interface ReadWindow {
  /** Those that were sent within it. */
  events: number;
  /** From the stamp of the server, taken before its write, to that of the reader, in ms; null where nothing came. */
  lagMs: { p50: number; p99: number; max: number } | null;
  /** User and system time of the process within the window, over the events that were told in it. */
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

/** What one thread saw of a window. */
interface Seen {
  lags: Float64Array;
  told: number;
}

const WARM_STREAMS = 20;
const WARM_MS = 300;
const CONNECT_AT_ONCE = 50;
const CONNECT_EVERY_MS = 10;
/** Until a reader that puts decoding off has told all that it has stamped. */
const TELL_MS = 400;

/** The streams of one thread. */
class Streams {
  private readonly task: ReadTask;
  private readonly lags: Float64Array;
  private count = 0;
  private told = 0;
  private fromMs = Number.POSITIVE_INFINITY;
  private untilMs = Number.POSITIVE_INFINITY;
  private open!: () => () => void;

  constructor(task: ReadTask) {
    this.task = task;
    const expected = (task.streams * task.ratePerSecond * task.windowMs) / 1000;
    // Where memory is what is looked at, the lags are not kept.
    this.lags = new Float64Array(task.streamMs === undefined ? Math.ceil(expected * 1.5) : 0);
  }

  /** Loads the reader and uses it once. */
  async warm(): Promise<void> {
    this.open = await makeReader(this.task.reader, this.task.port, (sentAt, arrivedAt) => {
      this.told++;
      if (sentAt >= this.fromMs && sentAt < this.untilMs && this.count < this.lags.length) {
        this.lags[this.count++] = arrivedAt - sentAt;
      }
    });
    const warm = Array.from({ length: WARM_STREAMS }, this.open);
    await sleep(WARM_MS);
    for (const abort of warm) abort();
    await sleep(20);
  }

  async openAll(): Promise<void> {
    const { streams, settleMs } = this.task;
    for (let opened = 0; opened < streams; opened++) {
      this.keepOpen(opened / streams);
      if (opened % CONNECT_AT_ONCE === CONNECT_AT_ONCE - 1) await sleep(CONNECT_EVERY_MS);
    }
    await sleep(settleMs);
  }

  async window(): Promise<Seen> {
    this.count = 0;
    this.told = 0;
    this.untilMs = Number.POSITIVE_INFINITY;
    this.fromMs = monotonicClock.now();
    await sleep(this.task.windowMs);
    this.untilMs = monotonicClock.now();
    const { told } = this;
    await sleep(TELL_MS);
    return { lags: this.lags.slice(0, this.count), told };
  }

  /** One stream after another. The first is cut short by a share of its time, so that not all change at once. */
  private keepOpen(share: number): void {
    const abort = this.open();
    const { streamMs } = this.task;
    if (streamMs === undefined) return;
    setTimeout(
      () => {
        abort();
        this.keepOpen(0);
      },
      streamMs * (1 - share),
    );
  }
}

/** A thread of its own for a share of the streams. Each message to it asks for the next step and is answered. */
class Lane {
  private readonly worker: Worker;

  constructor(task: ReadTask) {
    this.worker = new Worker(new URL(import.meta.url), { workerData: task });
    this.worker.once('error', (error) => {
      throw error;
    });
  }

  step(): Promise<Seen> {
    this.worker.postMessage('next');
    return new Promise((done) => this.worker.once('message', done));
  }
}

async function measure(task: ReadTask): Promise<ReadResult> {
  const { threads = 1 } = task;
  let step: () => Promise<Seen[]>;
  let idleRssBytes: number;
  if (threads === 1) {
    const streams = new Streams(task);
    await streams.warm();
    globalThis.gc?.();
    idleRssBytes = process.memoryUsage.rss();
    await streams.openAll();
    step = async () => [await streams.window()];
  } else {
    const lanes = split(task.streams, threads).map((share) => new Lane({ ...task, streams: share }));
    step = () => Promise.all(lanes.map((lane) => lane.step()));
    await step();
    idleRssBytes = process.memoryUsage.rss();
    await step();
  }
  const windows: ReadWindow[] = [];
  for (let i = 0; i < task.windows; i++) windows.push(await readWindow(task.windowMs, step));
  return { idleRssBytes, windows };
}

async function readWindow(windowMs: number, step: () => Promise<Seen[]>): Promise<ReadWindow> {
  const seen = step();
  const before = process.cpuUsage();
  await sleep(windowMs);
  const { user, system } = process.cpuUsage(before);
  const rssBytes = process.memoryUsage.rss();
  const lanes = await seen;
  const told = lanes.reduce((sum, lane) => sum + lane.told, 0);
  const sorted = joined(lanes.map((lane) => lane.lags)).sort();
  return {
    events: sorted.length,
    lagMs:
      sorted.length === 0
        ? null
        : { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99), max: sorted.at(-1)! },
    cpuMicrosPerEvent: (user + system) / told,
    rssBytes,
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function serveLane(port: NonNullable<typeof parentPort>, task: ReadTask): Promise<void> {
  const streams = new Streams(task);
  const none: Seen = { lags: new Float64Array(0), told: 0 };
  const steps = [() => streams.warm(), () => streams.openAll()];
  port.on('message', async () => {
    const first = steps.shift();
    if (first !== undefined) await first();
    port.postMessage(first === undefined ? await streams.window() : none);
  });
}

if (isMainThread) {
  const result = await measure(JSON.parse(process.argv[2]!));
  process.send?.(result, () => process.exit());
} else {
  await serveLane(parentPort!, workerData);
}
