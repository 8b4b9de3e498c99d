import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseReading, serverReader } from '../../../src/bench/server-metrics/server-reading.ts';
import { unreadable, watchServers } from '../../../src/bench/server-metrics/server-watch.ts';
import { serverReport } from '../../../src/metrics/load-report.ts';

const TEXT = `# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 104857600
process_cpu_seconds_total{pod="a"} 1.5e1
process_open_fds 42 1700000000000
other_process_open_fds 1
`;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function metrics(answer: (count: number, url: string) => { status?: number; text: string }) {
  let count = 0;
  const server = createServer((req, res) => {
    const { status = 200, text } = answer(count++, req.url ?? '');
    res.writeHead(status).end(text);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

test('reads what most servers say of their process', () => {
  expect(parseReading(TEXT)).toEqual({ memoryBytes: 104857600, cpuSeconds: 15, openFiles: 42 });
  expect(parseReading('process_open_fds 3\n')).toEqual({ memoryBytes: null, cpuSeconds: null, openFiles: 3 });
  expect(parseReading('process_resident_memory_bytes NaN\n')).toBeNull();
  expect(parseReading('<html>')).toBeNull();
});

test('the first reading is of all metrics, the next ones of the names that are needed; a query is kept', async () => {
  const urls: string[] = [];
  const url = await metrics((_, asked) => {
    urls.push(decodeURIComponent(asked));
    return { text: TEXT };
  });
  const reader = serverReader(`${url}?a=b`);
  for (let i = 0; i < 3; i++) expect(await reader.read()).toMatchObject({ reading: { openFiles: 42 } });
  const names =
    'name[]=process_resident_memory_bytes&name[]=process_cpu_seconds_total&name[]=process_open_fds';
  expect(urls).toEqual(['/metrics?a=b', `/metrics?a=b&${names}`, `/metrics?a=b&${names}`]);
});

test('a server that answers a selection with fewer metrics is asked for all of them', async () => {
  const urls: string[] = [];
  // As prometheus_client does in its multi-process mode.
  const url = await metrics((_, asked) => {
    urls.push(asked.replace(/name.*/, 'name'));
    return { text: asked.includes('name') ? '' : 'sglang:num_queue_reqs 3\n' };
  });
  const reader = serverReader(url);
  for (let i = 0; i < 3; i++) {
    expect(await reader.read()).toMatchObject({ reading: { serving: { engine: 'SGLang', queue: 3 } } });
  }
  expect(urls).toEqual(['/metrics', '/metrics?name', '/metrics', '/metrics']);
});

test('a refusal, something else and nobody there are no reading, never an error', async () => {
  const url = await metrics((count) => (count === 0 ? { status: 401, text: TEXT } : { text: 'x' }));
  const reader = serverReader(url);
  expect(await reader.read()).toEqual({ reading: null, failure: 'HTTP 401' });
  expect(await reader.read()).toEqual({ reading: null, failure: 'no known metric' });
  expect(await serverReader('http://127.0.0.1:1/metrics').read()).toEqual({
    reading: null,
    failure: 'ECONNREFUSED',
  });
});

test('a block has what was read at its beginning and at its end, and the run what was before it', async () => {
  const url = await metrics((count) => ({
    text: `process_resident_memory_bytes ${(count + 1) * 1e6}\nprocess_open_fds ${10 - count}\n`,
  }));
  const watch = await watchServers(new Map([['gateway', url]]));
  const blank = { requests: 1, warmup: 0 };
  watch.begin({ round: 0, cell: 3, ...blank }, 'gateway');
  watch.rest();
  watch.begin({ round: 0, cell: 4, ...blank }, 'direct');
  watch.rest();
  watch.begin({ round: 1, cell: 3, ...blank }, 'gateway');
  watch.rest();
  const loads = await watch.loads();
  expect(watch.idle).toEqual([
    { target: 'gateway', reading: { memoryBytes: 1e6, cpuSeconds: null, openFiles: 10 } },
  ]);
  expect(loads.map(({ round, cell, readings, failed }) => [round, cell, readings, failed])).toEqual([
    [0, 3, 2, 0],
    [1, 3, 2, 0],
  ]);
  expect(Math.max(...loads.map(({ memoryBytes }) => memoryBytes!))).toBe(5e6);
  const report = serverReport(watch.idle[0]!.reading, loads, { concurrency: 4 });
  expect(report).toMatchObject({
    memoryBytes: { before: 1e6, max: 5e6 },
    memoryPerStreamBytes: 1e6,
    openFiles: { before: 10, max: 10 },
    cpuCores: null,
    readings: 4,
    failed: 0,
  });
  await watch.close();
});

test('what cannot be read is said, and is no zero', async () => {
  const watch = await watchServers(new Map([['gateway', 'http://127.0.0.1:1/metrics']]));
  watch.begin({ round: 0, cell: 0, requests: 1, warmup: 0 }, 'gateway');
  watch.rest();
  expect(unreadable(watch.idle)).toEqual(['the metrics of target "gateway" cannot be read: ECONNREFUSED']);
  const report = serverReport(watch.idle[0]!.reading, await watch.loads(), { concurrency: 1 });
  expect(report).toMatchObject({ memoryBytes: null, memoryPerStreamBytes: null, readings: 0, failed: 2 });
  await watch.close();
});

test('a server with unknown names is told the known ones', () => {
  const known = 'known inference servers: vLLM (vllm:num_requests_waiting), SGLang (sglang:num_queue_reqs)';
  const nothing = { target: 'a', reading: null, failure: 'no known metric' };
  expect(unreadable([nothing])).toEqual([expect.stringContaining(known)]);
  const process = { target: 'b', reading: { memoryBytes: 1, cpuSeconds: null, openFiles: null } };
  expect(unreadable([process])).toEqual([expect.stringMatching(/"b" has process metrics only.*vLLM/)]);
  // The reference service is no inference server.
  expect(unreadable([process], ['b'])).toEqual([]);
});
