import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { SocketReads } from '../../../src/client/transport/socket-reads.ts';
import { CA } from '../../support/chat-server.ts';
import { frameServer, type RawConnection, type RawOptions } from '../../support/frame-server.ts';
import { data, headers } from '../../support/http2-frames.ts';
import { CHUNKED_END, chatChunk, chunked, SSE_HEAD } from '../../support/raw-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

async function serve(options: RawOptions) {
  const server = await frameServer(options);
  const client = createClient({
    provider: 'openai',
    baseUrl: `${server.url}/v1`,
    apiKey: 'k',
    connect: { http: options.http, ca: CA },
  });
  open.push(client, server);
  return { server, client };
}

const word = (text: string) => chatChunk({ content: text });
const FINISH = `${chatChunk({}, 'stop')}data: [DONE]\n\n`;
/** Long enough for one write to be one read. */
const BETWEEN_MS = 40;

describe.each([false, true])('what was read from the socket at once (TLS: %s)', (secure) => {
  test('is one read over HTTP/1.1, whatever the number of chunks and records', async () => {
    const { client } = await serve({
      secure,
      http: 1,
      async answer({ write }) {
        await write(SSE_HEAD);
        for (const words of ['abcd', 'efgh', 'ijkl']) {
          await wait(BETWEEN_MS);
          await write(...Array.from(words, (letter) => chunked(word(letter))));
        }
        await wait(BETWEEN_MS);
        await write(chunked(FINISH), CHUNKED_END);
      },
    });
    const { outcome, marks, reads, events, coalesced, gaps, text } = await client.stream({ prompt: 'hi' })
      .result;
    expect(outcome.kind).toBe('ok');
    expect(text).toBe('abcdefghijkl');
    expect({ reads, events, coalesced }).toEqual({ reads: 4, events: 14, coalesced: 9 });

    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThan(5);
    expect(marks.firstByte!).toBeGreaterThan(marks.headers!);
    expect(marks.end! - marks.lastToken!).toBeGreaterThan(5);
  });

  test('gives headers, first byte and first token one stamp', async () => {
    const { client } = await serve({
      secure,
      http: 1,
      answer: ({ write }) => write(SSE_HEAD, chunked(word('a')), chunked(FINISH), CHUNKED_END),
    });
    const { marks, reads } = await client.stream({ prompt: 'hi' }).result;
    expect(reads).toBe(1);
    for (const name of ['firstByte', 'firstEvent', 'firstToken', 'lastToken', 'end'] as const) {
      expect(marks[name], name).toBe(marks.headers);
    }
  });

  test('without a body byte is not counted as a read of the body', async () => {
    const { client } = await serve({
      secure,
      http: 1,
      async answer({ write }) {
        await write(SSE_HEAD);
        // The size of a chunk alone, then the chunk with the beginning of the next size.
        const size = Buffer.byteLength(word('a')).toString(16);
        await wait(BETWEEN_MS);
        await write(`${size}\r\n`);
        await wait(BETWEEN_MS);
        await write(word('a'), '\r\n');
        await wait(BETWEEN_MS);
        await write(chunked(FINISH), CHUNKED_END);
      },
    });
    const { outcome, reads } = await client.stream({ prompt: 'hi' }).result;
    expect({ kind: outcome.kind, reads }).toEqual({ kind: 'ok', reads: 2 });
  });

  test('is one read over HTTP/2, also for streams that share it', async () => {
    const streams: number[] = [];
    const play = async ({ write }: RawConnection) => {
      const both = (text: string, end = false) => streams.map((stream) => data(stream, text, { end }));
      await write(...streams.map((stream) => headers(stream)), ...both(word('a')), ...both(word('b')));
      for (const letters of ['cd', 'ef']) {
        await wait(BETWEEN_MS);
        // The frames of the two streams take turns.
        await write(...Array.from(letters).flatMap((letter) => both(word(letter))));
      }
      await wait(BETWEEN_MS);
      await write(...both(FINISH, true));
    };
    const { client } = await serve({
      secure,
      http: 2,
      answer(connection, stream) {
        streams.push(stream);
        if (streams.length === 2) void play(connection);
      },
    });
    await client.warm(2);
    const originAt = 0;
    const measure = () =>
      client.measure({
        request: { messages: [{ role: 'user', content: 'hi' }], stream: true },
        scheduledAt: originAt,
        originAt,
        keepText: true,
      });
    const [one, two] = await Promise.all([measure(), measure()]);
    for (const { outcome, reads, coalesced, text, gaps } of [one, two]) {
      expect(outcome.kind).toBe('ok');
      expect({ reads, coalesced, text }).toEqual({ reads: 4, coalesced: 3, text: 'abcdef' });
      for (const gap of gaps) expect(gap).toBeGreaterThan(5);
    }
    for (const name of ['headers', 'firstByte', 'firstToken', 'lastToken', 'end'] as const) {
      expect(two.marks[name], name).toBe(one.marks[name]);
    }
    expect(one.marks.firstByte).toBe(one.marks.headers);
  });
});

describe('the reads of a socket', () => {
  const socketWith = (handle: unknown) =>
    Object.assign(new EventEmitter(), { _handle: handle }) as unknown as Socket;
  let time = 0;
  const clock = { now: () => ++time, wallTime: () => new Date(0) };

  test('are distinguished by the byte count of the lowest handle', () => {
    const tcp = { bytesRead: 100 };
    const reads = new SocketReads(
      clock,
      socketWith({ bytesRead: 5, _parent: { bytesRead: 6, _parent: tcp } }),
      {
        single: false,
      },
    );
    const seen: number[] = [];
    for (const bytes of [0, 0, 30, 0, 1]) {
      tcp.bytesRead += bytes;
      reads.arrived();
      seen.push(reads.number);
    }
    expect(seen).toEqual([1, 1, 2, 2, 3]);
  });

  test('are turns of the event loop if no handle counts bytes', async () => {
    const reads = new SocketReads(clock, socketWith(undefined), { single: false });
    reads.arrived();
    const first = reads.atMs;
    reads.arrived();
    expect([reads.number, reads.atMs]).toEqual([1, first]);
    await nextTurn();
    reads.arrived();
    expect(reads.number).toBe(2);
    expect(reads.atMs).toBeGreaterThan(first);
  });

  test('end with the first of end, error and close, and the error is kept', () => {
    const socket = socketWith(undefined);
    const reads = new SocketReads(clock, socket, { single: true });
    socket.emit('error', new Error('reset'));
    const { endedAtMs } = reads;
    socket.emit('close');
    expect(reads.endedAtMs).toBe(endedAtMs);
    expect(reads.error?.message).toBe('reset');
  });
});
