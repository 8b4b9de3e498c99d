/**
 * `streambench/otel`: observations as OpenTelemetry metrics and spans, by the semantic conventions for generative AI. Uses
 * the meter and the tracer that the application gives, and imports no package of OpenTelemetry.
 */

import { type Clock, monotonicClock } from '../model/clock.ts';
import {
  endpointAttributes,
  figuresOf,
  GEN_AI_METRICS,
  type GenAiMetric,
  type RecordedObservation,
  spanEvents,
  spanNameOf,
} from './gen-ai.ts';

export type { Endpoint } from '../model/endpoint.ts';
export type { RecordedObservation } from './gen-ai.ts';

/** Attributes of a metric or a span. */
export type OtelAttributes = Record<string, string | number | boolean | string[]>;

/** What is used of a `Meter` of `@opentelemetry/api`. */
export interface OtelMeter {
  createHistogram(
    name: string,
    options: { unit: string; description: string; advice: { explicitBucketBoundaries: number[] } },
  ): { record(value: number, attributes: OtelAttributes): void };
}

/** What is used of a `Tracer` of `@opentelemetry/api`. */
export interface OtelTracer {
  startSpan(name: string, options: { kind: number; startTime: number; attributes: OtelAttributes }): OtelSpan;
}

/** What is used of a `Span` of `@opentelemetry/api`. */
export interface OtelSpan {
  addEvent(name: string, time: number): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(time: number): void;
}

/** What an application gives. */
export interface OtelRecorderOptions {
  /** Such as `metrics.getMeter('my-service')`. Default: no metrics. */
  meter?: OtelMeter;
  /** Such as `trace.getTracer('my-service')`. Default: no spans. */
  tracer?: OtelTracer;
  /** Record the time of every chunk. The SDK takes one to three microseconds for each. Default: true. */
  chunks?: boolean;
  /** Default: the machine's. */
  clock?: Clock;
}

// Of the enums SpanKind and SpanStatusCode.
const CLIENT = 2;
const ERROR = 2;

/**
 * A function that records observations: `measuredFetch({ onObservation: otelRecorder({ meter }) })`. The metrics are
 * `gen_ai.client.operation.duration`, `.time_to_first_chunk`, `.time_per_output_chunk` and `gen_ai.client.token.usage`. A span
 * has the marks of the request as its events; it is a child of the span that was active when the request was made. Failed
 * requests have `error.type`, the outcome, and only a duration. Neither prompts nor answers are recorded.
 *
 * Call it right after the request has ended: the end of the span is the time of the call.
 */
export function otelRecorder({
  meter,
  tracer,
  chunks = true,
  clock = monotonicClock,
}: OtelRecorderOptions): (observation: RecordedObservation) => void {
  const addMetrics = meter && metricsOf(meter, chunks);
  return (observation) => {
    addMetrics?.(observation);
    if (tracer !== undefined) addSpan(tracer, observation, clock);
  };
}

function metricsOf(meter: OtelMeter, withChunks: boolean): (observation: RecordedObservation) => void {
  const histogram = ({ name, unit, description, buckets }: GenAiMetric) =>
    meter.createHistogram(name, {
      unit,
      description,
      advice: { explicitBucketBoundaries: [...buckets] },
    });
  const duration = histogram(GEN_AI_METRICS.duration);
  const firstChunk = histogram(GEN_AI_METRICS.firstChunk);
  const chunk = histogram(GEN_AI_METRICS.chunk);
  const usage = histogram(GEN_AI_METRICS.tokens);
  return (observation) => {
    const figures = figuresOf(observation);
    if (figures === undefined) return;
    const attributes = endpointAttributes(observation.endpoint);
    const { durationS, errorType, firstChunkS, gapsMs, tokens } = figures;
    duration.record(
      durationS,
      errorType === undefined ? attributes : { ...attributes, 'error.type': errorType },
    );
    if (firstChunkS !== undefined) firstChunk.record(firstChunkS, attributes);
    if (withChunks) for (const ms of gapsMs) chunk.record(ms / 1000, attributes);
    for (const type of ['input', 'output'] as const) {
      const count = tokens[type];
      if (count !== undefined) usage.record(count, { ...attributes, 'gen_ai.token.type': type });
    }
  };
}

function addSpan(tracer: OtelTracer, observation: RecordedObservation, clock: Clock): void {
  const { endpoint, marks, outcome, status, finish, tokens } = observation;
  const figures = figuresOf(observation);
  if (figures === undefined) return;
  const attributes: OtelAttributes = endpointAttributes(endpoint);
  const add = (name: string, value: OtelAttributes[string] | undefined) => {
    if (value !== undefined) attributes[name] = value;
  };
  add('error.type', figures.errorType);
  add('http.response.status_code', status);
  add('gen_ai.response.finish_reasons', finish && [finish.reason]);
  add('gen_ai.usage.input_tokens', tokens.input);
  add('gen_ai.usage.output_tokens', figures.tokens.output);
  add('gen_ai.response.time_to_first_chunk', figures.firstChunkS);
  add('gen_ai.request.stream', observation.mode === 'streaming');
  add('streambench.stamp', observation.stamp);
  add('streambench.content_events', observation.contentEvents);
  const endMs = clock.wallTime().getTime();
  const at = (ms: number) => endMs - (marks.end ?? marks.started) + ms;
  const span = tracer.startSpan(spanNameOf(endpoint), {
    kind: CLIENT,
    startTime: at(marks.started),
    attributes,
  });
  for (const [name, ms] of spanEvents(observation)) span.addEvent(name, at(ms));
  if (outcome.kind !== 'ok') span.setStatus({ code: ERROR, message: outcome.message });
  span.end(endMs);
}
