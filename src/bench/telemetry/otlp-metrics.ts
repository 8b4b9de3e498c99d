import { GEN_AI_METRICS, type GenAiMetric } from '../../embed/gen-ai.ts';
import { blockCounts } from '../../engine/counts.ts';
import type { Attributes } from './gen-ai.ts';
import type { OtelPackages } from './otel-packages.ts';
import { ChunkProducer } from './otlp-chunks.ts';
import type { TelemetrySample } from './sample.ts';

/** The instruments of a run. `attributes`: those of a cell. */
export interface OtlpMetrics {
  add(sample: TelemetrySample, attributes: Attributes): void;
  windowOpened(attributes: Attributes, counts: SharedArrayBuffer): void;
  utilization(threads: readonly number[]): void;
  runEnded(): void;
  /** Exports the current values. */
  flush(): Promise<void>;
}

const EVERY_MS = 10_000;

/** Creates the instruments and exports them every 10 s. */
export function otlpMetrics(
  packages: OtelPackages,
  exporter: InstanceType<OtelPackages['metricExporter']['OTLPMetricExporter']>,
  {
    resource,
    version,
  }: { resource: ReturnType<OtelPackages['resources']['emptyResource']>; version: string },
): OtlpMetrics {
  const { AggregationTemporality, InstrumentType, MeterProvider, PeriodicExportingMetricReader } =
    packages.metrics;
  const temporality = exporter.selectAggregationTemporality(InstrumentType.HISTOGRAM);
  const chunks = new ChunkProducer({
    packages,
    version,
    isDelta: temporality === AggregationTemporality.DELTA,
  });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    metricProducers: [chunks],
    exportIntervalMillis: EVERY_MS,
    exportTimeoutMillis: EVERY_MS,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('streambench', version);
  const histogram = ({ name, unit, description, buckets }: GenAiMetric) =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
  const duration = histogram(GEN_AI_METRICS.duration);
  const firstChunk = histogram(GEN_AI_METRICS.firstChunk);
  const usage = histogram(GEN_AI_METRICS.tokens);
  const firstToken = histogram({
    ...GEN_AI_METRICS.firstChunk,
    name: 'streambench.time_to_first_token',
    description: 'Time to the first content: answer text, reasoning or a tool call.',
  });
  const requests = meter.createCounter('streambench.requests', {
    unit: '{request}',
    description: 'Measured requests that have ended, by outcome.',
  });
  let open: { attributes: Attributes; inFlight(): number } | undefined;
  let busy: readonly number[] = [];
  meter
    .createObservableGauge('streambench.requests.in_flight', { unit: '{request}' })
    .addCallback((result) => {
      if (open !== undefined) result.observe(open.inFlight(), open.attributes);
    });
  meter.createObservableGauge('streambench.client.utilization', { unit: '1' }).addCallback((result) => {
    for (const [thread, value] of busy.entries()) result.observe(value, { 'streambench.thread': thread });
  });
  return {
    add(sample, attributes) {
      const { outcome, marks, ttfeMs, ttftMs, gaps, inputTokens, outputTokens } = sample;
      requests.add(1, { ...attributes, 'streambench.outcome': outcome });
      // It was not sent.
      if (outcome === 'dropped') return;
      const tookMs = (marks.end ?? marks.started) - marks.started;
      duration.record(
        tookMs / 1000,
        outcome === 'ok' ? attributes : { ...attributes, 'error.type': outcome },
      );
      if (outcome !== 'ok') return;
      if (ttfeMs !== null) firstChunk.record(ttfeMs / 1000, attributes);
      if (ttftMs !== null) firstToken.record(ttftMs / 1000, attributes);
      chunks.add(attributes, gaps);
      const tokens = { input: inputTokens, output: outputTokens };
      for (const [type, count] of Object.entries(tokens)) {
        if (count !== undefined) usage.record(count, { ...attributes, 'gen_ai.token.type': type });
      }
    },
    windowOpened(attributes, counts) {
      open = { attributes, inFlight: blockCounts(counts).inFlight };
    },
    utilization(threads) {
      busy = threads;
    },
    runEnded() {
      open = undefined;
      busy = [];
    },
    flush: () => reader.forceFlush(),
  };
}
