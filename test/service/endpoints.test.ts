import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken } from '../../src/service/index.ts';
import {
  decode,
  jsonOf,
  messagesOf,
  rawRequest,
  SECRET,
  startStack,
  type TestStack,
  textOf,
} from './support.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ bodyLimitBytes: 2_000 });
});
afterAll(() => stack.close());

const chat = (path: string, body: object = {}) => stack.post(path, { message: 'Hello', ...body });
const events = async (dialect: string, response: Response) => decode(dialect, await response.text()).events;
const types = (list: readonly { type: string }[]) => [...new Set(list.map(({ type }) => type))];

describe('streams', () => {
  test('conversation: every byte as a browser would see it', async () => {
    const body = '{"message":"Hello","max_tokens":2}';
    const answer = await rawRequest(
      stack.url,
      [
        'POST /api/v1/conversations/c1/stream HTTP/1.1',
        'host: x',
        `authorization: Bearer ${stack.token}`,
        'connection: close',
      ],
      body,
    );
    const [head = '', ...rest] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const header of [
      'content-type: text/event-stream; charset=utf-8',
      'cache-control: no-cache',
      'x-accel-buffering: no',
      'x-session-id: c1',
      'access-control-allow-origin: *',
      'transfer-encoding: chunked',
    ]) {
      expect(head.toLowerCase()).toContain(`\r\n${header}`);
    }
    expect(head.toLowerCase()).not.toContain('content-length');
    const sse = rest.join('\r\n\r\n').replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '');
    expect(sse).toMatch(
      /^data: \{"type":"start","id":"msg_[\w-]+","model":"quick"\}\n\n(data: \{"type":"message_chunk","content":"[^"]+"\}\n\n){2}data: \{"type":"usage".*\}\n\ndata: \{"type":"complete","finish_reason":"length"\}\n\n/s,
    );
  });

  test('agent: tool call, completed step and memory update, if requested', async () => {
    const question = {
      message: 'My name is Ada. What is 6 * 7?',
      emit_metadata: true,
      emit_memory_updates: true,
    };
    const list = await events('agent', await chat('/api/v1/agents/a1/chat/lumosai/stream', question));
    expect(types(list)).toEqual([
      'start',
      'metadata',
      'memory_update',
      'tool_call',
      'tool_result',
      'step_complete',
      'message_chunk',
      'usage',
      'complete',
    ]);
    expect(list.find(({ type }) => type === 'memory_update')).toMatchObject({
      data: { turns: 1, facts: ["the user's name is Ada"] },
    });
    expect(list.find(({ type }) => type === 'tool_result')).toMatchObject({ result: { value: 42 } });
    const quiet = await events('agent', await chat('/api/v1/agents/a1/chat/lumosai/stream'));
    expect(types(quiet)).not.toContain('metadata');
    expect(types(quiet)).not.toContain('memory_update');
  });

  test('playground: reasoning and content, then [DONE], with and without a slash at the end', async () => {
    for (const path of [
      '/api/projects/p1/playground/chat/stream/',
      '/api/projects/p1/playground/chat/stream',
    ]) {
      const text = await (await chat(path, { model: 'thinking' })).text();
      expect(text).toMatch(/^data: \{"type":"reasoning"/);
      expect(text).toMatch(/data: \{"type":"content".*data: \[DONE\]\n\n$/s);
    }
  });

  test('playground: a failure is an event in the stream, then [DONE]', async () => {
    const text = await (await chat('/api/projects/p1/playground/chat/stream/', { model: 'failing' })).text();
    expect(text).toMatch(/data: \{"error":"[^"]+","code":"[^"]+"\}\n\ndata: \[DONE\]\n\n$/);
  });

  test('stream-debug: the time of each event, as comments', async () => {
    const response = await chat('/api/v1/conversations/c1/stream-debug', { max_tokens: 3 });
    const { events: list, comments } = decode('conversation', await response.text());
    expect(types(list)).toEqual(['start', 'message_chunk', 'usage', 'complete']);
    expect(comments.filter((text) => /\d+\.\d{3} ms message_chunk/.test(text))).toHaveLength(3);
    expect(comments.at(-1)).toContain('"chunks":3');
  });

  test('text is buffered on request, and none is lost', async () => {
    const plain = textOf(
      await events('conversation', await chat('/chat/stream', { model: 'paced', session_id: 'x1' })),
    );
    const gathered = await events('conversation', await chat('/chat/stream', { text_buffer_size: 20 }));
    const pieces = gathered.flatMap((event) => (event.type === 'message_chunk' ? [event.text] : []));
    expect(pieces.slice(0, -1).every((text) => text.length >= 20)).toBe(true);
    expect(plain.length).toBeGreaterThan(20);
  });

  test('texts are delayed on request', async () => {
    const before = performance.now();
    await (await chat('/chat/stream', { max_tokens: 6, text_delta_delay_ms: 20 })).text();
    expect(performance.now() - before).toBeGreaterThanOrEqual(5 * 20 - 5);
  });

  test('legacy: nothing is sent before the answer is complete', async () => {
    const timed = async (mode: string) => {
      const before = performance.now();
      const response = await chat('/api/v1/agents/a1/chat/lumosai/stream', { model: 'paced', mode });
      const headersMs = performance.now() - before;
      const list = await events('agent', response);
      return { headersMs, totalMs: performance.now() - before, list };
    };
    const [real, legacy] = [await timed('real'), await timed('legacy')];
    // The model takes 20 ms to its first token and 110 ms more to its last.
    expect(legacy.headersMs).toBeGreaterThan(110);
    // In both cases what is left after the headers is compared: a machine that is slow now is slow for both.
    expect(real.totalMs - real.headersMs).toBeGreaterThan(legacy.totalMs - legacy.headersMs);
    expect(types(legacy.list)).toEqual(types(real.list));
  });

  test('legacy: a failure of the model is an HTTP status', async () => {
    const response = await chat('/chat/stream', { mode: 'legacy', model: 'limited' });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_error' } });
  });
});

describe('whole answers', () => {
  test.each(['/chat', '/api/v1/agents/a1/chat/lumosai'])('%s', async (path) => {
    const response = await chat(path);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({
      content: expect.stringMatching(/\w+ \w+/),
      finish_reason: 'stop',
    });
  });

  test('also from a streaming endpoint, with stream: false', async () => {
    const response = await chat('/api/v1/conversations/c1/stream', { stream: false });
    expect(await response.json()).toMatchObject({ content: expect.any(String) });
  });

  test('a failing model is a bad gateway', async () => {
    expect((await chat('/chat', { model: 'failing' })).status).toBe(502);
    expect((await chat('/chat', { model: 'limited' })).status).toBe(429);
  });
});

describe('messages', () => {
  test('are stored, and sent to the model with the next request', async () => {
    await (await chat('/chat/stream', { session_id: 'm1' })).text();
    await (await chat('/chat', { session_id: 'm1', message: 'And again' })).text();
    const messages = await messagesOf(stack, 'm1');
    expect(messages.map(({ role, content }) => [role, content.length > 4])).toEqual([
      ['user', true],
      ['assistant', true],
      ['user', true],
      ['assistant', true],
    ]);
    expect(messages[1]).not.toHaveProperty('partial');
    expect(messages[1]?.model).toBe('quick');
  });

  test('can be read only by their user', async () => {
    await (await chat('/chat/stream', { session_id: 'private' })).text();
    const eve = { authorization: `Bearer ${await createToken(SECRET, { subject: 'eve' })}` };
    expect((await stack.get('/sessions/private/messages', { headers: eve })).status).toBe(404);
  });

  test('a request without a session id creates one', async () => {
    const response = await chat('/chat/stream');
    await response.text();
    expect((await stack.get(`/sessions/${response.headers.get('x-session-id')}/messages`)).status).toBe(200);
  });
});

describe('refusals', () => {
  test('no token, an invalid one, an expired one', async () => {
    const status = async (headers: Record<string, string>) => {
      const response = await stack.post('/chat/stream', { message: 'x' }, { headers });
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      return [response.status, (await jsonOf<{ error: { code: string } }>(response)).error.code];
    };
    expect(await status({})).toEqual([401, 'token_missing']);
    expect(await status({ authorization: 'Bearer x' })).toEqual([401, 'token_invalid']);
    const old = await createToken(SECRET, { expiresInSeconds: -5 });
    expect(await status({ authorization: `Bearer ${old}` })).toEqual([401, 'token_expired']);
  });

  test('invalid fields, with their names, readable from another origin', async () => {
    const response = await stack.post('/chat/stream', { message: 'x', mode: 'fast' });
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_request', fields: [{ path: 'mode' }] },
    });
  });

  test('a body that is too large, announced or not', async () => {
    const large = 'x'.repeat(3_000);
    expect((await chat('/chat', { message: large })).status).toBe(413);
    const drip = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });
    const init = { body: drip, duplex: 'half' } as RequestInit;
    expect((await stack.post('/chat', {}, init)).status).toBe(413);
  });

  test('an upstream that the operator does not allow', async () => {
    const path = '/api/projects/p1/playground/chat/stream/';
    for (const upstream of ['openai', 'http://169.254.169.254/']) {
      const response = await chat(path, { upstream });
      expect(response.status).toBe(403);
      expect(JSON.stringify(await response.json())).toContain('allowed: simulator');
    }
    expect((await chat(path, { upstream: 'simulator' })).status).toBe(200);
    expect((await chat('/chat', { upstream: 'other' })).status).toBe(403);
  });

  test('other methods and paths', async () => {
    const wrong = await stack.get('/chat');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    expect((await stack.get('/nothing')).status).toBe(404);
    expect((await stack.post('/api/v1/conversations/a%2Fb/stream', { message: 'x' })).status).toBe(400);
  });
});

test('a browser’s preflight is answered', async () => {
  const headers = {
    origin: 'http://elsewhere.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };
  const response = await fetch(`${stack.url}/api/v1/conversations/c1/stream`, { method: 'OPTIONS', headers });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
  expect(response.headers.get('access-control-allow-methods')).toContain('POST');
});

test('a ticket is valid for one stream', async () => {
  expect((await stack.post('/chat/tickets', { message: 'x' }, { headers: {} })).status).toBe(401);
  const { url } = await jsonOf<{ url: string }>(chat('/chat/tickets'));
  const response = await fetch(stack.url + url);
  expect(textOf(await events('conversation', response))).not.toBe('');
  expect((await fetch(stack.url + url)).status).toBe(401);
  expect((await fetch(`${stack.url}/chat/stream`)).status).toBe(401);
});

test('metrics can be selected by name; unknown names are ignored', async () => {
  const cpu = async () => {
    const response = await fetch(
      `${stack.url}/metrics?name[]=process_cpu_seconds_total&name[]=no_such_metric`,
    );
    const text = await response.text();
    expect(text.match(/^# TYPE .*/gm)).toEqual(['# TYPE process_cpu_seconds_total counter']);
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
  };
  const before = await cpu();
  expect(await cpu()).toBeGreaterThan(before);
});

test('metrics count requests, chunks and completions', async () => {
  const response = await fetch(`${stack.url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  expect(value('streambench_service_completions_total\\{route="chat-stream",status="ok"\\}')).toBeGreaterThan(
    3,
  );
  expect(value('streambench_service_completions_total\\{route="playground",status="upstream_error"\\}')).toBe(
    1,
  );
  expect(value('streambench_service_first_byte_seconds_count\\{route="agent-stream"\\}')).toBeGreaterThan(2);
  expect(value('streambench_service_first_token_seconds_count\\{route="conversation"\\}')).toBe(1);
  expect(value('streambench_service_chunks_total')).toBeGreaterThan(50);
  expect(value('streambench_service_active_streams')).toBe(0);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(text).not.toContain(stack.token);
});

test('health needs no token', async () => {
  const response = await fetch(`${stack.url}/api/v1/health/stream`);
  expect(await response.json()).toMatchObject({
    status: 'ok',
    active_streams: 0,
    active_connections: expect.any(Number),
  });
});

test('logs are JSON lines without secrets', async () => {
  const lines: string[] = [];
  const other = await startStack({ log: { level: 'debug', write: (line) => lines.push(line) } });
  await (await other.post('/chat/stream', { message: 'Hello' })).text();
  await other.post('/chat/stream', {}, { headers: { authorization: 'Bearer wrong-token-123' } });
  await other.close();
  const entries = lines.map((line) => JSON.parse(line));
  expect(entries).toContainEqual(
    expect.objectContaining({ msg: 'answer ended', status: 'ok', route: 'chat-stream' }),
  );
  expect(entries.at(-1)).toMatchObject({ msg: 'closed' });
  expect(lines.join('')).not.toMatch(/wrong-token-123|Bearer/);
  expect(lines.join('')).not.toContain(other.token);
  expect(lines.join('')).not.toContain(SECRET);
});
