import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../src/client/client.ts';
import { WindowOver } from '../../src/client/outcome/evidence.ts';
import type { Observation } from '../../src/model/record.ts';
import { type ChatServer, chatServer } from '../support/chat-server.ts';
import { chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

// Streams that the client cuts: as planned after a time, or because the window of the request is over.

const serve = rawServers();
const clients: StreamClient[] = [];
const servers: ChatServer[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
});

const AFTER_MS = 80;

interface Ask {
  dialect?: string;
  cutAfterMs?: number;
  signal?: AbortSignal;
  http?: 1 | 2;
}

function clientOf(url: string, { dialect = 'openai-chat', http = 1 }: Ask): StreamClient {
  const client = createClient({ baseUrl: url, model: 'm', dialect, connect: { http } });
  clients.push(client);
  return client;
}

function measure(client: StreamClient, { cutAfterMs = AFTER_MS, signal }: Ask = {}): Promise<Observation> {
  const request = { messages: [{ role: 'user' as const, content: 'hi' }], stream: true };
  const now = performance.now();
  return client.measure({ request, scheduledAt: now, originAt: now, keepText: false, cutAfterMs, signal });
}

async function ask(body: string, options: Ask = {}): Promise<Observation> {
  const server = await serve((socket) => socket.write(SSE_HEAD + body));
  return measure(clientOf(server.url, options), options);
}

const HELLO = chunked(chatChunk({ content: 'Hel' }));

describe('a planned cut', () => {
  test('ends an endless stream as a success that is marked, after its time and not before', async () => {
    const { outcome, cut, marks, contentEvents, partial } = await ask(HELLO + HELLO);
    expect({ outcome, cut, contentEvents, partial }).toEqual({
      outcome: { kind: 'ok' },
      cut: true,
      contentEvents: 2,
      partial: undefined,
    });
    expect(marks.end! - marks.sent!).toBeGreaterThanOrEqual(AFTER_MS);
    expect(marks.lastToken).toBeLessThan(marks.end!);
  });

  test('reads the plain dialects too, in which only the end of the body ends a stream', async () => {
    const news = await ask(chunked('data: news\n\n'), { dialect: 'sse' });
    expect(news).toMatchObject({ outcome: { kind: 'ok' }, cut: true, contentEvents: 1 });
  });

  test('does not touch a stream that ends before', async () => {
    const done = `${chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`)}0\r\n\r\n`;
    const observation = await ask(HELLO + done, { cutAfterMs: 5_000 });
    expect(observation.outcome).toEqual({ kind: 'ok' });
    expect(observation.cut).toBeUndefined();
  });

  test.each([
    ['no event', ''],
    ['only comments', chunked(': ping\n\n')],
  ])('of a stream with %s is not a success', async (_name, body) => {
    const { outcome, cut } = await ask(body);
    expect(outcome).toMatchObject({ kind: 'empty', message: expect.stringContaining('no event in the') });
    expect(outcome.hint).toContain('--for');
    expect(cut).toBeUndefined();
  });

  test('of a stream without content says how many events came', async () => {
    const { outcome } = await ask(chunked(chatChunk({ role: 'assistant' })));
    expect(outcome).toMatchObject({
      kind: 'empty',
      message: expect.stringMatching(/^1 event, none with content/),
    });
  });

  test('does not hide a failure that was sent in the stream', async () => {
    const { outcome, cut } = await ask(HELLO + chunked('data: {"error":{"message":"overloaded"}}\n\n'));
    expect(outcome.kind).toBe('inband_error');
    expect(cut).toBeUndefined();
  });

  test('does not make a success of an error status or of a body that is not a stream', async () => {
    const server = await serve((socket) =>
      socket.write('HTTP/1.1 500 Oops\r\ncontent-type: text/plain\r\ncontent-length: 99\r\n\r\nno'),
    );
    expect((await measure(clientOf(server.url, {}))).outcome.kind).toBe('http_error');
    const html = await serve((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 999\r\n\r\n<!doctype html>',
      ),
    );
    expect((await measure(clientOf(html.url, {}))).outcome.kind).not.toBe('ok');
  });

  test.each([1, 2] as const)(
    'over HTTP/%i frees the stream, and the next request is answered',
    async (http) => {
      let closed = 0;
      const server = await chatServer({
        http,
        maxConcurrentStreams: 1,
        answer(response) {
          response.on('close', () => (closed += 1));
          response.write(chatChunk({ content: 'x' }));
        },
      });
      servers.push(server);
      const client = clientOf(server.url, { http });
      for (let i = 0; i < 3; i++)
        expect(await measure(client)).toMatchObject({ outcome: { kind: 'ok' }, cut: true });
      await expect.poll(() => closed).toBe(3);
      // A stream of HTTP/2 ends alone; HTTP/1.1 has no other way than to close the connection.
      if (http === 2) expect(server.accepted()).toBe(1);
      await expect.poll(() => server.open()).toBeLessThanOrEqual(1);
    },
  );
});

test('a request that is cut because its window is over is neither a success nor a failure', async () => {
  const server = await serve((socket) => socket.write(SSE_HEAD + HELLO));
  const over = new AbortController();
  const asking = measure(clientOf(server.url, {}), { cutAfterMs: 60_000, signal: over.signal });
  setTimeout(() => over.abort(new WindowOver(2_000)), 50);
  const { outcome, cut, partial } = await asking;
  expect(outcome.kind).toBe('cut');
  expect(outcome.message).toContain('2 s after the end of its window and cut, after 1 content event');
  expect(outcome.hint).toContain('--grace');
  expect(cut).toBeUndefined();
  expect(partial).toBe(true);
});
