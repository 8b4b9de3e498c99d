import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { scratch, start, streambench } from '../support/program.ts';
import { chatChunk, rawServer } from '../support/raw-server.ts';

const open: { close?(): unknown; dispose?(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await (item.close ?? item.dispose)?.();
});

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
const ANSWER = `${HEAD}${chatChunk({ content: 'a' })}${chatChunk({ content: 'b' })}data: [DONE]\n\n`;
const KEY = 'sk-canary-7f3a9b2c';

/** A service that holds its answers back until `release`. */
async function heldService() {
  const waiting: (() => void)[] = [];
  let released = false;
  const service = await rawServer((socket) => {
    const answer = () => void socket.end(ANSWER);
    if (released) answer();
    else waiting.push(answer);
  });
  open.push(service);
  const release = () => {
    released = true;
    for (const answer of waiting) answer();
  };
  return { service, release };
}

const flagsOf = (url: string, output: string) => [
  ...['run', '--target', `${url}/v1`, '--provider', 'openai', '--model', 'm', '--api-key', KEY],
  ...['-c', '2', '-n', '4', '--rounds', '1', '--warmup', '0', '-o', output],
];

test('metrics are served while the run goes on, and exported with the trace of each request', async () => {
  const folder = scratch();
  open.push(folder);
  const exported: string[] = [];
  const receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      exported.push(text);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => receiver.close() });
  const { port } = receiver.address() as AddressInfo;
  const { service, release } = await heldService();
  const output = mkdtempSync(join(folder.path, 'out'));
  const otlp = ['--otlp', `http://127.0.0.1:${port}`, '--traceparent', '--prometheus', '0'];
  const running = start([...flagsOf(service.url, output), ...otlp]);
  await running.until('/metrics');
  while (service.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  const url = /^Prometheus metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(running.stderr())?.[1] ?? '';
  const said = await (await fetch(url)).text();
  expect(said).toMatch(/^streambench_requests_in_flight\{.*target="m".*\} 2$/m);
  expect(said).toMatch(/^streambench_requests_offered_total\{.*\} 2$/m);
  expect((await fetch(new URL('/', url))).status).toBe(404);
  release();
  const { code, stdout, stderr } = await running.done;
  expect([code, stderr]).toEqual([0, expect.stringContaining(`Prometheus metrics: ${url}`)]);
  await expect(fetch(url)).rejects.toThrow();

  const headers = service.requests.map((text) => /^traceparent: (.*)$/im.exec(text)?.[1]);
  const [run = ''] = readdirSync(output);
  const records = readFileSync(join(output, run, 'records.ndjson'), 'utf8');
  const ids = [...records.matchAll(/"traceId":"(\w+)","spanId":"(\w+)"/g)];
  expect(headers.sort()).toEqual(ids.map(([, trace, span]) => `00-${trace}-${span}-01`).sort());
  expect(new Set(headers).size).toBe(4);
  const spans = exported.join('\n');
  for (const [, trace, span] of ids) {
    expect(spans).toContain(`"traceId":"${trace}"`);
    expect(spans).toContain(`"spanId":"${span}"`);
  }
  for (const text of [said, spans, stdout, stderr]) expect(text).not.toContain(KEY);
});

test('a port that is taken is reported before anything is sent', async () => {
  const folder = scratch();
  open.push(folder);
  const service = await rawServer((socket) => void socket.end(ANSWER));
  open.push(service);
  const { code, stderr } = await streambench([
    ...flagsOf(service.url, folder.path),
    ...['--prometheus', String(service.port)],
  ]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining(`port ${service.port} on 127.0.0.1 is already in use`),
  ]);
  expect(service.connections()).toBe(0);
});

test.each([
  [['--prometheus', '70000'], 'a port from 0 to 65535, or HOST:PORT'],
  [['--otlp', 'collector:4318'], '--otlp is not an http:// or https:// URL'],
  [['--otlp'], 'OTEL_EXPORTER_OTLP_ENDPOINT is not set'],
])('%s is refused', async (flags, message) => {
  const { code, stderr } = await streambench([...flagsOf('http://127.0.0.1:1', '/tmp'), ...flags]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
