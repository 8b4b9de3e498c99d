import { type Attributes, cellAttributes } from './gen-ai.ts';
import type { OtelPackages } from './otel-packages.ts';
import { otlpMetrics } from './otlp-metrics.ts';
import { otlpSpans } from './otlp-spans.ts';
import type { TelemetryRun, TelemetrySample } from './sample.ts';
import { SpanQueue } from './span-queue.ts';

/** Where and what to export. */
export interface OtlpSettings {
  /** Base URL of an OTLP/HTTP receiver. Default: the endpoint variables of the environment. */
  url?: string;
  version: string;
  /** Called for each failed export. */
  onFailure(message: string): void;
}

/** Exports a run as OTLP: histograms by the `gen_ai.client.*` conventions, and a span for each request that was sent. */
export interface OtlpExport {
  runStarted(run: TelemetryRun): void;
  windowOpened(cell: number, counts: SharedArrayBuffer): void;
  samples(samples: readonly TelemetrySample[]): void;
  utilization(threads: readonly number[]): void;
  runEnded(): void;
  /** Exports what is left. Returns a sentence for each kind of data that is missing. */
  close(): Promise<string[]>;
}

/** Longest wait for the last exports. */
const CLOSE_MS = 10_000;

/** Starts exporting. */
export function startOtlp(packages: OtelPackages, { url, version, onFailure }: OtlpSettings): OtlpExport {
  const { metricExporter, traceExporter, resources } = packages;
  const resource = resources
    .resourceFromAttributes({ 'service.name': 'streambench', 'service.version': version })
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const endpoint = (signal: string) =>
    url === undefined ? {} : { url: `${url.replace(/\/+$/, '')}/v1/${signal}` };

  const exporter = new metricExporter.OTLPMetricExporter(endpoint('metrics'));
  let metricFailure: string | undefined;
  const exportMetrics = exporter.export.bind(exporter);
  exporter.export = (data, done) =>
    exportMetrics(data, (result) => {
      metricFailure = result.error && causeOf(result.error);
      if (metricFailure !== undefined) onFailure(`OTLP metrics were not exported: ${metricFailure}`);
      done(result);
    });
  const instruments = otlpMetrics(packages, exporter, { resource, version });

  const spanExporter = new traceExporter.OTLPTraceExporter(endpoint('traces'));
  const queue = new SpanQueue(
    (batch) =>
      new Promise((resolve) => {
        spanExporter.export(batch, ({ error }) => {
          const cause = error && causeOf(error);
          if (cause !== undefined) onFailure(`OTLP spans were not exported: ${cause}`);
          resolve(cause);
        });
      }),
  );
  const addSpan = otlpSpans(packages, queue, { resource, version });

  let run: TelemetryRun | undefined;
  let attributes: Attributes[] = [];
  return {
    runStarted(started) {
      run = started;
      attributes = started.cells.map((cell) => cellAttributes(cell, started));
    },
    windowOpened: (cell, counts) => instruments.windowOpened(attributes[cell] ?? {}, counts),
    samples(samples) {
      if (run === undefined) return;
      for (const sample of samples) {
        const own = attributes[sample.cell] ?? {};
        instruments.add(sample, own);
        addSpan(sample, run, own);
      }
      queue.kick();
    },
    utilization: (threads) => instruments.utilization(threads),
    runEnded: () => instruments.runEnded(),
    async close() {
      await within(CLOSE_MS, Promise.allSettled([queue.drain(), instruments.flush()]));
      const { added, cause } = queue;
      const missing = queue.missing();
      const because = cause === undefined ? '' : `: ${cause}`;
      const warnings: string[] = [];
      if (missing > 0) warnings.push(`OTLP: ${missing} of ${added} spans were not exported${because}`);
      if (metricFailure !== undefined)
        warnings.push(`OTLP: the last metrics were not exported: ${metricFailure}`);
      return warnings;
    },
  };
}

/** The cause of a failed export in one line, without the receiver's body. */
function causeOf(error: Error & { code?: string | number }): string {
  const text = (error.message.split('\n', 1)[0] ?? '').slice(0, 200);
  const code = error.code === undefined || text.includes(String(error.code)) ? '' : ` (${error.code})`;
  return `${text === '' ? error.name : text}${code}`;
}

function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
