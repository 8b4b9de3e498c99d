import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from './prom-client.ts';
import type { AnswerUsage } from './usage-cost.ts';

/** How an answer of the service ended. */
export type Completion =
  | 'ok'
  | 'upstream_error'
  | 'client_gone'
  | 'client_stalled'
  | 'too_large'
  | 'timeout'
  | 'cancelled'
  | 'shutdown'
  | 'internal_error';

/** The counters of the service, for `/metrics`. */
export interface ServiceMetrics {
  /** The first bytes of an answer's body were sent, `ms` after the request arrived. */
  firstByte(route: string, ms: number): void;
  /** The first content was sent, `ms` after the request arrived. */
  firstToken(route: string, ms: number): void;
  /** A content event was sent. */
  chunk(): void;
  completed(route: string, status: Completion): void;
  /** The model stated the token counts of an answer. */
  usage(route: string, usage: AnswerUsage): void;
  /** An answer that may come from the answer cache has ended. */
  cacheLookup(result: 'hit' | 'miss'): void;
  refused(status: number): void;
  storeWrite(): void;
  storeError(): void;
  /** An exception or rejection was not caught. */
  fault(): void;
  /** The Prometheus text and its content type, of all metrics or of the given ones. */
  text(names?: readonly string[]): Promise<{ contentType: string; body: string }>;
  close(): void;
}

/** Values that are read at each scrape. */
export interface MetricSources {
  activeStreams(): number;
  peakStreams(): number;
  connections(): number;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Metrics of one service, in a registry of their own. */
export function createMetrics(sources: MetricSources): ServiceMetrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const latency = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['route'], buckets: SECONDS, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });

  const firstByte = latency(
    'streambench_service_first_byte_seconds',
    'From the request to the first byte of the body that was sent.',
  );
  const firstToken = latency(
    'streambench_service_first_token_seconds',
    'From the request to the first content (answer text, reasoning or tool call) that was sent.',
  );
  // Counted here: an increment of a metric takes a look-up by its labels, for every event.
  let sentChunks = 0;
  new Counter({
    name: 'streambench_service_chunks_total',
    help: 'Content events sent.',
    registers,
    collect() {
      this.reset();
      this.inc(sentChunks);
    },
  });
  const completions = counter('streambench_service_completions_total', 'Answers that ended, by status.', [
    'route',
    'status',
  ]);
  const refusals = counter('streambench_service_refusals_total', 'Requests refused, by HTTP status.', [
    'status',
  ]);
  const lookups = counter('streambench_service_cache_lookups_total', 'Requests to the answer cache.', [
    'result',
  ]);
  const tokens = counter('streambench_service_tokens_total', 'Tokens, as stated by the models.', [
    'route',
    'direction',
  ]);
  const cost = counter('streambench_service_cost_usd_total', 'Cost of the answers of models with a price.', [
    'route',
  ]);
  const writes = counter('streambench_service_store_writes_total', 'Writes of answers to the message store.');
  const errors = counter('streambench_service_store_errors_total', 'Failed accesses to the message store.');
  const faults = counter('streambench_service_faults_total', 'Uncaught exceptions and rejections.');
  addGauges(registers, sources);

  return {
    firstByte: (route, ms) => firstByte.observe({ route }, ms / 1000),
    firstToken: (route, ms) => firstToken.observe({ route }, ms / 1000),
    chunk: () => void sentChunks++,
    completed: (route, status) => completions.inc({ route, status }),
    usage(route, { inputTokens = 0, outputTokens = 0, costUsd = 0 }) {
      tokens.inc({ route, direction: 'input' }, inputTokens);
      tokens.inc({ route, direction: 'output' }, outputTokens);
      cost.inc({ route }, costUsd);
    },
    cacheLookup: (result) => lookups.inc({ result }),
    refused: (status) => refusals.inc({ status }),
    storeWrite: () => writes.inc(),
    storeError: () => errors.inc(),
    fault: () => faults.inc(),
    text: async (names = []) => ({
      contentType: register.contentType,
      body: names.length === 0 ? await register.metrics() : await textOf(register, names),
    }),
    close: () => register.clear(),
  };
}

function addGauges(registers: Registry[], sources: MetricSources): void {
  const rssAtStart = process.memoryUsage.rss();
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('streambench_service_active_streams', 'Active streams.', sources.activeStreams);
  gauge('streambench_service_peak_streams', 'Most streams that were active at once.', sources.peakStreams);
  gauge('streambench_service_connections', 'Open client connections.', sources.connections);
  gauge('streambench_service_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge(
    'streambench_service_memory_per_stream_bytes',
    'Growth of resident memory since the start, per active stream (per peak stream when none is active).',
    () => {
      const streams = sources.activeStreams() || sources.peakStreams();
      return streams === 0 ? 0 : Math.max(0, process.memoryUsage.rss() - rssAtStart) / streams;
    },
  );
}

/** The given metrics only. All of them take milliseconds, which would disturb a benchmark that scrapes twice a second. */
async function textOf(register: Registry, names: readonly string[]): Promise<string> {
  const known = [...new Set(names)].filter((name) => register.getSingleMetric(name) !== undefined);
  // prom-client updates its three counters of CPU time when the first of them is collected.
  if (known.includes('process_cpu_seconds_total')) {
    await register.getSingleMetricAsString('process_cpu_user_seconds_total');
  }
  const texts = await Promise.all(known.map((name) => register.getSingleMetricAsString(name)));
  return texts.map((text) => `${text}\n`).join('');
}
