import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { StreamClient } from '../../src/client/client.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { TOOLS } from '../../src/service/index.ts';
import { closedAfterEach, decode, messagesOf, startService, startStack, textOf } from './support.ts';

const BUILT = resolve(import.meta.dirname, '../../dist/service/index.js');

const open = closedAfterEach();

const say = (text: string): StreamEvent => ({ type: 'message_chunk', text });

/** A service whose model is this function. */
async function withModel(stream: () => AsyncIterable<StreamEvent>) {
  const client = {
    stream,
    complete: async () => {
      const events: StreamEvent[] = [];
      for await (const event of stream()) events.push(event);
      return { events, observation: { outcome: { kind: 'ok' } } };
    },
    close() {},
  } as unknown as StreamClient;
  const log: string[] = [];
  const service = await startService([{ name: 'fake', model: 'm', client }], {
    log: { level: 'warn', write: (line) => log.push(line) },
  });
  open.push(service);
  return { service, log };
}

describe('a fault fails only its own request', () => {
  test('a client that throws at once, in every mode', async () => {
    const { service } = await withModel(() => {
      throw new Error('boom');
    });
    for (const body of [{}, { mode: 'legacy' }, { stream: false }]) {
      const response = await service.post('/chat/stream', { message: 'x', ...body });
      expect(response.status).toBe(500);
      expect(await response.json()).toEqual({
        error: { code: 'internal_error', message: 'the service failed' },
      });
    }
    expect((await fetch(`${service.url}/api/v1/health/stream`)).status).toBe(200);
    expect(await (await fetch(`${service.url}/api/v1/health/stream`)).json()).toMatchObject({
      active_streams: 0,
    });
  });

  test('a client that throws before its first event: a status, and a partial message', async () => {
    const { service, log } = await withModel(async function* () {
      yield* [];
      throw new Error('boom');
    });
    const response = await service.post('/chat/stream', { message: 'x', session_id: 's' });
    expect(response.status).toBe(500);
    expect((await messagesOf(service, 's'))[1]).toMatchObject({ partial: true, reason: 'internal_error' });
    expect(log.join('')).toContain('boom');
  });

  test('a client that throws in mid-stream: an error event, and the text so far is stored', async () => {
    const { service, log } = await withModel(async function* () {
      yield say('Hel');
      throw new Error('boom');
    });
    const response = await service.post('/chat/stream', { message: 'x', session_id: 's' });
    const { events } = decode('conversation', await response.text());
    expect(textOf(events)).toBe('Hel');
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      code: 'internal_error',
      message: 'the service failed',
    });
    expect((await messagesOf(service, 's'))[1]).toMatchObject({ content: 'Hel', reason: 'internal_error' });
    expect(log.join('')).toContain('boom');
    expect(await (await service.get('/metrics')).text()).toContain('status="internal_error"} 1');
  });

  test('a client that yields an event that cannot be encoded', async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const { service } = await withModel(async function* () {
      yield say('Hel');
      yield { type: 'tool_result', id: 't', result: loop };
    });
    for (const path of ['/chat/stream', '/api/v1/agents/a/chat/lumosai/stream']) {
      const text = await (await service.post(path, { message: 'x' })).text();
      expect(text).toContain('Hel');
    }
  });

  test('a tool that throws, and one whose result cannot be written as JSON', async () => {
    const tool = (name: string, run: () => unknown) => ({ ...TOOLS[0]!, name, run, plan: () => ({}) });
    const stack = await startStack({
      tools: [
        tool('throws', () => {
          throw new Error('no');
        }),
        tool('big', () => 10n),
      ],
    });
    open.push(stack);
    const response = await stack.post('/api/v1/agents/a/chat/lumosai/stream', { message: 'x' });
    const { events } = decode('agent', await response.text());
    expect(events.filter(({ type }) => type === 'tool_result')).toMatchObject([
      { result: { error: 'no' } },
      { result: { error: expect.stringContaining('cannot be written as JSON') } },
    ]);
    expect(events.at(-1)?.type).toBe('complete');
  });
});

test('an uncaught fault is logged, and other streams continue', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    `import { createService, createToken, surviveFaults } from ${JSON.stringify(BUILT)};
     const lines = [];
     const say = (text) => ({ type: 'message_chunk', text });
     let wake;
     const client = {
       stream: () => (async function* () {
         yield say('one ');
         await new Promise((resolve) => (wake = resolve));
         yield say('two');
         yield { type: 'complete', finish: 'stop' };
       })(),
       close() {},
     };
     const secret = 'a secret that is long enough for HS256';
     const log = { level: 'error', write: (line) => lines.push(JSON.parse(line)) };
     const service = createService({ secret, upstreams: [{ name: 'fake', client }], log });
     const { url } = await service.listen();
     surviveFaults(service.reportFault);
     const headers = { authorization: 'Bearer ' + (await createToken(secret)) };
     const body = '{"message":"x"}';
     const response = await fetch(url + '/chat/stream', { method: 'POST', headers, body });
     setImmediate(() => { throw new Error('thrown with ' + secret); });
     Promise.reject(new Error('rejected'));
     Promise.reject(undefined);
     await new Promise((resolve) => setTimeout(resolve, 100));
     wake();
     const text = await response.text();
     const metrics = await (await fetch(url + '/metrics?name[]=streambench_service_faults_total')).text();
     console.log(JSON.stringify({ text, lines, metrics }));
     await service.close();`,
  ]);
  const { text, lines, metrics } = JSON.parse(stdout) as { text: string; lines: object[]; metrics: string };
  expect(textOf(decode('conversation', text).events)).toBe('one two');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ msg: 'uncaught fault' });
  expect(JSON.stringify(lines)).toContain('thrown with [jwt secret]');
  expect(JSON.stringify(lines)).toContain('rejected');
  expect(metrics).toMatch(/^streambench_service_faults_total 3$/m);
});
