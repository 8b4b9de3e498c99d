import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ServiceOptions } from '../../src/service/index.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { clientOf, closedAfterEach, decode, messagesOf, startService } from './support.ts';

const open = closedAfterEach();

/** A service in front of a model that answers every request with these bytes. */
async function inFrontOf(answer: string | ((socket: Socket) => void), options: Partial<ServiceOptions> = {}) {
  const server = await rawServer((socket) => {
    if (typeof answer === 'string') socket.end(answer);
    else answer(socket);
  });
  open.push(server);
  const service = await startService(
    [{ name: 'raw', model: 'm', client: clientOf(`${server.url}/v1`) }],
    options,
  );
  open.push(service);
  return service;
}

const failed = (status: string, headers: readonly string[] = [], body = '{"error":{"message":"no"}}') => {
  const own = ['content-type: application/json', `content-length: ${body.length}`];
  return `${[`HTTP/1.1 ${status}`, ...headers, ...own].join('\r\n')}\r\n\r\n${body}`;
};

/** The ways in which an answer can be asked for. */
const WAYS: [name: string, path: string, body: object][] = [
  ['streamed', '/chat/stream', {}],
  ['streamed to the playground', '/api/projects/p/playground/chat/stream/', {}],
  ['streamed by an agent', '/api/v1/agents/a/chat/lumosai/stream', {}],
  ['generated, then streamed', '/chat/stream', { mode: 'legacy' }],
  ['whole', '/chat', {}],
  ['whole, from an agent', '/api/v1/agents/a/chat/lumosai', {}],
];

describe.each(WAYS)('before the first byte of an answer that is %s', (_name, path, more) => {
  const ask = async (answer: string) => {
    const service = await inFrontOf(answer);
    const response = await service.post(path, { message: 'Hello', ...more });
    return { response, body: (await response.json()) as { error: { code: string; message: string } } };
  };

  test('429 stays 429, with its retry-after header', async () => {
    const { response, body } = await ask(failed('429 Too Many Requests', ['retry-after: 17']));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '17']);
    expect(body.error).toEqual({ code: 'upstream_error', message: 'the model failed: HTTP 429: no' });
  });

  test('also with the provider’s own error code, and a date', async () => {
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    const error = '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}';
    const { response } = await ask(failed('429 Too Many Requests', [`retry-after: ${date}`], error));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, date]);
  });

  test('an invalid retry-after header is dropped', async () => {
    const { response } = await ask(failed('429 Too Many Requests', ['retry-after: <b>later</b>']));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, null]);
  });

  test.each(['401 Unauthorized', '500 Oops', '503 Busy', '302 Found'])(
    '%s is a bad gateway',
    async (status) => {
      const { response, body } = await ask(failed(status));
      expect(response.status).toBe(502);
      expect(body.error.message).toBe(`the model failed: HTTP ${status.slice(0, 3)}: no`);
    },
  );

  test('an error as the only event, an empty body, a cut connection', async () => {
    for (const answer of [
      `${SSE_HEAD}${chunked('data: {"error":{"message":"no"}}\n\n')}${CHUNKED_END}`,
      SSE_HEAD + CHUNKED_END,
      'HTTP/1.1 200 OK\r\n',
    ]) {
      const { response, body } = await ask(answer);
      expect([response.status, body.error.code]).toEqual([502, 'upstream_error']);
    }
  });
});

test('a model that cannot be reached is a bad gateway, and the user’s message is stored', async () => {
  const nowhere = await rawServer(() => {});
  await nowhere.close();
  const service = await startService([{ name: 'gone', model: 'm', client: clientOf(`${nowhere.url}/v1`) }]);
  open.push(service);
  const response = await service.post('/chat/stream', { message: 'Hello', session_id: 's' });
  expect(response.status).toBe(502);
  expect((await messagesOf(service, 's')).map(({ role, partial }) => [role, partial])).toEqual([
    ['user', undefined],
    ['assistant', true],
  ]);
});

test('after the first event a failure is an event in the stream', async () => {
  const error = 'data: {"error":{"message":"no","code":"429"}}\n\n';
  const service = await inFrontOf(
    SSE_HEAD + chunked(chatChunk({ content: 'Hel' })) + chunked(error) + CHUNKED_END,
  );
  const response = await service.post('/chat/stream', { message: 'Hello' });
  expect(response.status).toBe(200);
  const { events } = decode('conversation', await response.text());
  expect(events.map(({ type }) => type)).toEqual(['start', 'message_chunk', 'error']);
});

test('a slow model: the stream starts without it, and a later failure is an event in the stream', async () => {
  let model: Socket | undefined;
  const service = await inFrontOf((socket) => (model = socket), { keepAliveMs: 30 });
  const response = await service.post('/chat/stream', { message: 'Hello' });
  expect(response.status).toBe(200);
  model!.end(failed('429 Too Many Requests'));
  const { events, comments } = decode('conversation', await response.text());
  expect(comments[0]).toContain('keep-alive');
  expect(events).toEqual([expect.objectContaining({ type: 'error', message: 'HTTP 429: no' })]);
});
