import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../../src/client/client.ts';
import type { ConnectOptions } from '../../../src/model/plan.ts';
import { ANSWER, CA, type ChatServerOptions, chatServer, type Response } from '../../support/chat-server.ts';
import { chatChunk } from '../../support/raw-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function serve(options: ChatServerOptions = {}, connect: ConnectOptions = {}, timeouts = {}) {
  const server = await chatServer({ http: 2, secure: true, ...options });
  const client = createClient({
    provider: 'openai',
    baseUrl: `${server.url}/v1`,
    apiKey: 'sk-secret-123456',
    connect: { http: 2, ca: CA, ...connect },
    timeouts,
  });
  open.push(client, server);
  return { server, client };
}

const resultOf = (client: StreamClient, signal?: AbortSignal) =>
  client.stream({ prompt: 'hi', signal }).result;
const results = (client: StreamClient, count: number) =>
  Promise.all(Array.from({ length: count }, () => resultOf(client)));
/** Answers after a while, so that requests overlap; `most` is how many the service had at once. */
function crowd() {
  const seen = { now: 0, most: 0 };
  const answer = (response: Response) => {
    seen.most = Math.max(seen.most, ++seen.now);
    setTimeout(() => {
      seen.now--;
      response.end(ANSWER);
    }, 100);
  };
  return { seen, answer };
}

describe('HTTP/2', () => {
  test('sends concurrent requests over one session, without queueing', async () => {
    const { seen: service, answer } = crowd();
    const { server, client } = await serve({ answer });
    await client.warm(8);
    const seen = await results(client, 8);
    expect(service.most).toBe(8);
    expect(seen.map(({ outcome }) => outcome.kind)).toEqual(Array(8).fill('ok'));
    expect(seen.map(({ connection }) => connection?.streams)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(seen[0]!.connection).toMatchObject({
      reused: true,
      protocol: 'h2',
      alpn: 'h2',
      tls: 'TLSv1.3',
      remote: `127.0.0.1:${server.port}`,
      streamLimit: 100,
    });
    expect(server.accepted()).toBe(1);
    const { headers } = server.requests[0]!;
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': '/v1/chat/completions',
      ':authority': `localhost:${server.port}`,
      authorization: 'Bearer sk-secret-123456',
    });
    expect(Number(headers['content-length'])).toBeGreaterThan(10);
  });

  test('has its marks in order, and connect marks on the request that opened the session', async () => {
    const { client } = await serve();
    const [first, ...others] = await results(client, 4);
    const { marks } = first!;
    const order = [
      marks.started,
      marks.connectStart!,
      marks.dns!,
      marks.tcp!,
      marks.tls!,
      marks.sent!,
      marks.headers!,
      marks.firstByte!,
      marks.firstToken!,
      marks.end!,
    ];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(first!.connection?.reused).toBe(false);
    expect(others.map(({ connection, marks: { tls } }) => [connection?.reused, tls])).toEqual(
      Array(3).fill([true, undefined]),
    );
  });

  test('opens as many sessions as its streams need', async () => {
    const { server, client } = await serve({ answer: crowd().answer }, { streamsPerSession: 3 });
    const seen = await results(client, 8);
    expect(seen.every(({ outcome }) => outcome.kind === 'ok')).toBe(true);
    expect(seen.every(({ connection }) => connection?.streamLimit === 3)).toBe(true);
    expect(seen.filter(({ connection }) => !connection?.reused)).toHaveLength(3);
    expect(server.accepted()).toBe(3);
    await results(client, 8);
    expect(server.accepted()).toBe(3);
  });

  test('keeps to the limit of the service', async () => {
    const { seen: service, answer } = crowd();
    const { server, client } = await serve({ answer, maxConcurrentStreams: 2 });
    const seen = await results(client, 6);
    // On several sessions: nothing waits for an answer to another.
    expect(service.most).toBeGreaterThan(2);
    expect(seen.map(({ outcome }) => outcome.kind)).toEqual(Array(6).fill('ok'));
    expect(Math.max(...seen.map(({ connection }) => connection!.streams!))).toBe(2);
    expect(server.accepted()).toBe(3);
  });

  test('warms enough sessions for the expected requests', async () => {
    const { server, client } = await serve({ answer: crowd().answer }, { streamsPerSession: 4 });
    await client.warm(10);
    expect(server.accepted()).toBe(3);
    const seen = await results(client, 10);
    expect(seen.every(({ connection }) => connection?.reused)).toBe(true);
    expect(server.accepted()).toBe(3);
  });

  test('ends one stream without affecting its session', async () => {
    let ended = 0;
    const { server, client } = await serve({
      answer(response) {
        response.write(chatChunk({ content: 'Hel' }));
        response.on('close', () => ended++);
        setTimeout(() => response.end(ANSWER), 150);
      },
    });
    const stop = new AbortController();
    const cancelled = client.stream({ prompt: 'hi', signal: stop.signal });
    const other = resultOf(client);
    for await (const event of cancelled) if (event.type === 'message_chunk') stop.abort('enough');
    expect((await cancelled.result).outcome).toMatchObject({ kind: 'cancelled', message: 'enough' });
    await expect.poll(() => ended).toBe(1);
    expect((await other).outcome.kind).toBe('ok');
    expect(await resultOf(client)).toMatchObject({
      outcome: { kind: 'ok' },
      connection: { reused: true, streams: 1 },
    });
    expect(server.accepted()).toBe(1);
  });

  test('an expired limit ends its own stream only', async () => {
    const { server, client } = await serve(
      {
        answer: (response) => {
          response.write(chatChunk({ content: 'x' }));
          if (server.requests.length === 2) response.end(ANSWER);
        },
      },
      {},
      { idleMs: 60 },
    );
    const [first, second] = await results(client, 2);
    expect(first!.outcome).toMatchObject({ kind: 'timeout', phase: 'idle' });
    expect(second!.outcome.kind).toBe('ok');
    expect((await resultOf(client)).outcome.kind).toBe('timeout');
    expect(server.accepted()).toBe(1);
  });

  test.each<
    [string, (server: { drop(): void; sessions: { destroy(): void; goaway(code: number): void }[] }) => void]
  >([
    ['the loss of the socket', (server) => server.drop()],
    ['a GOAWAY with an error', ({ sessions }) => sessions[0]!.goaway(2)],
  ])('%s cuts every stream on it, and none is complete', async (_name, cut) => {
    const { server, client } = await serve({
      answer(response) {
        response.write(chatChunk({ content: 'Hel' }));
      },
    });
    const all = results(client, 3);
    await expect.poll(() => server.requests.length).toBe(3);
    await wait(30);
    cut(server);
    for (const { outcome, partial } of await all) {
      expect(outcome.kind).toBe('truncated');
      expect(outcome.message).toContain('the connection was lost');
      expect(partial).toBe(true);
    }
    // The requests were sent once each.
    expect(server.requests).toHaveLength(3);
  });

  test('a stream that the service resets is cut', async () => {
    const { client } = await serve({
      answer(response) {
        response.write(chatChunk({ content: 'Hel' }));
        setTimeout(() => (response as unknown as { stream: Response }).stream.destroy(new Error('x')), 30);
      },
    });
    expect((await resultOf(client)).outcome).toMatchObject({ kind: 'truncated' });
  });

  test('a session is replaced after GOAWAY', async () => {
    const { server, client } = await serve();
    await resultOf(client);
    server.sessions[0]!.goaway(0);
    await wait(30);
    expect(await resultOf(client)).toMatchObject({
      outcome: { kind: 'ok' },
      connection: { reused: false },
    });
    expect(server.accepted()).toBe(2);
  });

  test('per request: a session of its own each time, closed after it', async () => {
    const { server, client } = await serve({}, { connection: 'per-request' });
    for (const _ of [1, 2]) {
      const { connection, marks } = await resultOf(client);
      expect(connection).toMatchObject({ reused: false, streams: 1 });
      expect(marks.tls).toBeGreaterThan(0);
    }
    expect((await results(client, 3)).every(({ connection }) => !connection!.reused)).toBe(true);
    expect(server.accepted()).toBe(5);
    await expect.poll(() => server.open()).toBe(0);
  });

  test('drop closes idle connections, and the next request opens a new one', async () => {
    const { server, client } = await serve();
    await client.warm(1);
    client.drop();
    await expect.poll(() => server.open()).toBe(0);
    expect((await resultOf(client)).connection?.reused).toBe(false);
  });

  test('without TLS, HTTP/2 is used with prior knowledge', async () => {
    const { server, client } = await serve({ secure: false });
    const { outcome, connection } = await resultOf(client);
    expect(outcome.kind).toBe('ok');
    expect(connection).toMatchObject({ protocol: 'h2', reused: false });
    expect(connection!.tls).toBeUndefined();
    expect(server.accepted()).toBe(1);
  });

  test('whole answers and GET requests are read too', async () => {
    const server = await chatServer({ http: 2, answer: (response) => response.end('hello') });
    const client = createClient({ baseUrl: server.url, dialect: 'sse', method: 'GET', connect: { http: 2 } });
    open.push(client, server);
    const { text, observation } = await client.complete({});
    expect(text).toContain('hello');
    expect(observation.marks.sent).toBeLessThanOrEqual(observation.marks.headers!);
    expect(server.requests[0]!.headers).toMatchObject({ ':method': 'GET' });
    expect(server.requests[0]!.headers['content-length']).toBeUndefined();
  });
});

describe('a mismatch of versions', () => {
  test.each([
    ['TLS', true, /does not offer HTTP\/2 \(ALPN agreed on (http\/1.1|nothing)\)/],
    ['plain', false, /does not speak HTTP\/2/],
  ])('HTTP/2 to a service without it has its own failure (%s)', async (_name, secure, message) => {
    const { client } = await serve({ http: 1, secure });
    const { outcome } = await resultOf(client);
    expect(outcome).toMatchObject({ kind: 'network', code: 'HTTP2_UNAVAILABLE' });
    expect(outcome.message).toMatch(message);
    expect(outcome.hint).toContain('--http 1');
    await expect(client.warm(1)).rejects.toMatchObject({ code: 'HTTP2_UNAVAILABLE' });
  });

  test.each([true, false])('HTTP/1.1 to a service with HTTP/2 only says so (TLS: %s)', async (secure) => {
    const { client } = await serve({ secure }, { http: 1 });
    const { outcome } = await resultOf(client);
    expect(outcome.kind).toBe('network');
    expect(outcome.hint).toContain('--http 2');
  });

  test('all requests that wait for a session fail if it cannot be opened', async () => {
    const { client, server } = await serve({}, { streamsPerSession: 2 });
    await server.close();
    const seen = await results(client, 5);
    expect(seen.map(({ outcome }) => outcome.code)).toEqual(Array(5).fill('ECONNREFUSED'));
  });

  test('a handshake without an answer ends at the connect limit, also for waiting requests', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const client = createClient({
      provider: 'openai',
      baseUrl: `https://127.0.0.1:${port}/v1`,
      connect: { http: 2, insecure: true },
      timeouts: { connectMs: 50 },
    });
    const seen = await results(client, 3);
    expect(seen.map(({ outcome }) => outcome.phase)).toEqual(['connect', 'connect', 'connect']);
    await expect(client.warm(1)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    // All of its connections were given up, or the server would not close.
    await new Promise((resolve) => silent.close(resolve));
  });
});
