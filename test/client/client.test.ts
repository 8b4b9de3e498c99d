import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../src/client/client.ts';
import type { Timeouts } from '../../src/model/plan.ts';
import type { Observation } from '../../src/model/record.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';

const open: (RawServer | StreamClient)[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function serve(answer: (socket: Socket, request: string) => void, options = {}) {
  const server = await rawServer(answer);
  const client = createClient({
    provider: 'openai',
    baseUrl: `${server.url}/v1`,
    apiKey: 'sk-secret-123456',
    model: 'm',
    ...options,
  });
  open.push(client, server);
  return { server, client };
}

/** Answers with these pieces, each in a write of its own, and ends the body unless told otherwise. */
function pieces(...texts: string[]) {
  return async (socket: Socket) => {
    socket.write(SSE_HEAD);
    for (const text of texts) {
      await wait(3);
      socket.write(chunked(text));
    }
    await wait(3);
    socket.write(CHUNKED_END);
  };
}

const HELLO = [
  chatChunk({ role: 'assistant', content: '' }),
  chatChunk({ content: 'Hel' }),
  chatChunk({ content: 'lo' }),
];
const FINISH = [chatChunk({}, 'stop'), 'data: [DONE]\n\n'];

async function resultOf(client: StreamClient): Promise<Observation> {
  return client.stream({ prompt: 'hi' }).result;
}

describe('a stream', () => {
  test('is an async iterable of timed events', async () => {
    const { client, server } = await serve(pieces(...HELLO, ...FINISH));
    const seen: string[] = [];
    let lastAt = 0;
    for await (const event of client.stream({ prompt: 'hi', maxTokens: 7 })) {
      expect(event.atMs).toBeGreaterThanOrEqual(lastAt);
      lastAt = event.atMs;
      seen.push(event.type === 'message_chunk' ? event.text : event.type);
    }
    expect(seen).toEqual(['start', 'Hel', 'lo', 'complete']);
    const request = server.requests[0]!;
    expect(request).toMatch(/^POST \/v1\/chat\/completions HTTP\/1.1/);
    expect(request).toContain('accept-encoding: identity');
    expect(JSON.parse(request.split('\r\n\r\n')[1]!)).toMatchObject({
      model: 'm',
      max_completion_tokens: 7,
      stream: true,
    });
  });

  test('has its marks in order, and counts reads, events and gaps', async () => {
    const { client } = await serve(pieces(...HELLO, ...FINISH));
    const { marks, outcome, ...counts } = await resultOf(client);
    expect(outcome).toEqual({ kind: 'ok' });
    const order = [
      'scheduled',
      'started',
      'connectStart',
      'tcp',
      'sent',
      'headers',
      'firstByte',
      'firstToken',
      'lastToken',
      'end',
    ] as const;
    for (const [i, name] of order.entries()) {
      expect(marks[name], name).toBeTypeOf('number');
      if (i > 0) expect(marks[name]!, name).toBeGreaterThanOrEqual(marks[order[i - 1]!]!);
    }
    expect(marks.firstEvent).toBe(marks.firstByte);
    // The role-only chunk is an event, and no token.
    expect(marks.firstToken!).toBeGreaterThan(marks.firstEvent!);
    expect(counts).toMatchObject({
      reads: 5,
      events: 5,
      contentEvents: 2,
      coalesced: 0,
      text: 'Hello',
      finish: { reason: 'stop' },
    });
    expect(counts.gaps).toHaveLength(1);
    expect(counts.gaps[0]).toBeCloseTo(marks.lastToken! - marks.firstToken!, 6);
  });

  test('distinguishes events that share a read from events with their own arrival time', async () => {
    const { client } = await serve(pieces(HELLO.join(''), ...FINISH));
    const result = await resultOf(client);
    expect(result).toMatchObject({ contentEvents: 2, coalesced: 1, gaps: [], secondTokenGap: 0 });
  });

  test('records a new connection once, and its reuse afterwards', async () => {
    const { client, server } = await serve(pieces(...HELLO, ...FINISH));
    const first = await resultOf(client);
    const second = await resultOf(client);
    expect(first.connection).toMatchObject({ reused: false, remote: `127.0.0.1:${server.port}` });
    expect(second.connection).toMatchObject({ reused: true });
    expect(second.marks.tcp).toBeUndefined();
    expect(server.connections()).toBe(1);
  });

  test('finds warm connections open', async () => {
    const { client, server } = await serve(pieces(...HELLO, ...FINISH));
    await client.warm(3);
    await expect.poll(() => server.connections()).toBe(3);
    const results = await Promise.all([resultOf(client), resultOf(client), resultOf(client)]);
    expect(results.map((result) => result.connection?.reused)).toEqual([true, true, true]);
    expect(results.map((result) => result.outcome.kind)).toEqual(['ok', 'ok', 'ok']);
    expect(server.connections()).toBe(3);
  });

  test('does not use a warm connection that the server has closed', async () => {
    const { client, server } = await serve(pieces(...HELLO, ...FINISH));
    await client.warm(2);
    await expect.poll(() => server.connections()).toBe(2);
    server.dropConnections();
    await wait(20);
    expect(await resultOf(client)).toMatchObject({ outcome: { kind: 'ok' }, connection: { reused: false } });
  });

  test('concurrent streams use separate connections', async () => {
    const { client, server } = await serve(pieces(...HELLO, ...FINISH));
    const results = await Promise.all(Array.from({ length: 10 }, () => resultOf(client)));
    expect(results.every((result) => result.outcome.kind === 'ok' && !result.connection!.reused)).toBe(true);
    expect(server.connections()).toBe(10);
  });

  test('ends when the consumer leaves the loop', async () => {
    let closed = false;
    const { client } = await serve((socket) => {
      socket.on('close', () => {
        closed = true;
      });
      socket.write(SSE_HEAD + chunked(HELLO.join('')));
    });
    const stream = client.stream({ prompt: 'hi' });
    for await (const event of stream) if (event.type === 'message_chunk') break;
    expect((await stream.result).outcome.kind).toBe('cancelled');
    await expect.poll(() => closed).toBe(true);
  });

  test('an AbortSignal ends it, and what arrived is kept as partial', async () => {
    const { client } = await serve((socket) => socket.write(SSE_HEAD + chunked(HELLO.join(''))));
    const abort = new AbortController();
    const stream = client.stream({ prompt: 'hi', signal: abort.signal });
    for await (const event of stream)
      if (event.type === 'message_chunk' && event.text === 'lo') abort.abort('enough');
    expect(await stream.result).toMatchObject({
      outcome: { kind: 'cancelled', message: 'enough' },
      partial: true,
      text: 'Hello',
    });
  });

  test('with its terminator is complete although the server never closes', async () => {
    const { client } = await serve((socket) =>
      socket.write(SSE_HEAD + chunked([...HELLO, ...FINISH].join(''))),
    );
    const { outcome, marks } = await resultOf(client);
    expect(outcome.kind).toBe('ok');
    expect(marks.end! - marks.lastToken!).toBeLessThan(500);
  });
});

describe('a whole answer', () => {
  test('has its first token with its last byte', async () => {
    const body = JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    });
    const { client } = await serve(async (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
      );
      await wait(20);
      socket.write(body.slice(20));
    });
    const { text, observation, events } = await client.complete({ prompt: 'hi' });
    expect(text).toBe('Hello');
    expect(events.map((event) => event.type)).toContain('usage');
    const { marks } = observation;
    expect(observation).toMatchObject({
      mode: 'non-streaming',
      outcome: { kind: 'ok' },
      tokens: { output: 2, source: 'usage' },
      gaps: [],
    });
    expect(marks.firstToken! - marks.firstByte!).toBeGreaterThan(10);
    expect(marks.firstToken).toBe(marks.lastToken);
    expect(marks.end).toBe(marks.lastToken);
  });
});

describe('a failure is data', () => {
  const head = (status: string, type = 'application/json', more = '') =>
    `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\nconnection: close\r\n${more}\r\n`;
  const whole = (text: string) => (socket: Socket) => void socket.end(text);

  test.each<[string, (socket: Socket) => unknown, object]>([
    [
      '401 with a JSON body',
      whole(
        `${head('401 Unauthorized')}{"error":{"message":"bad key sk-secret-123456","code":"invalid_api_key"}}`,
      ),
      {
        kind: 'http_error',
        status: 401,
        code: 'invalid_api_key',
        message: 'HTTP 401: bad key [key]',
        body: expect.stringContaining('bad key [key]'),
      },
    ],
    [
      '500 with text',
      whole(`${head('500 Oops', 'text/plain')}it broke`),
      { kind: 'http_error', status: 500, body: 'it broke' },
    ],
    [
      '429',
      whole(`${head('429 Slow down', 'application/json', 'retry-after: 3\r\n')}{"error":"slow down"}`),
      { kind: 'rate_limited', status: 429, message: 'HTTP 429: slow down' },
    ],
    [
      'a redirect',
      whole(`HTTP/1.1 301 Moved\r\nlocation: /v2\r\nconnection: close\r\n\r\n`),
      { kind: 'http_error', status: 301, message: 'HTTP 301: redirect to /v2' },
    ],
    [
      'HTML with 200',
      whole(`${head('200 OK', 'text/html')}<!doctype html><p>log in`),
      { kind: 'not_a_stream', message: expect.stringContaining('an HTML page') },
    ],
    [
      'NDJSON where SSE was expected',
      whole(`${head('200 OK', 'application/x-ndjson')}{"a":1}\n{"a":2}\n`),
      { kind: 'not_a_stream', hint: expect.stringContaining('--dialect ndjson') },
    ],
    [
      'a whole JSON answer where a stream was asked for',
      whole(`${head('200 OK')}{"choices":[]}`),
      { kind: 'not_a_stream', message: expect.stringContaining('one JSON document') },
    ],
    [
      'a JSON error with 200',
      whole(`${head('200 OK')}{"error":{"message":"quota"}}`),
      { kind: 'inband_error', message: expect.stringContaining('quota') },
    ],
    ['an empty body', whole(`${head('200 OK', 'text/event-stream')}`), { kind: 'empty' }],
    [
      'an in-band error after content',
      pieces(...HELLO, 'data: {"error":{"message":"overloaded","code":503}}\n\n'),
      { kind: 'inband_error', code: '503', message: 'overloaded' },
    ],
    [
      'an error finish reason',
      pieces(...HELLO, chatChunk({}, 'network_error'), FINISH[1]!),
      { kind: 'inband_error' },
    ],
    ['an answer with no content', pieces(HELLO[0]!, ...FINISH), { kind: 'empty' }],
    ['an end without terminator', pieces(...HELLO), { kind: 'truncated' }],
    ['broken JSON', pieces(...HELLO, 'data: {"choices":[{]}\n\n', ...FINISH), { kind: 'malformed' }],
    [
      'a cut in the middle of the body',
      (socket) => {
        socket.write(SSE_HEAD + chunked(HELLO.join('')));
        setTimeout(() => socket.destroy(), 20);
      },
      { kind: 'truncated' },
    ],
    [
      'a reset before the answer',
      (socket) => socket.resetAndDestroy(),
      { kind: 'network', code: expect.any(String) },
    ],
    [
      'no HTTP at all',
      whole('SSH-2.0-OpenSSH_9.2\r\n'),
      { kind: 'network', hint: expect.stringContaining('does not speak HTTP') },
    ],
  ])('%s', async (_name, answer, outcome) => {
    const { client } = await serve((socket) => void answer(socket));
    const result = await resultOf(client);
    expect(result.outcome).toMatchObject(outcome);
    expect(JSON.stringify(result)).not.toContain('sk-secret');
    expect(result.partial).toBe(result.contentEvents > 0 ? true : undefined);
  });

  test('a refused connection names the cause and the remedy', async () => {
    const { client, server } = await serve(() => {});
    await server.close();
    const result = await resultOf(client);
    expect(result.outcome).toMatchObject({
      kind: 'network',
      code: 'ECONNREFUSED',
      hint: expect.stringContaining('nothing is listening'),
    });
    await expect(client.warm(1)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('is the last event of the stream', async () => {
    const { client } = await serve(whole(`${head('401 Unauthorized')}{"error":"no"}`));
    const events = [];
    for await (const event of client.stream({ prompt: 'hi' })) events.push(event);
    expect(events).toMatchObject([{ type: 'error', message: 'HTTP 401: no', code: 'http_error' }]);
  });

  test('of one request does not affect the next one', async () => {
    let count = 0;
    const { client } = await serve((socket) =>
      count++ === 0 ? socket.destroy() : void pieces(...HELLO, ...FINISH)(socket),
    );
    expect((await resultOf(client)).outcome.kind).toBe('network');
    expect((await resultOf(client)).outcome.kind).toBe('ok');
  });
});

describe('a time limit', () => {
  test.each<[string, Partial<Timeouts>, (socket: Socket) => unknown, string]>([
    ['first byte', { firstByteMs: 40 }, () => {}, 'first_byte'],
    ['first byte, after the headers', { firstByteMs: 40 }, (socket) => socket.write(SSE_HEAD), 'first_byte'],
    ['idle', { idleMs: 40 }, (socket) => socket.write(SSE_HEAD + chunked(HELLO.join(''))), 'idle'],
    ['total', { totalMs: 40 }, (socket) => socket.write(SSE_HEAD + chunked(HELLO.join(''))), 'total'],
  ])('%s', async (_name, timeouts, answer, phase) => {
    const { client } = await serve((socket) => void answer(socket), { timeouts });
    const { outcome, marks } = await resultOf(client);
    expect(outcome).toMatchObject({ kind: 'timeout', phase });
    expect(marks.end! - marks.started).toBeGreaterThanOrEqual(39);
    expect(marks.end! - marks.started).toBeLessThan(1_000);
  });

  test('connect, when a TLS handshake is never answered', async () => {
    const silent = await rawServer(() => {});
    const client = createClient({
      provider: 'openai',
      baseUrl: `https://127.0.0.1:${silent.port}`,
      timeouts: { connectMs: 40 },
    });
    open.push(client, silent);
    const { outcome, marks } = await resultOf(client);
    expect(outcome).toMatchObject({
      kind: 'timeout',
      phase: 'connect',
      message: 'no connection within 40 ms',
    });
    expect(marks.sent).toBeUndefined();
  });
});
