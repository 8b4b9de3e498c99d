import { fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type StreamClient } from '../../client/client.ts';
import { percentileOf } from '../../metrics/percentile.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { warmCode } from '../warm-code.ts';
import { readStamps, startCalibrationServer } from './calibrate-server.ts';
import { checkOpenFiles } from './checks.ts';

/** Concurrent streams of each level, by default. */
export const CALIBRATION_LEVELS: readonly number[] = [10, 50, 200, 500, 1000];

/** Events per second and stream, as a fast model sends them. */
const CALIBRATION_RATE = 50;

/** A level is accurate where 99 of 100 events are stamped less than this after they were sent. */
const ACCURATE_P99_MS = 10;

/** After a level this late, higher levels are skipped. */
const UNUSABLE_P99_MS = 150;

/** How late our stamps were at one level. */
export interface CalibrationLevel {
  streams: number;
  /** Offered by the server, all streams together. */
  eventsPerSecond: number;
  /** Events that were sent and read within the window. */
  events: number;
  /** From just before the server's write to our stamp; null where nothing came. */
  lagMs: { p50: number; p99: number; max: number } | null;
  /** How late the server sent, which is not part of the lag: p99, in ms. */
  serverLateMs: number | null;
  /** Utilization of our event loop, 0 to 1. */
  utilization: number;
  /** True where the p99 of the lag is below the limit. */
  accurate: boolean;
  /** Why there is no measurement. */
  problem?: string;
}

/** What this machine can measure with one event loop. */
export interface Calibration {
  ratePerSecond: number;
  /** Length of each level's window. */
  windowMs: number;
  /** The limit on the p99. */
  limitMs: number;
  levels: readonly CalibrationLevel[];
  /** The most streams of an accurate level; null without one. */
  accurateStreams: number | null;
  /** Levels that were not measured, because an earlier one was unusable. */
  skipped: readonly number[];
}

/** Options of a calibration. */
export interface CalibrateOptions {
  /** In ascending order. Default: 10, 50, 200, 500, 1000. */
  levels?: readonly number[];
  /** Default 3000. */
  windowMs?: number;
  /** Time before each window for connections, code and heap to settle. Default 1000. */
  settleMs?: number;
  onLevel?: (streams: number) => void;
  signal?: AbortSignal;
}

/**
 * Measures how late our stamps are at increasing numbers of streams. A server in a separate process writes into each event when it
 * was sent; both use the machine's monotonic clock.
 */
export async function calibrate(options: CalibrateOptions = {}): Promise<Calibration> {
  const { windowMs = 3000, settleMs = 1000, onLevel, signal } = options;
  const waiting = [...(options.levels ?? CALIBRATION_LEVELS)];
  const levels: CalibrationLevel[] = [];
  const server = await startServer();
  try {
    await warmCode('sse');
    while (!signal?.aborted) {
      const streams = waiting.shift();
      if (streams === undefined) break;
      onLevel?.(streams);
      const level = await measureLevel(streams, { windowMs, settleMs, port: server.port, signal });
      levels.push(level);
      if (level.lagMs === null || level.lagMs.p99 > UNUSABLE_P99_MS) break;
    }
  } finally {
    server.close();
  }
  const accurate = levels.filter((level) => level.accurate).map((level) => level.streams);
  return {
    ratePerSecond: CALIBRATION_RATE,
    windowMs,
    limitMs: ACCURATE_P99_MS,
    levels,
    accurateStreams: accurate.length === 0 ? null : Math.max(...accurate),
    skipped: waiting,
  };
}

interface Server {
  port: number;
  close(): void;
}

/** Under the TypeScript sources the server runs in this process, because a child process needs the compiled file. */
async function startServer(): Promise<Server> {
  if (import.meta.url.endsWith('.ts')) return startCalibrationServer(CALIBRATION_RATE);
  const child = fork(new URL('./calibrate-child.js', import.meta.url), [String(CALIBRATION_RATE)]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the calibration server ended with code ${code}`)));
    child.once('message', (message) => resolve((message as { port: number }).port));
  });
  return { port, close: () => void child.kill() };
}

interface LevelOptions {
  windowMs: number;
  settleMs: number;
  port: number;
  signal: AbortSignal | undefined;
}

async function measureLevel(streams: number, options: LevelOptions): Promise<CalibrationLevel> {
  const { windowMs, settleMs, port, signal } = options;
  const base = { streams, eventsPerSecond: streams * CALIBRATION_RATE };
  const problem = checkOpenFiles(streams);
  if (problem !== undefined) return noLevel(base, `${problem.message}; ${problem.hint}`);
  const clock = new OriginClock();
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, dialect: 'sse', method: 'GET', clock });
  try {
    await connect(client, streams);
    const from = monotonicClock.now() + settleMs;
    const window: Window = { from, to: from + windowMs, lags: [], late: [] };
    const open = Array.from({ length: streams }, () => follow(client, clock, window));
    await rest(settleMs, signal);
    const before = performance.eventLoopUtilization();
    await rest(window.to - monotonicClock.now(), signal);
    const { utilization } = performance.eventLoopUtilization(before);
    // Events that were sent within the window may still arrive.
    await rest(ACCURATE_P99_MS * 2, signal);
    for (const { cancel } of open) cancel();
    await Promise.all(open.map(({ over }) => over));
    return { ...base, ...summary(window), utilization: Math.round(utilization * 1000) / 1000 };
  } catch (error) {
    return noLevel(base, error instanceof Error ? error.message : String(error));
  } finally {
    client.close();
  }
}

function noLevel(
  base: Pick<CalibrationLevel, 'streams' | 'eventsPerSecond'>,
  problem: string,
): CalibrationLevel {
  return { ...base, events: 0, lagMs: null, serverLateMs: null, utilization: 0, accurate: false, problem };
}

const CONNECT_AT_ONCE = 100;

async function connect(client: StreamClient, streams: number): Promise<void> {
  for (let count = CONNECT_AT_ONCE; ; count += CONNECT_AT_ONCE) {
    await client.warm(Math.min(count, streams));
    if (count >= streams) return;
  }
}

/** The events between two times on the machine's clock. */
interface Window {
  from: number;
  to: number;
  lags: number[];
  /** How late the server sent each event. */
  late: number[];
}

/** The machine's clock, with the time of its first reading: the origin of a stream's times. */
class OriginClock implements Clock {
  private origin: number | undefined;

  now(): number {
    const now = monotonicClock.now();
    this.origin ??= now;
    return now;
  }

  wallTime(): Date {
    return monotonicClock.wallTime();
  }

  /** The first reading within `begin`. */
  originOf<T>(begin: () => T): [T, originAt: number] {
    this.origin = undefined;
    const begun = begin();
    return [begun, this.origin ?? monotonicClock.now()];
  }
}

function follow(
  client: StreamClient,
  clock: OriginClock,
  window: Window,
): { cancel(): void; over: Promise<void> } {
  const [stream, originAt] = clock.originOf(() => client.stream({}));
  const read = async () => {
    // After the end, as in a run: no consumer takes events while the stream is open.
    await stream.result;
    for await (const event of stream) {
      if (event.type !== 'message_chunk') continue;
      const { dueAt, sentAt } = readStamps(event.text);
      if (sentAt < window.from || sentAt >= window.to) continue;
      window.lags.push(Math.max(0, originAt + event.atMs - sentAt));
      window.late.push(sentAt - dueAt);
    }
  };
  return { cancel: () => stream.cancel(), over: read() };
}

function summary({
  lags,
  late,
}: Window): Pick<CalibrationLevel, 'events' | 'lagMs' | 'serverLateMs' | 'accurate'> {
  if (lags.length === 0) return { events: 0, lagMs: null, serverLateMs: null, accurate: false };
  const sorted = Float64Array.from(lags).sort();
  const p99 = round(percentileOf(sorted, 0.99));
  return {
    events: lags.length,
    lagMs: { p50: round(percentileOf(sorted, 0.5)), p99, max: round(percentileOf(sorted, 1)) },
    serverLateMs: round(percentileOf(Float64Array.from(late).sort(), 0.99)),
    accurate: p99 < ACCURATE_P99_MS,
  };
}

async function rest(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
