import { Agent as HttpAgent, get as httpGet } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import type { ServerReading, ServerSummary } from '../../model/load-report.ts';

/** Reads process metrics of a server, by the names that most Prometheus client libraries use. */

const NAMES: Readonly<Record<keyof ServerReading, string>> = {
  memoryBytes: 'process_resident_memory_bytes',
  cpuSeconds: 'process_cpu_seconds_total',
  openFiles: 'process_open_fds',
};

const EVERY_MS = 500;
// A new connection per reading would show up in the server's open files and cost it CPU time.
const KEPT = { keepAlive: true, maxSockets: 4 };
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Parses Prometheus' text format; null where it has none of the metrics. */
export function parseReading(text: string): ServerReading | null {
  const value = (name: string): number | null => {
    const found = new RegExp(`^${name}(?:\\{[^}\\n]*\\})?[ \\t]+(\\S+)`, 'm').exec(text)?.[1];
    const number = Number(found ?? Number.NaN);
    return Number.isFinite(number) && number >= 0 ? number : null;
  };
  const reading: ServerReading = {
    memoryBytes: value(NAMES.memoryBytes),
    cpuSeconds: value(NAMES.cpuSeconds),
    openFiles: value(NAMES.openFiles),
  };
  return Object.values(reading).every((known) => known === null) ? null : reading;
}

/** Takes one reading; null where it fails for any reason. Never rejects. */
export async function readServer(url: string): Promise<ServerReading | null> {
  return parseReading((await fetchText(url)) ?? '');
}

/** Requests only the needed metrics. Servers that ignore the query return all of them. */
function metricsUrl(url: string): URL {
  const query = new URL(url);
  for (const name of Object.values(NAMES)) query.searchParams.append('name[]', name);
  return query;
}

const AGENTS = { 'http:': new HttpAgent(KEPT), 'https:': new HttpsAgent(KEPT) };

function fetchText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const secure = url.startsWith('https:');
    const get = secure ? httpsGet : httpGet;
    const none = () => resolve(undefined);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const agent = AGENTS[secure ? 'https:' : 'http:'];
    const request = get(metricsUrl(url), { agent, signal, headers: { accept: 'text/plain' } }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        return none();
      }
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_BYTES) response.destroy();
      });
      response.on('end', () => resolve(text));
      response.on('error', none);
      response.on('close', none);
    });
    request.on('error', none);
  });
}

/** Reads the metrics of one server. */
export interface ServerWatch {
  /** Takes a last reading and returns the summary. */
  stop(): Promise<ServerSummary>;
}

/** Reads a server now, twice per second, and at the end. A slow reading delays the next one. */
export function watchServer(url: string, clock: Clock = monotonicClock): ServerWatch {
  const summary: ServerSummary = {
    readings: 0,
    failed: 0,
    memoryBytes: null,
    openFiles: null,
    cpuCores: null,
  };
  let first: { atMs: number; cpuSeconds: number } | undefined;
  const take = async () => {
    const reading = await readServer(url);
    if (reading === null) {
      summary.failed++;
      return;
    }
    summary.readings++;
    summary.memoryBytes = larger(summary.memoryBytes, reading.memoryBytes);
    summary.openFiles = larger(summary.openFiles, reading.openFiles);
    const { cpuSeconds } = reading;
    if (cpuSeconds === null) return;
    const atMs = clock.now();
    if (first === undefined) first = { atMs, cpuSeconds };
    else if (atMs > first.atMs)
      summary.cpuCores = ((cpuSeconds - first.cpuSeconds) * 1000) / (atMs - first.atMs);
  };
  let pending: Promise<void> | undefined;
  const next = () => {
    pending ??= take().finally(() => {
      pending = undefined;
    });
  };
  next();
  const timer = setInterval(next, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await pending;
      await take();
      return summary;
    },
  };
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
