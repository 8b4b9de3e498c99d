import { Agent as HttpAgent, get as httpGet } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import type { ServerReading, ServerSummary } from '../../model/load-report.ts';
import { ENGINES, namesOf } from './engines.ts';
import { parseExposition } from './exposition.ts';
import { servingPeriod, servingReading } from './serving-reading.ts';

/**
 * Reads the metrics of a server: of its process, by the names that most Prometheus client libraries use, and of inference
 * servers by their own names.
 */

const PROCESS: Readonly<Record<'memoryBytes' | 'cpuSeconds' | 'openFiles', string>> = {
  memoryBytes: 'process_resident_memory_bytes',
  cpuSeconds: 'process_cpu_seconds_total',
  openFiles: 'process_open_fds',
};

const WANTED = new Set([...Object.values(PROCESS), ...ENGINES.flatMap(namesOf)]);

const EVERY_MS = 500;
// A new connection per reading would show up in the server's open files and cost it CPU time.
const KEPT = { keepAlive: true, maxSockets: 4 };
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Parses Prometheus' text format; null where it has none of the metrics. */
export function parseReading(text: string): ServerReading | null {
  const exposition = parseExposition(text, (name) => WANTED.has(name));
  const value = (name: string): number | null => {
    const [series] = exposition.get(name) ?? [];
    return series !== undefined && Number.isFinite(series.value) && series.value >= 0 ? series.value : null;
  };
  const reading: ServerReading = {
    memoryBytes: value(PROCESS.memoryBytes),
    cpuSeconds: value(PROCESS.cpuSeconds),
    openFiles: value(PROCESS.openFiles),
    serving: servingReading(exposition),
  };
  return Object.values(reading).every((known) => known == null) ? null : reading;
}

/** The result of one request for metrics. */
export type Scrape = { reading: ServerReading } | { reading: null; failure: string };

/** Reads one server again and again. */
export interface ServerReader {
  /** Never rejects. */
  read(): Promise<Scrape>;
}

/**
 * Creates the reader of a server. The first reading requests all of its metrics. The second one requests only the names that are
 * needed, with the parameter `name[]` that some client libraries know; where it has fewer of them, all are requested again
 * from then on.
 */
export function serverReader(url: string): ServerReader {
  let names: readonly string[] | undefined;
  let full: ServerReading | undefined;
  let decided = false;
  const scrape = async (only: readonly string[] = []): Promise<Scrape> => {
    const fetched = await fetchText(withNames(url, only));
    if ('failure' in fetched) return { reading: null, failure: fetched.failure };
    const reading = parseReading(fetched.text);
    return reading === null ? { reading, failure: UNKNOWN } : { reading };
  };
  return {
    async read() {
      if (full === undefined) {
        const result = await scrape();
        if (result.reading !== null) full = result.reading;
        return result;
      }
      if (decided) return scrape(names);
      const wanted = namesFor(full);
      const narrow = await scrape(wanted);
      // A reading that failed decides nothing.
      if (narrow.reading === null && narrow.failure !== UNKNOWN) return narrow;
      decided = true;
      if (narrow.reading === null || !hasAll(narrow.reading, full)) return scrape();
      names = wanted;
      return narrow;
    },
  };
}

/** One reader for each URL. */
export function serverReaders(): (url: string) => ServerReader {
  const readers = new Map<string, ServerReader>();
  return (url) => {
    const reader = readers.get(url) ?? serverReader(url);
    readers.set(url, reader);
    return reader;
  };
}

/** The failure of a server whose metrics have other names. */
export const UNKNOWN = 'no known metric';

function namesFor({ serving }: ServerReading): string[] {
  const engine = ENGINES.find(({ name }) => name === serving?.engine);
  return [...Object.values(PROCESS), ...(engine === undefined ? [] : namesOf(engine))];
}

/** True if `reading` has every value that `full` has. */
function hasAll(reading: ServerReading, full: ServerReading): boolean {
  const covers = <T extends object>(part: T, whole: T) =>
    (Object.keys(whole) as (keyof T)[]).every((key) => whole[key] == null || part[key] != null);
  return covers(reading, full) && (full.serving === undefined || covers(reading.serving ?? {}, full.serving));
}

function withNames(url: string, names: readonly string[]): URL {
  const query = new URL(url);
  for (const name of names) query.searchParams.append('name[]', name);
  return query;
}

const AGENTS = { 'http:': new HttpAgent(KEPT), 'https:': new HttpsAgent(KEPT) };

function fetchText(url: URL): Promise<{ text: string } | { failure: string }> {
  return new Promise((resolve) => {
    const secure = url.protocol === 'https:';
    const get = secure ? httpsGet : httpGet;
    const fail = (failure: string) => resolve({ failure });
    const failed = (error: NodeJS.ErrnoException) =>
      fail(
        error.name === 'TimeoutError'
          ? `no answer within ${TIMEOUT_MS / 1000} s`
          : (error.code ?? error.message),
      );
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const agent = AGENTS[secure ? 'https:' : 'http:'];
    const request = get(url, { agent, signal, headers: { accept: 'text/plain' } }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        return fail(`HTTP ${response.statusCode}`);
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_BYTES) response.destroy();
      });
      response.on('end', () => resolve({ text }));
      response.on('error', failed);
      response.on('close', () => fail('the answer was cut'));
    });
    request.on('error', failed);
  });
}

/** Reads the metrics of one server. */
export interface ServerWatch {
  /** Takes a last reading and returns the summary. */
  stop(): Promise<ServerSummary>;
}

/** Reads a server now, twice per second, and at the end. A slow reading delays the next one. */
export function watchServer(reader: ServerReader, clock: Clock = monotonicClock): ServerWatch {
  const summary: ServerSummary = {
    readings: 0,
    failed: 0,
    memoryBytes: null,
    openFiles: null,
    cpuCores: null,
  };
  const serving = servingPeriod();
  let first: { atMs: number; cpuSeconds: number } | undefined;
  const take = async (isEdge = false) => {
    const { reading } = await reader.read();
    if (reading === null) {
      summary.failed++;
      return;
    }
    summary.readings++;
    summary.memoryBytes = larger(summary.memoryBytes, reading.memoryBytes);
    summary.openFiles = larger(summary.openFiles, reading.openFiles);
    if (reading.serving !== undefined) serving.add(reading.serving, isEdge);
    const { cpuSeconds } = reading;
    if (cpuSeconds === null) return;
    const atMs = clock.now();
    if (first === undefined) first = { atMs, cpuSeconds };
    else if (atMs > first.atMs)
      summary.cpuCores = ((cpuSeconds - first.cpuSeconds) * 1000) / (atMs - first.atMs);
  };
  let pending: Promise<void> | undefined;
  const next = (isEdge = false) => {
    pending ??= take(isEdge).finally(() => {
      pending = undefined;
    });
  };
  next(true);
  const timer = setInterval(next, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await pending;
      await take(true);
      return { ...summary, serving: serving.summary() };
    },
  };
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
