import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { type StreamEnd, streamEnd } from '../../../src/client/transport/http2-session-end.ts';
import { CA } from '../../support/chat-server.ts';
import { frameServer, type RawConnection } from '../../support/frame-server.ts';
import { data, goaway, headers, reset } from '../../support/http2-frames.ts';
import { chatChunk } from '../../support/raw-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const ANSWER = [chatChunk({ content: 'a' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'].join('');
const whole = (connection: RawConnection, stream: number) =>
  connection.write(headers(stream), data(stream, ANSWER, { end: true }));

/** A client and a server that answers the first request of a connection whole, and the others by `second`. */
async function serve(
  second: (connection: RawConnection, stream: number) => unknown,
  { secure = false, dialect = 'openai-chat', first = whole } = {},
) {
  const answered = new Set<number>();
  const server = await frameServer({
    secure,
    http: 2,
    answer(connection, stream) {
      if (connection.number > 1 || !answered.has(1)) {
        answered.add(connection.number);
        return first(connection, stream);
      }
      return second(connection, stream);
    },
  });
  const client = createClient({
    baseUrl: `${server.url}/v1`,
    dialect,
    apiKey: 'k',
    connect: { http: 2, ca: CA },
  });
  open.push(client, server);
  const send = () => client.stream({ prompt: 'hi' }).result;
  return { server, send };
}

const begun = (stream: number) => [headers(stream), data(stream, chatChunk({ content: 'Hel' }))];

describe('an HTTP/2 response that is cut', () => {
  test.each<[string, (connection: RawConnection, stream: number) => unknown, string, RegExp]>([
    [
      'by RST_STREAM',
      ({ write }, stream) => write(...begun(stream), reset(stream, 2)),
      'HTTP2_STREAM_RESET',
      /RST_STREAM INTERNAL_ERROR/,
    ],
    [
      'by RST_STREAM without an error',
      ({ write }, stream) => write(...begun(stream), reset(stream, 0)),
      'HTTP2_STREAM_RESET',
      /RST_STREAM NO_ERROR/,
    ],
    [
      'by RST_STREAM CANCEL',
      ({ write }, stream) => write(...begun(stream), reset(stream, 8)),
      'HTTP2_STREAM_RESET',
      /RST_STREAM CANCEL/,
    ],
    [
      'by GOAWAY with an error',
      ({ write }, stream) => write(...begun(stream), goaway(stream, 11)),
      'HTTP2_GOAWAY',
      /GOAWAY ENHANCE_YOUR_CALM, before the response was complete/,
    ],
    [
      'by GOAWAY in good order and a close',
      async ({ write, socket }, stream) => {
        await write(...begun(stream), goaway(stream, 0));
        await wait(20);
        socket.end();
      },
      'HTTP2_SESSION_CLOSED',
      /closed the HTTP\/2 session before the response was complete/,
    ],
    [
      'by the end of the connection',
      async ({ write, socket }, stream) => {
        await write(...begun(stream));
        await wait(20);
        socket.end();
      },
      'HTTP2_CONNECTION_LOST',
      /closed by the server/,
    ],
    [
      'by a reset of the connection',
      async ({ write, socket }, stream) => {
        await write(...begun(stream));
        await wait(20);
        socket.resetAndDestroy();
      },
      'HTTP2_CONNECTION_LOST',
      /ECONNRESET/,
    ],
  ])('%s', async (_name, cut, code, message) => {
    for (const secure of [false, true]) {
      const { send } = await serve(cut, { secure });
      expect((await send()).outcome.kind).toBe('ok');
      const { outcome, partial } = await send();
      expect(outcome, `TLS: ${secure}`).toMatchObject({ kind: 'truncated', code });
      expect(outcome.message).toMatch(message);
      expect(partial).toBe(true);
    }
  });

  test.each([0, 2])('by RST_STREAM %i is cut where a dialect has no terminator', async (code) => {
    const { send } = await serve(
      ({ write }, stream) =>
        write(headers(stream), data(stream, 'data: one\n\ndata: two\n\n'), reset(stream, code)),
      {
        dialect: 'sse',
        first: ({ write }, stream) => write(headers(stream), data(stream, 'data: x\n\n', { end: true })),
      },
    );
    expect((await send()).outcome.kind).toBe('ok');
    expect((await send()).outcome).toMatchObject({ kind: 'truncated', code: 'HTTP2_STREAM_RESET' });
  });

  test('after its end by RST_STREAM NO_ERROR is complete', async () => {
    for (const secure of [false, true]) {
      const { send } = await serve(() => {}, {
        secure,
        dialect: 'sse',
        first: ({ write }, stream) =>
          write(headers(stream), data(stream, 'data: x\n\n', { end: true }), reset(stream, 0)),
      });
      expect((await send()).outcome.kind).toBe('ok');
    }
  });

  test('before it began has a remedy', async () => {
    const { send } = await serve(() => {}, { first: ({ write }, stream) => write(reset(stream, 2)) });
    expect((await send()).outcome).toMatchObject({
      kind: 'network',
      code: 'HTTP2_STREAM_RESET',
      hint: expect.stringContaining('see its log'),
    });
  });

  test('with END_STREAM in the headers is empty and complete', async () => {
    const { send } = await serve(() => {}, {
      first: ({ write }, stream) => write(headers(stream, { end: true })),
    });
    expect((await send()).outcome).toMatchObject({ kind: 'empty' });
  });
});

describe('an HTTP/2 request that the server did not process', () => {
  test.each<[string, (connection: RawConnection, stream: number) => unknown]>([
    ['refused', ({ write }, stream) => write(reset(stream, 7))],
    ['after the last of a session', ({ write }, stream) => write(goaway(stream - 2, 0))],
    ['after the last of a session with an error', ({ write }, stream) => write(goaway(stream - 2, 2))],
    ['on an idle session that is closed', ({ socket }) => socket.end()],
    ['on an idle session that is reset', ({ socket }) => socket.resetAndDestroy()],
  ])('is sent again once: %s', async (_name, refuse) => {
    const { server, send } = await serve(refuse);
    expect((await send()).reconnected).toBeUndefined();
    const seen = await send();
    expect(seen).toMatchObject({ outcome: { kind: 'ok' }, reconnected: true, connection: { reused: false } });
    expect(seen.marks.sent!).toBeGreaterThan(seen.marks.tcp!);
    expect(server.accepted()).toBe(2);
  });

  test.each<[string, (connection: RawConnection, stream: number) => unknown]>([
    ['reset with another code', ({ write }, stream) => write(reset(stream, 2))],
    ['under a GOAWAY that counts it in', ({ write }, stream) => write(goaway(stream, 2))],
  ])('may have been processed, and fails: %s', async (_name, refuse) => {
    const { server, send } = await serve(refuse);
    await send();
    expect((await send()).outcome.kind).toBe('network');
    expect(server.accepted()).toBe(1);
  });

  test('on a new session fails', async () => {
    const { server, send } = await serve(() => {}, { first: ({ write }, stream) => write(reset(stream, 7)) });
    expect((await send()).outcome).toMatchObject({ kind: 'network', code: 'HTTP2_STREAM_RESET' });
    expect(server.accepted()).toBe(1);
  });
});

test('a stream that is reset after GOAWAY is a reset', () => {
  const end: StreamEnd = {
    id: 3,
    rstCode: 2,
    goaway: { code: 0, lastStreamId: 7 },
    socketClosed: false,
    socketError: undefined,
    error: undefined,
  };
  const codeOf = (change: Partial<StreamEnd>) =>
    (streamEnd({ ...end, ...change }).error as NodeJS.ErrnoException).code;
  expect(codeOf({})).toBe('HTTP2_STREAM_RESET');
  expect(codeOf({ socketClosed: true })).toBe('HTTP2_SESSION_CLOSED');
  expect(codeOf({ id: 9 })).toBe('HTTP2_SESSION_CLOSED');
  expect(codeOf({ goaway: { code: 1, lastStreamId: 7 } })).toBe('HTTP2_GOAWAY');
});
