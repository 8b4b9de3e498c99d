import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServiceOptions } from '../../src/service/index.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { closedAfterEach, decode, jsonOf, startStack, type TestStack, textOf } from './support.ts';

// What pages and apps of this kind of system send and read. Each test reads the bytes as such a page does, without the
// decoders of this package, and then checks that those decoders read the same.

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const open = closedAfterEach();

const ask = (path: string, body: object = {}) => stack.post(path, { message: 'Hello', ...body });
const textAt = async (path: string, body: object = {}) => (await ask(path, body)).text();

/** The payloads of a stream, as `line.slice(6)` in a page gives them. */
function payloads(sse: string): string[] {
  return sse.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
}

describe('/chat/stream', () => {
  test('ends with [DONE], after an answer and after an error', async () => {
    for (const model of ['quick', 'failing', 'cut']) {
      const lines = payloads(await textAt('/chat/stream', { model }));
      expect(lines.at(-1)).toBe('[DONE]');
      expect(JSON.parse(lines.at(-2)!)).toMatchObject({ type: model === 'quick' ? 'complete' : 'error' });
    }
  });

  test('our client reads the same events with [DONE] as without', async () => {
    for (const path of ['/chat/stream', '/api/v1/conversations/c1/stream']) {
      const { events } = decode('conversation', await textAt(path));
      expect(events.at(-1)).toEqual({ type: 'complete', finish: 'stop', raw: 'stop' });
      expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    }
  });

  test('compat=plain: an error is {"error":"text"}', async () => {
    const sse = await textAt('/chat/stream?compat=plain', { model: 'failing' });
    const [error, done] = payloads(sse).slice(-2);
    expect([Object.keys(JSON.parse(error!)), done]).toEqual([['error'], '[DONE]']);
    const message = (JSON.parse(error!) as { error: string }).error;
    const typed = decode('conversation', await textAt('/chat/stream', { model: 'failing' })).events.at(-1);
    expect(typed).toMatchObject({ type: 'error', message });
    expect(decode('conversation', sse).events.at(-1)).toEqual({ type: 'error', message });
  });

  test('compat=plain: a page that adds up `content` shows the answer without the reasoning', async () => {
    const sse = await textAt('/chat/stream?compat=plain', { model: 'thinking' });
    const page = payloads(sse)
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { content?: string }).content ?? '')
      .join('');
    const { events } = decode('conversation', sse);
    expect(page).toBe(textOf(events));
    expect(events.filter(({ type }) => type === 'thinking')).toHaveLength(3);
  });

  test('compat=plain: a refusal is {"error":"text"} too', async () => {
    const response = await ask('/chat/stream?compat=plain', { model: 'limited' });
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({ error: expect.any(String), code: 'upstream_error' });
  });

  test('compat=plain works with a ticket', async () => {
    const { url } = await jsonOf<{ url: string }>(ask('/chat/tickets', { model: 'failing' }));
    expect(await (await fetch(`${stack.url}${url}&compat=plain`)).text()).toMatch(
      /data: \{"error":"[^"]+"\}\n\ndata: \[DONE\]\n\n$/,
    );
  });

  test('an unknown format is refused, and one that the endpoint does not have', async () => {
    expect((await ask('/chat/stream?compat=old')).status).toBe(400);
    expect((await ask('/api/projects/p/playground/chat/stream/?compat=plain')).status).toBe(400);
  });
});

describe('the playground', () => {
  const PATH = '/api/projects/p1/playground/chat/stream/';

  /** A model at an address of its own, which records the bytes that it is sent. */
  async function ownModel(answer: (socket: Socket) => void) {
    const server = await rawServer(answer);
    open.push(server);
    return server;
  }

  async function service(options: Partial<ServiceOptions> = {}) {
    const other = await startStack(options);
    open.push(other);
    return other;
  }

  test('takes the documented body: endpoint, key, model and limits reach the model', async () => {
    const server = await ownModel((socket) => {
      const text = `${chatChunk({ content: 'own' })}${chatChunk({}, 'stop')}data: [DONE]\n\n`;
      socket.write(SSE_HEAD + chunked(text) + CHUNKED_END);
    });
    const other = await service({ allowedEndpoints: [`${server.url}/own`] });
    const response = await other.post(PATH, {
      messages: [{ role: 'user', content: 'Hello' }],
      model: {
        providerId: 'openai',
        endpoint: `${server.url}/own`,
        apiKey: 'sk-caller-0123456789',
        modelId: 'm7',
      },
      temperature: 0.3,
      maxTokens: 17,
      timeout: 30_000,
    });
    expect(payloads(await response.text())).toEqual(['{"type":"content","content":"own"}', '[DONE]']);
    const [head = '', body = ''] = server.requests[0]!.split('\r\n\r\n');
    expect(head).toMatch(/^POST \/own\/chat\/completions HTTP/);
    expect(head).toContain('Bearer sk-caller-0123456789');
    expect(JSON.parse(body)).toMatchObject({ model: 'm7', temperature: 0.3, max_completion_tokens: 17 });
  });

  test('max_tokens and maxTokens both limit the answer', async () => {
    for (const name of ['max_tokens', 'maxTokens']) {
      const { events } = decode('playground', await textAt(PATH, { [name]: 3 }));
      expect(events.filter(({ type }) => type === 'message_chunk')).toHaveLength(3);
    }
  });

  test('an endpoint that is not allowed is refused, and nothing connects to it', async () => {
    const server = await ownModel(() => {});
    const other = await service({ allowedEndpoints: [`${server.url}/own`] });
    const model = { providerId: 'openai', apiKey: 'k', modelId: 'm' };
    for (const endpoint of [
      `${server.url}/other`,
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'x',
    ]) {
      const response = await other.post(PATH, { message: 'x', model: { ...model, endpoint } });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        error: { code: 'endpoint_not_allowed', fields: [{ path: 'model.endpoint' }] },
      });
    }
    // Only the playground takes endpoints.
    const chat = await other.post('/chat/stream', {
      message: 'x',
      model: { ...model, endpoint: `${server.url}/own` },
    });
    expect(chat.status).toBe(403);
    expect(server.requests).toEqual([]);
  });

  test('the key of the caller is removed from what the model answers', async () => {
    const key = 'sk-caller-0123456789';
    const server = await ownModel((socket) => {
      socket.write(SSE_HEAD + chunked(chatChunk({ content: `your key is ${key}` })));
      socket.write(chunked(`data: {"error":{"message":"bad key ${key}"}}\n\n`) + CHUNKED_END);
    });
    const lines: string[] = [];
    const log = { level: 'debug' as const, write: (line: string) => lines.push(line) };
    const other = await service({ allowedEndpoints: [server.url], log });
    const model = { providerId: 'x', endpoint: server.url, apiKey: key, modelId: 'm' };
    const text = await (await other.post(PATH, { message: 'x', model })).text();
    expect(text).toContain('your key is [apiKey]');
    expect(text + lines.join('')).not.toContain(key);
  });

  test('a timeout ends the stream with an error, before the first event and after it', async () => {
    const server = await ownModel((socket) => {
      if (server.requests.length > 1) socket.write(SSE_HEAD + chunked(chatChunk({ content: 'so far' })));
    });
    const other = await service({ allowedEndpoints: [server.url] });
    const ask = async () => {
      const model = { providerId: 'x', endpoint: server.url, modelId: 'm' };
      const response = await other.post(PATH, { message: 'x', model, timeout: 100 });
      return [response.status, ...payloads(await response.text())];
    };
    const error = expect.stringMatching(/^\{"error":"[^"]*timeout[^"]*","code":"timeout"\}$/);
    expect(await ask()).toEqual([200, error, '[DONE]']);
    expect(await ask()).toEqual([200, '{"type":"content","content":"so far"}', error, '[DONE]']);
    const whole = await other.post('/chat', { message: 'x', timeout: 1, model: 'long' });
    expect(whole.status).toBe(504);
  });

  test('reasoning is an event, and on request text between markers', async () => {
    const asEvents = payloads(await textAt(PATH, { model: 'thinking' }));
    expect(asEvents[0]).toMatch(/^\{"type":"reasoning","content":"[^<]/);
    const sse = await textAt(PATH, { model: 'thinking', reasoning_format: 'think' });
    const lines = payloads(sse)
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { type: string; content: string });
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['content']));
    expect(lines.map(({ content }) => content).join('')).toMatch(/^<think>[^<]+<\/think>[^<]+$/);
    const thoughts = (text: string) => {
      const { events } = decode('playground', text);
      return events.flatMap((event) => (event.type === 'thinking' ? [event.text] : []));
    };
    expect(thoughts(sse)).toHaveLength(3);
  });
});

describe('the agent', () => {
  const PATH = '/api/v1/agents/agent-7/chat/lumosai/stream';
  const objects = (sse: string) => payloads(sse).map((line) => JSON.parse(line) as Record<string, unknown>);

  test('start carries the id of the agent', async () => {
    const [start] = objects(await textAt(PATH));
    expect(start).toMatchObject({
      chunk_type: 'start',
      agent_id: 'agent-7',
      id: expect.stringMatching(/^msg_/),
    });
  });

  test('an error can be read as `message` and as `data.content`, and by our client', async () => {
    const sse = await textAt(PATH, { model: 'failing' });
    const error = objects(sse).at(-1)!;
    expect(error).toMatchObject({ chunk_type: 'error', message: expect.stringMatching(/failed/) });
    expect(error.data).toEqual({ content: error.message });
    expect(decode('agent', sse).events.at(-1)).toEqual({
      type: 'error',
      message: error.message,
      code: error.code,
    });
  });

  test('our client reads the errors of services that send `data.content` only', () => {
    const read = (error: object) =>
      decode('agent', `data: ${JSON.stringify({ chunk_type: 'error', ...error })}\n\n`).events;
    expect(read({ data: { content: 'boom' } })).toEqual([{ type: 'error', message: 'boom' }]);
    expect(read({ content: 'boom' })).toEqual([{ type: 'error', message: 'boom' }]);
    expect(read({ error: { message: 'boom', code: 'c' } })).toEqual([
      { type: 'error', message: 'boom', code: 'c' },
    ]);
  });

  test('docs/service.md has an example of each kind of event, as it is sent', () => {
    const docs = readFileSync(new URL('../../docs/service.md', import.meta.url), 'utf8');
    const examples = [...docs.matchAll(/^data: (\{"chunk_type".*\})$/gm)].map(([, json = '']) => json);
    const context = { id: 'msg_1', agentId: 'a1', model: 'fast', createdSeconds: 0, elapsedMs: () => 412 };
    const encode = getDialect('agent').encoder(context);
    const events = decode('agent', examples.map((json) => `data: ${json}\n\n`).join('')).events;
    // `done` is the last one that a decoder accepts, so the error is read by itself.
    const error = decode('agent', `data: ${examples.at(-1)}\n\n`).events;
    const known = events.filter(({ type }) => type !== 'unknown');
    const sent = [...known, ...error].flatMap((event) => [...encode(event)]).map(({ data }) => data);
    expect(sent).toEqual(examples);
    expect(examples.map((json) => (JSON.parse(json) as { chunk_type: string }).chunk_type)).toEqual([
      'start',
      'metadata',
      'memory_update',
      'tool_call_start',
      'tool_call_complete',
      'step_complete',
      'thinking',
      'content',
      'done',
      'error',
    ]);
  });
});
