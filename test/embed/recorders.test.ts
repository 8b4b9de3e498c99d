import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import * as promClient from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import type { RecordedObservation } from '../../src/embed/gen-ai.ts';
import { otelRecorder } from '../../src/embed/otel.ts';
import { prometheusRecorder } from '../../src/embed/prometheus.ts';
import type { Clock } from '../../src/model/clock.ts';

const observed = (more: Partial<RecordedObservation> = {}): RecordedObservation => ({
  mode: 'streaming',
  stamp: 'reader',
  outcome: { kind: 'ok' },
  marks: {
    scheduled: 0,
    started: 0,
    sent: 0,
    headers: 90,
    firstByte: 95,
    firstEvent: 100,
    firstToken: 110,
    lastToken: 190,
    end: 200,
  },
  status: 200,
  reads: 4,
  events: 5,
  comments: 0,
  contentEvents: 3,
  coalesced: 0,
  bytes: 500,
  chars: { answer: 10, thinking: 0 },
  gaps: [30, 50],
  tokens: { output: 5, source: 'usage', input: 20 },
  finish: { reason: 'stop' },
  endpoint: { provider: 'gemini', dialect: 'gemini', model: 'g', host: 'example.com', port: 443 },
  ...more,
});
const failed = observed({
  outcome: { kind: 'truncated', message: 'the body ended' },
  tokens: { output: 3, source: 'chunks' },
});
const noModel = observed({
  endpoint: { provider: 'openai', dialect: 'raw', host: 'example.com', port: 443 },
});

const ATTRIBUTES = {
  'gen_ai.operation.name': 'generate_content',
  'gen_ai.provider.name': 'gcp.gemini',
  'gen_ai.request.model': 'g',
  'server.address': 'example.com',
  'server.port': 443,
};

describe('otelRecorder', () => {
  test('records the four metrics with the names and buckets of the conventions', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const record = otelRecorder({ meter: provider.getMeter('test') });
    for (const one of [observed(), failed, noModel]) record(one);
    await reader.forceFlush();
    const metrics = exporter.getMetrics()[0]!.scopeMetrics[0]!.metrics;
    const figures = Object.fromEntries(
      metrics.map(({ descriptor, dataPoints }) => [
        `${descriptor.name} ${descriptor.unit}`,
        dataPoints.map(({ attributes, value }) => {
          const { count, sum, buckets } = value as {
            count: number;
            sum: number;
            buckets: { boundaries: number[] };
          };
          return { attributes, count, sum, least: buckets.boundaries[0] };
        }),
      ]),
    );
    expect(figures).toEqual({
      'gen_ai.client.operation.duration s': [
        { attributes: ATTRIBUTES, count: 1, sum: 0.2, least: 0.01 },
        { attributes: { ...ATTRIBUTES, 'error.type': 'truncated' }, count: 1, sum: 0.2, least: 0.01 },
      ],
      'gen_ai.client.operation.time_to_first_chunk s': [
        { attributes: ATTRIBUTES, count: 1, sum: 0.1, least: 0.01 },
      ],
      'gen_ai.client.operation.time_per_output_chunk s': [
        { attributes: ATTRIBUTES, count: 2, sum: 0.08, least: 0.001 },
      ],
      'gen_ai.client.token.usage {token}': [
        { attributes: { ...ATTRIBUTES, 'gen_ai.token.type': 'input' }, count: 1, sum: 20, least: 1 },
        { attributes: { ...ATTRIBUTES, 'gen_ai.token.type': 'output' }, count: 1, sum: 5, least: 1 },
      ],
    });
    await provider.shutdown();
  });

  test('makes a span of each request, with its marks as events', () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const endMs = Date.UTC(2026, 0, 1);
    const clock: Clock = { now: () => 0, wallTime: () => new Date(endMs) };
    const record = otelRecorder({ tracer: provider.getTracer('test'), clock });
    for (const one of [observed(), failed, noModel]) record(one);
    const [span, broken, ...others] = exporter.getFinishedSpans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'generate_content g',
      kind: 2,
      startTime: [(endMs - 200) / 1000, 0].map((part, i) => (i === 0 ? Math.floor(part) : 800_000_000)),
      endTime: [endMs / 1000, 0],
      attributes: {
        ...ATTRIBUTES,
        'gen_ai.usage.output_tokens': 5,
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.response.time_to_first_chunk': 0.1,
      },
    });
    expect(span!.events.map(({ name }) => name)).toEqual([
      'sent',
      'headers',
      'first_byte',
      'first_event',
      'first_token',
      'last_token',
      'end',
    ]);
    expect(broken).toMatchObject({
      status: { code: 2, message: 'the body ended' },
      attributes: { 'error.type': 'truncated' },
    });
  });
});

describe('prometheusRecorder', () => {
  const register = new promClient.Registry();
  afterEach(() => register.clear());

  test('records the same under the names that Prometheus has of them', async () => {
    const record = prometheusRecorder(promClient, { registers: [register] });
    for (const one of [observed(), failed, noModel]) record(one);
    const text = await register.metrics();
    const labels =
      'gen_ai_operation_name="generate_content",gen_ai_provider_name="gcp.gemini",gen_ai_request_model="g",server_address="example.com",server_port="443"';
    const line = (name: string, more: string, value: number) =>
      expect(text).toContain(`${name}{${labels}${more}} ${value}\n`);
    line('gen_ai_client_operation_duration_seconds_sum', ',error_type=""', 0.2);
    line('gen_ai_client_operation_duration_seconds_count', ',error_type="truncated"', 1);
    line('gen_ai_client_operation_time_to_first_chunk_seconds_sum', '', 0.1);
    line('gen_ai_client_operation_time_per_output_chunk_seconds_count', '', 2);
    line('gen_ai_client_token_usage_sum', ',gen_ai_token_type="input"', 20);
    line('gen_ai_client_token_usage_sum', ',gen_ai_token_type="output"', 5);
  });

  test('uses the registry of prom-client by default', async () => {
    prometheusRecorder(promClient)(observed());
    expect(await promClient.register.metrics()).toContain('gen_ai_client_operation_duration_seconds_count');
    promClient.register.clear();
  });
});
