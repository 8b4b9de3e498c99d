import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from './packages.ts';

/** How an answer of the service ended. */
export type Completion =
  | 'ok'
  | 'upstream_error'
  | 'client_gone'
  | 'client_stalled'
  | 'too_large'
  | 'shutdown'
  | 'internal_error';

/** What the service counts, for `/metrics`. */
export interface ServiceMetrics {
  /** The first bytes of an answer's body left, this long after the request came in. */
  firstByte(route: string, ms: number): void;
  /** The first content left, this long after the request came in. */
  firstToken(route: string, ms: number): void;
  chunk(): void;
  completed(route: string, status: Completion): void;
  refused(status: number): void;
  storeWrite(): void;
  storeError(): void;
  /** Something was thrown where nobody caught it. */
  fault(): void;
  /** The Prometheus text and its content type: of all metrics, or of those that are named. */
  text(names?: readonly string[]): Promise<{ contentType: string; body: string }>;
  close(): void;
}

/** What is read when the metrics are asked for. */
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
  const rssAtStart = process.memoryUsage.rss();

  const first = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['route'], buckets: SECONDS, registers });
  const firstByte = first(
    'streambench_service_first_byte_seconds',
    'From the request to the first byte of the body that was sent.',
  );
  const firstToken = first(
    'streambench_service_first_token_seconds',
    'From the request to the first content (answer text, reasoning or tool call) that was sent.',
  );
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const chunks = counter('streambench_service_chunks_total', 'Content events sent.');
  const completions = counter('streambench_service_completions_total', 'Answers that ended, by how.', [
    'route',
    'status',
  ]);
  const refusals = counter('streambench_service_refusals_total', 'Requests refused, by HTTP status.', [
    'status',
  ]);
  const writes = counter(
    'streambench_service_store_writes_total',
    'Writes of answers into the message store.',
  );
  const errors = counter(
    'streambench_service_store_errors_total',
    'Writes into the message store that failed.',
  );

  const faults = counter('streambench_service_faults_total', 'Faults that nothing caught.');

  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('streambench_service_active_streams', 'Streams under way.', sources.activeStreams);
  gauge('streambench_service_peak_streams', 'The most streams at once so far.', sources.peakStreams);
  gauge('streambench_service_connections', 'Open client connections.', sources.connections);
  gauge('streambench_service_memory_bytes', 'Resident memory now.', () => process.memoryUsage.rss());
  gauge(
    'streambench_service_memory_per_stream_bytes',
    'Growth of resident memory since the start, shared among the streams under way (the peak when there are none).',
    () => {
      const streams = sources.activeStreams() || sources.peakStreams();
      return streams === 0 ? 0 : Math.max(0, process.memoryUsage.rss() - rssAtStart) / streams;
    },
  );

  return {
    firstByte: (route, ms) => firstByte.observe({ route }, ms / 1000),
    firstToken: (route, ms) => firstToken.observe({ route }, ms / 1000),
    chunk: () => chunks.inc(),
    completed: (route, status) => completions.inc({ route, status }),
    refused: (status) => refusals.inc({ status }),
    storeWrite: () => writes.inc(),
    storeError: () => errors.inc(),
    fault: () => faults.inc(),
    text: async (names = []) => ({
      contentType: register.contentType,
      body: names.length === 0 ? await register.metrics() : await some(register, names),
    }),
    close: () => register.clear(),
  };
}

/** All of them together take milliseconds, which a benchmark that asks twice a second would measure along. */
async function some(register: Registry, names: readonly string[]): Promise<string> {
  const known = [...new Set(names)].filter((name) => register.getSingleMetric(name) !== undefined);
  // The client library brings all three counters of CPU time up to date with the first of them alone.
  if (known.includes('process_cpu_seconds_total')) {
    await register.getSingleMetricAsString('process_cpu_user_seconds_total');
  }
  const texts = await Promise.all(known.map((name) => register.getSingleMetricAsString(name)));
  return texts.map((text) => `${text}\n`).join('');
}
