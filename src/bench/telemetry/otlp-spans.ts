import { spanEvents } from '../../embed/gen-ai.ts';
import { type Attributes, spanAttributes, spanName } from './gen-ai.ts';
import type { OtelPackages } from './otel-packages.ts';
import type { TelemetryRun, TelemetrySample } from './sample.ts';
import type { SpanQueue } from './span-queue.ts';

/** Adds the span of a request; `attributes` are those of its cell. */
export type AddSpan = (sample: TelemetrySample, run: TelemetryRun, attributes: Attributes) => void;

/** Creates spans with the times that were measured, and passes them to the queue. */
export function otlpSpans(
  { api, trace }: Pick<OtelPackages, 'api' | 'trace'>,
  queue: SpanQueue,
  {
    resource,
    version,
  }: { resource: ReturnType<OtelPackages['resources']['emptyResource']>; version: string },
): AddSpan {
  const random = new trace.RandomIdGenerator();
  let ids: TelemetrySample['trace'];
  const provider = new trace.BasicTracerProvider({
    resource,
    sampler: new trace.AlwaysOnSampler(),
    // A request that carried a traceparent header has the ids of that header.
    idGenerator: {
      generateTraceId: () => ids?.traceId ?? random.generateTraceId(),
      generateSpanId: () => ids?.spanId ?? random.generateSpanId(),
    },
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('streambench', version);
  return (sample, run, attributes) => {
    const cell = run.cells[sample.cell];
    const { marks, outcome, message } = sample;
    // A dropped request was not sent.
    if (cell === undefined || outcome === 'dropped') return;
    const at = (ms: number) => run.originMs + ms;
    ids = sample.trace;
    const span = tracer.startSpan(
      spanName(cell),
      {
        kind: api.SpanKind.CLIENT,
        startTime: at(marks.started),
        attributes: { ...attributes, ...spanAttributes(sample, run) },
      },
      api.ROOT_CONTEXT,
    );
    ids = undefined;
    for (const [name, ms] of spanEvents(sample)) span.addEvent(name, at(ms));
    if (outcome !== 'ok') span.setStatus({ code: api.SpanStatusCode.ERROR, message });
    span.end(at(marks.end ?? marks.started));
  };
}
