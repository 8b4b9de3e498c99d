import { createServer, type Server } from 'node:http';
import { listen } from '../../model/listen.ts';
import { createLiveMetrics, type LiveMetrics } from './live-metrics.ts';
import type { TelemetryRun, TelemetrySample } from './sample.ts';

/** What `--prometheus` and `--otlp` ask for. */
export interface TelemetrySettings {
  version: string;
  /** Serve metrics for Prometheus here. Port 0: any free one. */
  prometheus?: { host: string; port: number };
  /** Export as OTLP. Without a URL: to the endpoint of the environment. */
  otlp?: { url?: string };
}

/** An event of a run. */
export type TelemetryEvent =
  | { kind: 'run'; run: TelemetryRun }
  | { kind: 'window'; cell: number; counts: SharedArrayBuffer }
  | {
      kind: 'batch';
      samples: readonly TelemetrySample[];
      /** Warm-up requests that ended. */
      warmups: number;
      utilization?: readonly number[];
    }
  | { kind: 'end' };

/** Passes the events of runs on to Prometheus and OTLP. Runs in a thread of its own. */
export interface TelemetryHub {
  /** Where the metrics are, if they are served. */
  readonly url: string | undefined;
  add(event: TelemetryEvent): void;
  /** Exports what is left, and stops serving. Returns warnings. */
  close(): Promise<string[]>;
}

type Sink = Pick<LiveMetrics, 'runStarted' | 'windowOpened' | 'samples' | 'utilization' | 'runEnded'> &
  Partial<Pick<LiveMetrics, 'warmedUp'>>;

/**
 * Opens the hub. Rejects with a `UserError` where the port is taken (`port_in_use`) or the OpenTelemetry SDK is not installed
 * (`usage`). `warn` receives the first failed export.
 */
export async function openHub(
  { version, prometheus, otlp }: TelemetrySettings,
  warn: (message: string) => void,
): Promise<TelemetryHub> {
  const sinks: Sink[] = [];
  const closers: (() => Promise<string[]>)[] = [];
  if (otlp !== undefined) {
    const { loadOtel } = await import('./otel-packages.ts');
    const packages = await loadOtel();
    const { startOtlp } = await import('./otlp.ts');
    let warned = false;
    const onFailure = (message: string) => {
      if (!warned) warn(message);
      warned = true;
    };
    const exporting = startOtlp(packages, { ...otlp, version, onFailure });
    sinks.push(exporting);
    closers.push(() => exporting.close());
  }
  let url: string | undefined;
  if (prometheus !== undefined) {
    const metrics = createLiveMetrics();
    const server = metricsServer(metrics);
    const address = await listen(server, prometheus.port, prometheus.host);
    url = `${address.url}/metrics`;
    sinks.push(metrics);
    closers.push(() => stop(server));
  }
  return {
    url,
    add(event) {
      for (const sink of sinks) pass(event, sink);
    },
    close: async () => (await Promise.all(closers.map((close) => close()))).flat(),
  };
}

function pass(event: TelemetryEvent, sink: Sink): void {
  switch (event.kind) {
    case 'run':
      sink.runStarted(event.run);
      break;
    case 'window':
      sink.windowOpened(event.cell, event.counts);
      break;
    case 'batch':
      sink.samples(event.samples);
      if (event.warmups > 0) sink.warmedUp?.(event.warmups);
      if (event.utilization !== undefined) sink.utilization(event.utilization);
      break;
    case 'end':
      sink.runEnded();
      break;
    default:
      event satisfies never;
  }
}

function metricsServer(metrics: LiveMetrics): Server {
  return createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const path = url.replace(/\?.*$/s, '');
    if (path !== '/metrics') return void response.writeHead(404).end('the metrics are at /metrics\n');
    if (method !== 'GET' && method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    const { contentType, body } = await metrics.text();
    response.writeHead(200, { 'content-type': contentType }).end(method === 'HEAD' ? undefined : body);
  });
}

async function stop(server: Server): Promise<string[]> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  return [];
}
