import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openHub } from '../../../src/bench/telemetry/hub.ts';
import { loadOtel } from '../../../src/bench/telemetry/otel-packages.ts';
import { UserError } from '../../../src/model/errors.ts';
import { RUN, sample } from './runs.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

/** A receiver of OTLP/HTTP in JSON that shares no code with the SDK. */
async function receiver(status = 200) {
  const received: { path: string; body: never }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', body: JSON.parse(text) as never });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  type Spans = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
  type Metrics = { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] };
  return {
    url: `http://127.0.0.1:${port}`,
    text: () => JSON.stringify(received),
    spans: () =>
      received
        .filter(({ path }) => path === '/v1/traces')
        .flatMap(({ body }) => (body as Spans).resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    metrics: () =>
      new Map(
        received
          .filter(({ path }) => path === '/v1/metrics')
          .flatMap(({ body }) => (body as Metrics).resourceMetrics)
          .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
          .map((metric) => [metric.name, metric]),
      ),
  };
}

interface Span {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  events: { name: string; timeUnixNano: string }[];
  status: { code: number; message?: string };
}

interface Metric {
  name: string;
  unit: string;
  histogram?: {
    dataPoints: {
      attributes: Attribute[];
      count: number;
      sum: number;
      explicitBounds: number[];
      bucketCounts: number[];
    }[];
  };
  sum?: { dataPoints: { attributes: Attribute[]; asDouble?: number; asInt?: number }[] };
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

test('a request is a span with the times that were measured', async () => {
  const { url, spans } = await receiver();
  const hub = await openHub({ version: '1', otlp: { url: `${url}/` } }, () => {});
  hub.add({ kind: 'run', run: RUN });
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  hub.add({
    kind: 'batch',
    warmups: 0,
    samples: [
      sample({ trace }),
      sample({ outcome: 'http_error', status: 503, message: 'HTTP 503', ttftMs: null }),
      // It was not sent.
      sample({ cell: 1, outcome: 'dropped' }),
    ],
  });
  expect(await hub.close()).toEqual([]);
  const [good, failed, ...others] = spans();
  expect(others).toEqual([]);
  expect(good).toMatchObject({ ...trace, name: 'generate_content m1', kind: 3 });
  const nanos = (ms: number) => `${1_700_000_000_000 + ms}000000`;
  expect([good?.startTimeUnixNano, good?.endTimeUnixNano]).toEqual([nanos(1), nanos(1002)]);
  expect(good?.events.map(({ name, timeUnixNano }) => [name, timeUnixNano])).toEqual([
    ['sent', nanos(2)],
    ['headers', nanos(152)],
    ['first_byte', nanos(182)],
    ['first_event', nanos(182)],
    ['first_token', nanos(202)],
    ['last_token', nanos(252)],
    ['end', nanos(1002)],
  ]);
  expect(valuesOf(good?.attributes ?? [])).toMatchObject({
    'gen_ai.operation.name': 'generate_content',
    'gen_ai.provider.name': 'gcp.gemini',
    'gen_ai.request.model': 'm1',
    'gen_ai.usage.output_tokens': 3,
    'gen_ai.response.time_to_first_chunk': 0.18,
    'server.address': 'api.test',
    'streambench.outcome': 'ok',
  });
  expect(failed?.status).toEqual({ code: 2, message: 'HTTP 503' });
  expect(valuesOf(failed?.attributes ?? [])).toMatchObject({
    'error.type': 'http_error',
    'http.response.status_code': 503,
  });
  expect(failed?.traceId).not.toBe(trace.traceId);
});

test('the histograms have the names, units and buckets of the conventions', async () => {
  const { url, metrics } = await receiver();
  const hub = await openHub({ version: '1', otlp: { url } }, () => {});
  hub.add({ kind: 'run', run: RUN });
  hub.add({
    kind: 'batch',
    warmups: 0,
    samples: [sample(), sample({ outcome: 'timeout' }), sample({ cell: 1, outcome: 'dropped' })],
  });
  await hub.close();
  const found = metrics();
  const points = (name: string) =>
    found.get(name)?.histogram?.dataPoints.map(({ attributes, count, sum }) => {
      const { 'error.type': error, 'gen_ai.token.type': type } = valuesOf(attributes);
      return [error ?? type, count, Number(sum.toFixed(6))];
    });
  expect(points('gen_ai.client.operation.duration')).toEqual([
    [undefined, 1, 1.001],
    ['timeout', 1, 1.001],
  ]);
  expect(points('gen_ai.client.operation.time_to_first_chunk')).toEqual([[undefined, 1, 0.18]]);
  expect(points('gen_ai.client.operation.time_per_output_chunk')).toEqual([[undefined, 2, 0.05]]);
  expect(points('gen_ai.client.token.usage')).toEqual([
    ['input', 1, 10],
    ['output', 1, 3],
  ]);
  const duration = found.get('gen_ai.client.operation.duration');
  expect(duration?.unit).toBe('s');
  expect(duration?.histogram?.dataPoints[0]?.explicitBounds).toEqual([
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
  ]);
  const outcomes = found.get('streambench.requests')?.sum?.dataPoints;
  expect(outcomes?.map(({ attributes }) => valuesOf(attributes)['streambench.outcome'])).toEqual([
    'ok',
    'timeout',
    'dropped',
  ]);
});

test('the time per chunk has exact buckets, over several batches and cells', async () => {
  const { url, metrics } = await receiver();
  const hub = await openHub({ version: '1', otlp: { url } }, () => {});
  hub.add({ kind: 'run', run: RUN });
  const gaps = Array.from({ length: 500 }, () => 20);
  for (let i = 0; i < 4; i++) {
    hub.add({
      kind: 'batch',
      warmups: 0,
      samples: [sample({ gaps }), sample({ cell: 1, gaps: [1, 81_921] })],
    });
  }
  await hub.close();
  const points = metrics().get('gen_ai.client.operation.time_per_output_chunk')?.histogram?.dataPoints;
  expect(points?.map(({ attributes, count }) => [valuesOf(attributes)['streambench.target'], count])).toEqual(
    [
      ['a', 2000],
      ['b', 8],
    ],
  );
  // A bound belongs to the bucket below it; the last bucket has none.
  expect(points?.[0]?.bucketCounts).toEqual([0, 0, 0, 0, 2000, ...Array.from({ length: 13 }, () => 0)]);
  expect(points?.[1]?.bucketCounts).toEqual([4, ...Array.from({ length: 16 }, () => 0), 4]);
});

test('what a receiver refuses is reported once, and counted at the end', async () => {
  const { url } = await receiver(400);
  const warnings: string[] = [];
  const hub = await openHub({ version: '1', otlp: { url } }, (message) => warnings.push(message));
  hub.add({ kind: 'run', run: RUN });
  hub.add({ kind: 'batch', warmups: 0, samples: [sample(), sample()] });
  const missing = await hub.close();
  expect(warnings).toHaveLength(1);
  expect(missing).toEqual([
    expect.stringMatching(/^OTLP: 2 of 2 spans were not exported: .*400/),
    expect.stringMatching(/^OTLP: the last metrics were not exported: .*400/),
  ]);
});

test('packages that are not installed are named, with the command that installs them', async () => {
  const load = async (name: string) => {
    if (name.includes('trace')) throw new Error(`Cannot find package '${name}'`);
    return {};
  };
  const error = await loadOtel(load).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toBe(
    '--otlp needs the OpenTelemetry SDK; these packages cannot be loaded: @opentelemetry/sdk-trace-base, @opentelemetry/exporter-trace-otlp-http\n' +
      '  install them next to streambench: npm install @opentelemetry/api @opentelemetry/sdk-metrics @opentelemetry/sdk-trace-base @opentelemetry/exporter-metrics-otlp-http @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources',
  );
});
