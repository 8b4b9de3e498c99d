import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { honoHandler, nodeHandler } from '../../src/gateway/adapters.ts';
import { encodeResponse } from '../../src/gateway/encode-stream.ts';
import type { FetchHandler } from '../../src/gateway/gateway.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { peersInstalled } from '../peers/installed.ts';

// The witness is a socket: what arrives on it, and when the source learns that it was closed.

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

type Start = (handler: FetchHandler, onError?: (error: unknown) => void) => Promise<number>;

async function listening(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const startNode: Start = (handler, onError) => listening(nodeHandler(handler, { onError }));

const startExpress: Start = (handler, onError) => {
  const express = createRequire(join(import.meta.dirname, '../peers/package.json'))('express');
  const app = express();
  // Reads the body before the adapter does.
  app.use(express.json());
  app.post('/', nodeHandler(handler, { onError }));
  return listening(app);
};

const startHono: Start = (handler) =>
  new Promise((resolve) => {
    const app = new Hono().post('/', honoHandler(handler));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port));
    open.push(() => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    });
  });

const SERVERS: [string, Start, boolean][] = [
  ['http', startNode, true],
  ['Express', startExpress, peersInstalled()],
  ['Hono', startHono, true],
];

async function ask(port: number, body = '{"ask":1}'): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

async function readUntil(socket: Socket, text: string): Promise<string> {
  let all = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    all += chunk;
    if (all.includes(text)) return all;
  }
  return all;
}

/** Events that the test gives one by one. */
function controlled() {
  let give = (_: StreamEvent) => {};
  let ended: (() => void) | undefined;
  const over = new Promise<void>((resolve) => (ended = resolve));
  const state = { asked: 0, over, give: (event: StreamEvent) => give(event) };
  const events: AsyncIterable<StreamEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        state.asked++;
        return new Promise((resolve) => (give = (value) => resolve({ done: false, value })));
      },
      return: async () => {
        ended?.();
        return { done: true as const, value: undefined };
      },
    }),
  };
  return { state, events };
}

const text = (value: string): StreamEvent => ({ type: 'message_chunk', text: value });

describe.each(SERVERS.filter(([, , isThere]) => isThere))('%s', (_name, start) => {
  test('sends each event when it is made, reads the request, and ends the source when the caller leaves', async () => {
    const { state, events } = controlled();
    let asked = '';
    let aborted: AbortSignal | undefined;
    const port = await start(async (request) => {
      asked = await request.text();
      aborted = request.signal;
      return encodeResponse(events, { dialect: 'openai-chat' });
    });
    const socket = await ask(port);
    await expect.poll(() => state.asked).toBe(1);
    state.give(text('first'));
    // It arrives although the source has made no second event.
    expect(await readUntil(socket, 'first')).toMatch(/200 OK[\s\S]*text\/event-stream/);
    expect(JSON.parse(asked)).toEqual({ ask: 1 });
    socket.destroy();
    await state.over;
    expect(aborted).toBeInstanceOf(AbortSignal);
  });

  test('a slow reader stops the source', async () => {
    let made = 0;
    const piece = 'x'.repeat(16_384);
    async function* endless() {
      for (;;) {
        made++;
        yield text(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const port = await start(() => encodeResponse(endless(), { dialect: 'openai-chat' }));
    const socket = await ask(port);
    socket.pause();
    // The socket's buffers take a few megabytes, then nothing more is made.
    let before = -1;
    await expect
      .poll(
        () => {
          const same = made > 10 && made === before;
          before = made;
          return same;
        },
        { interval: 100, timeout: 15_000 },
      )
      .toBe(true);
    expect(made * piece.length).toBeLessThan(64 * 1024 * 1024);
    const stopped = made;
    socket.resume();
    await expect.poll(() => made).toBeGreaterThan(stopped);
  });

  test('a source that fails is an error event, and the answer ends', async () => {
    async function* failing() {
      yield text('half');
      throw new Error('gone');
    }
    const port = await start(() => encodeResponse(failing(), { dialect: 'anthropic' }));
    const body = await (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: '{}' })).text();
    expect(body).toMatch(/event: error\ndata: .*gone/);
  });

  test('an error that the dialect cannot express cuts the connection', async () => {
    const errors: unknown[] = [];
    const port = await start(
      () => encodeResponse([text('half')], { dialect: 'raw' }),
      (error) => errors.push(error),
    );
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: '{}' });
    await expect(response.text()).rejects.toThrow();
  });
});

describe('http', () => {
  test('a handler that throws is 500 without its message', async () => {
    const errors: unknown[] = [];
    const port = await startNode(
      async () => {
        throw new Error('secret');
      },
      (error) => errors.push(error),
    );
    const response = await fetch(`http://127.0.0.1:${port}`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(errors).toEqual([new Error('secret')]);
  });

  test('a body over the limit is 413', async () => {
    const port = await listening(nodeHandler(async () => new Response('ok'), { bodyBytes: 10 }));
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x'.repeat(11) });
    expect(response.status).toBe(413);
  });
});
