import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../../src/client/client.ts';
import type { ConnectOptions } from '../../../src/model/plan.ts';
import type { Observation } from '../../../src/model/record.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../../support/raw-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const ANSWER = [chatChunk({ content: 'a' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'].join('');
const KEPT = SSE_HEAD.replace(
  '\r\n\r\n',
  '\r\nconnection: keep-alive\r\nkeep-alive: timeout=5, max=100\r\n\r\n',
);
const whole = (socket: Socket, head = KEPT) => void socket.write(head + chunked(ANSWER) + CHUNKED_END);

/** `request` counts the requests of a connection, from 1. */
type Answer = (socket: Socket, request: number, connection: number) => unknown;

async function serve(answer: Answer, connect: ConnectOptions = {}, timeouts = {}) {
  const counts = new Map<Socket, number>();
  const order: Socket[] = [];
  const server = await rawServer((socket) => {
    if (!counts.has(socket)) order.push(socket);
    const count = (counts.get(socket) ?? 0) + 1;
    counts.set(socket, count);
    answer(socket, count, order.indexOf(socket) + 1);
  });
  const client = createClient({
    provider: 'openai',
    baseUrl: `${server.url}/v1`,
    apiKey: 'k',
    connect,
    timeouts,
  });
  open.push(client, server);
  return { server, client };
}

const resultOf = (client: StreamClient): Promise<Observation> => client.stream({ prompt: 'hi' }).result;

describe('an open connection that the server closes as the next request is sent', () => {
  test.each<[string, (socket: Socket) => unknown]>([
    ['closed', (socket) => socket.end()],
    ['destroyed', (socket) => socket.destroy()],
    ['reset', (socket) => socket.resetAndDestroy()],
  ])('%s: the request is sent again on a new one, and its marks start there', async (_name, close) => {
    const { server, client } = await serve((socket, request) =>
      request === 1 ? whole(socket) : setTimeout(() => close(socket), 30),
    );
    const first = await resultOf(client);
    expect(first).toMatchObject({ outcome: { kind: 'ok' }, connection: { reused: false } });
    expect(first.reconnected).toBeUndefined();
    const { outcome, reconnected, connection, marks } = await resultOf(client);
    expect(outcome.kind).toBe('ok');
    expect(reconnected).toBe(true);
    expect(connection?.reused).toBe(false);
    expect(server.requests).toHaveLength(3);
    expect(server.requests[2]).toBe(server.requests[1]);
    expect(marks.connectStart! - marks.started).toBeGreaterThan(20);
    const { started, connectStart, tcp, sent, headers } = marks;
    const order = [started, connectStart!, tcp!, sent!, headers!];
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('a connection that was opened ahead counts too', async () => {
    const { client } = await serve((socket, _request, connection) =>
      connection === 1 ? socket.destroy() : whole(socket),
    );
    await client.warm(1);
    expect(await resultOf(client)).toMatchObject({ outcome: { kind: 'ok' }, reconnected: true });
  });

  test('is tried once: it fails if the server keeps closing', async () => {
    const { server, client } = await serve((socket, request, connection) =>
      request === 1 && connection === 1 ? whole(socket) : socket.destroy(),
    );
    await resultOf(client);
    const seen = await resultOf(client);
    expect(seen).toMatchObject({ outcome: { kind: 'network' }, reconnected: true });
    expect(server.requests).toHaveLength(3);
  });

  test.each<[string, Answer]>([
    ['a new connection', (socket) => socket.destroy()],
    [
      'a byte of the answer',
      (socket, request) => (request === 1 ? whole(socket) : socket.end(SSE_HEAD.slice(0, 1))),
    ],
    [
      'an interim response',
      (socket, request) => (request === 1 ? whole(socket) : socket.end('HTTP/1.1 100 Continue\r\n\r\n')),
    ],
  ])('is not tried after %s', async (_name, answer) => {
    const { server, client } = await serve(answer);
    const first = await resultOf(client);
    const last = first.outcome.kind === 'ok' ? await resultOf(client) : first;
    expect(last.outcome.kind).toBe('network');
    expect(last.reconnected).toBeUndefined();
    expect(server.connections()).toBe(1);
  });

  const silentAfterOne: Answer = (socket, request) => (request === 1 ? whole(socket) : undefined);

  test('is not tried when the request ran into a limit', async () => {
    const { server, client } = await serve(silentAfterOne, {}, { firstByteMs: 40 });
    await resultOf(client);
    const late = await resultOf(client);
    expect(late).toMatchObject({ outcome: { kind: 'timeout', phase: 'first_byte' } });
    expect(late.reconnected).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  test('is not tried when the request was cancelled', async () => {
    const { server, client } = await serve(silentAfterOne);
    await resultOf(client);
    const stop = new AbortController();
    const stream = client.stream({ prompt: 'hi', signal: stop.signal });
    await expect.poll(() => server.requests.length).toBe(2);
    stop.abort();
    expect((await stream.result).outcome.kind).toBe('cancelled');
    await wait(20);
    expect(server.requests).toHaveLength(2);
  });
});

/** Promises to keep the connection, and closes it after each answer. */
const dropping: Answer = (socket) => {
  whole(socket);
  setImmediate(() => socket.destroy());
};

describe('a server that promises keep-alive and closes after each answer', () => {
  test('loses no request, and finds new connections open', async () => {
    const { server, client } = await serve(dropping);
    const seen: Observation[] = [];
    for (let i = 0; i < 60; i++) seen.push(await resultOf(client));
    expect(seen.map(({ outcome }) => outcome.kind)).toEqual(Array(60).fill('ok'));
    const replaced = seen.filter(({ connection }) => connection?.replaced).length;
    // What it has closed by the time of the next request is seen.
    expect(replaced).toBeGreaterThan(50);
    const opened = seen.filter(({ connection }) => !connection!.reused);
    expect(opened.length).toBeLessThan(5);
    expect(server.connections()).toBeLessThanOrEqual(seen.length + 2);
  });

  test('gets as many connections opened ahead as responses ended', async () => {
    const { client } = await serve(dropping);
    const four = () => Promise.all(Array.from({ length: 4 }, () => resultOf(client)));
    await four();
    await wait(30);
    await four();
    await wait(30);
    const seen = await four();
    expect(seen.map(({ outcome, connection }) => [outcome.kind, connection?.reused])).toEqual(
      Array(4).fill(['ok', true]),
    );
  });

  test('is trusted again when it keeps a connection', async () => {
    let drops = true;
    const { server, client } = await serve((socket, ...counts) =>
      drops ? dropping(socket, ...counts) : whole(socket),
    );
    await resultOf(client);
    await wait(20);
    drops = false;
    await resultOf(client);
    await wait(20);
    await resultOf(client);
    // One is put aside, to see whether it is closed.
    await wait(1_100);
    const before = server.connections();
    for (let i = 0; i < 5; i++) expect((await resultOf(client)).outcome.kind).toBe('ok');
    expect(server.connections() - before).toBeLessThanOrEqual(1);
  });

  test('an answer that is cut soon after the previous one is not such a close', async () => {
    const { server, client } = await serve((socket, request, connection) => {
      const cut = connection === 1 && request === 2;
      if (cut) socket.end(KEPT + chunked(chatChunk({ content: 'a' })));
      else whole(socket);
    });
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) outcomes.push((await resultOf(client)).outcome.kind);
    expect(outcomes).toEqual(['ok', 'truncated', 'ok', 'ok']);
    // The third request opened a connection, and the fourth one used it.
    expect(server.connections()).toBe(2);
  });

  test('per request: nothing is opened ahead', async () => {
    const { server, client } = await serve(dropping, { connection: 'per-request' });
    for (let i = 0; i < 5; i++) {
      const { outcome, connection } = await resultOf(client);
      expect([outcome.kind, connection?.reused, connection?.replaced]).toEqual(['ok', false, undefined]);
    }
    expect(server.connections()).toBe(5);
  });
});

describe('a connection without keep-alive', () => {
  test('is opened with the request, and none is opened ahead', async () => {
    const { server, client } = await serve((socket) => {
      whole(socket, SSE_HEAD.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
      socket.end();
    });
    for (let i = 0; i < 4; i++) {
      const { outcome, connection } = await resultOf(client);
      expect([outcome.kind, connection?.reused, connection?.replaced]).toEqual(['ok', false, undefined]);
    }
    expect(server.connections()).toBe(4);
  });

  test('with a keep-alive timeout is closed before the server closes it', async () => {
    const hinting = SSE_HEAD.replace('\r\n\r\n', '\r\nkeep-alive: timeout=1\r\n\r\n');
    const { server, client } = await serve((socket) => whole(socket, hinting));
    await resultOf(client);
    await wait(700);
    const seen = await resultOf(client);
    expect(seen).toMatchObject({ outcome: { kind: 'ok' }, connection: { reused: false } });
    expect(seen.connection?.replaced).toBeUndefined();
    expect(server.connections()).toBe(2);
  });

  test('with a keep-alive timeout is reused within it', async () => {
    const hinting = SSE_HEAD.replace('\r\n\r\n', '\r\nkeep-alive: timeout=2\r\n\r\n');
    const { client } = await serve((socket) => whole(socket, hinting));
    await resultOf(client);
    expect((await resultOf(client)).connection?.reused).toBe(true);
  });
});

describe('a body that ends with the connection', () => {
  const CLOSING = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
  test.each<[string, (socket: Socket) => unknown, string]>([
    ['and the connection is closed: whole', (socket) => socket.end(), 'ok'],
    ['and the connection is reset: cut', (socket) => socket.resetAndDestroy(), 'truncated'],
  ])('%s', async (_name, close, kind) => {
    for (const dialect of ['sse', 'ndjson', 'raw']) {
      for (const head of [CLOSING, CLOSING.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')]) {
        const server = await rawServer((socket) => {
          socket.write(`${head}${dialect === 'ndjson' ? '"one"\n' : 'data: one\n\n'}`);
          setTimeout(() => close(socket), 30);
        });
        const client = createClient({ baseUrl: server.url, dialect });
        open.push(client, server);
        const { outcome, contentEvents } = await resultOf(client);
        expect([dialect, outcome.kind, contentEvents]).toEqual([dialect, kind, 1]);
        if (kind === 'truncated') expect(outcome.code).toBe('ECONNRESET');
      }
    }
  });

  test('in chunked encoding without its last chunk is cut, with or without keep-alive', async () => {
    for (const head of [KEPT, SSE_HEAD.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')]) {
      const { client } = await serve((socket) => {
        socket.end(head + chunked(chatChunk({ content: 'a' })));
      });
      const { outcome } = await resultOf(client);
      expect(outcome).toMatchObject({ kind: 'truncated', code: 'UND_ERR_SOCKET' });
      expect(outcome.message).toContain('the server closed the connection');
    }
  });
});
