import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { MAX_LIMIT_BYTES } from '../../src/model/plan.ts';
import { CA, chatServer } from '../support/chat-server.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';

// A server may send what it likes: more than a limit is an outcome, and the process and other requests go on.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

function clientOf(baseUrl: string, options: Partial<ClientOptions> = {}): StreamClient {
  const client = createClient({ baseUrl, dialect: 'openai-chat', auth: 'none', model: 'm', ...options });
  open.push(client);
  return client;
}

async function serve(
  answer: (socket: Socket, request: string) => void,
  options: Partial<ClientOptions> = {},
) {
  const server = await rawServer(answer);
  open.push(server);
  return clientOf(`${server.url}/v1`, options);
}

const OK = [chatChunk({ content: 'ok' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'];
const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

/** Writes the same piece again and again, as fast as it is read, until the other side has closed. */
function pour(socket: Socket, piece: string): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    const more = () => {
      while (!socket.destroyed) {
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('drain', more).on('close', () => resolve(sent));
    more();
  });
}

describe('a line that never ends', () => {
  test.each([
    ['openai-chat', SSE_HEAD + chunked(chatChunk({ content: 'a' })), 'data: {"x":"', 1],
    ['ollama-chat', `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`, '{"x":"', 0],
    ['gemini-array', `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`, '[{"x":"', 0],
  ])(
    '%s: the request ends at the limit, and the connection is closed',
    async (dialect, head, begin, content) => {
      let poured: Promise<number> | undefined;
      const client = await serve(
        (socket) => {
          socket.write(head + chunked(begin));
          poured = pour(socket, chunked('x'.repeat(10_000)));
        },
        { dialect, limits: { eventBytes: 100_000 } },
      );
      const { outcome, ...seen } = await client.stream({ prompt: 'hi' }).result;
      expect(outcome).toMatchObject({
        kind: 'too_large',
        message: expect.stringMatching(/^an event of the stream is larger than the limit of 100 kB/),
        hint: expect.stringMatching(/limits\.event.*limits\.eventBytes/),
      });
      expect(seen.contentEvents).toBe(content);
      expect(seen.partial).toBe(content > 0 ? true : undefined);
      expect(seen.bytes).toBeLessThan(1_000_000);
      await poured;
    },
  );

  test('is the last event of an iteration, as an error', async () => {
    const client = await serve(
      (socket) => void socket.write(SSE_HEAD + chunked(`data: ${'x'.repeat(5_000)}`)),
      {
        limits: { eventBytes: 4_000 },
      },
    );
    const events = [];
    for await (const event of client.stream({ prompt: 'hi' })) events.push(event);
    expect(events).toMatchObject([{ type: 'error', code: 'too_large' }]);
  });
});

test('one event over the limit ends its own request only; the default lets a large one through', async () => {
  const large = chatChunk({ content: 'x'.repeat(2_000_000) });
  const answer = (socket: Socket, request: string) =>
    socket.write(
      SSE_HEAD + [...(request.includes('large') ? [large] : []), ...OK].map(chunked).join('') + CHUNKED_END,
    );
  const limited = await serve(answer, { limits: { eventBytes: 1_000_000 } });
  const seen = await Promise.all(
    ['large', 'small', 'large', 'small'].map((prompt) => limited.stream({ prompt }).result),
  );
  expect(seen.map(({ outcome }) => outcome.kind)).toEqual(['too_large', 'ok', 'too_large', 'ok']);
  expect(seen[0]!.outcome.message).toMatch(/ limit of 1 MB: [\d.]+ [kM]B or more$/);
  const free = await serve(answer);
  expect((await free.stream({ prompt: 'large' }).result).outcome.kind).toBe('ok');
});

describe('a whole answer', () => {
  test('whose content-length exceeds the limit is not read', async () => {
    let written = 0;
    const client = await serve((socket) => {
      socket.write(`${JSON_HEAD}content-length: 629145600\r\n\r\n`);
      socket.on('close', () => (written = socket.bytesWritten));
    });
    const { outcome, bytes } = (await client.complete({ prompt: 'hi' })).observation;
    expect(outcome).toMatchObject({
      kind: 'too_large',
      message: 'the answer is larger than the limit of 64 MiB: 629 MB or more',
      hint: expect.stringMatching(/limits\.body/),
    });
    expect(bytes).toBe(0);
    expect(written).toBeLessThan(1_000);
  });

  test('that does not end is aborted at the limit, with memory bounded by it', async () => {
    const client = await serve(
      (socket) => {
        socket.write(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`);
        void pour(socket, chunked('"x'.repeat(5_000)));
      },
      { limits: { bodyBytes: 3_000_000 } },
    );
    const { outcome, bytes } = (await client.complete({ prompt: 'hi' })).observation;
    expect(outcome).toMatchObject({ kind: 'too_large', message: expect.stringMatching(/limit of 3 MB/) });
    expect(bytes).toBeLessThan(4_000_000);
  });

  test('of many small reads is complete', async () => {
    const body = JSON.stringify({
      choices: [{ index: 0, message: { content: 'é天'.repeat(2_000) }, finish_reason: 'stop' }],
    });
    const client = await serve((socket) => {
      socket.write(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`);
      for (const byte of Buffer.from(body))
        socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
      socket.write(CHUNKED_END);
    });
    expect((await client.complete({ prompt: 'hi' })).text).toBe('é天'.repeat(2_000));
  });
});

test('an endless error body is aborted too, and the status is the outcome', async () => {
  let poured: Promise<number> | undefined;
  const client = await serve(
    (socket) => {
      socket.write('HTTP/1.1 503 Busy\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n');
      poured = pour(socket, chunked('busy '.repeat(2_000)));
    },
    { limits: { bodyBytes: 100_000 } },
  );
  const { outcome, bytes } = await client.stream({ prompt: 'hi' }).result;
  expect(outcome).toMatchObject({ kind: 'http_error', status: 503 });
  expect(bytes).toBeLessThan(1_000_000);
  await poured;
});

test('a stream has no limit by default', async () => {
  const many = Array.from({ length: 100 }, () => chunked(chatChunk({ content: 'x'.repeat(1_000) }))).join('');
  const answer = (socket: Socket) => socket.write(SSE_HEAD + many + OK.map(chunked).join('') + CHUNKED_END);
  const { outcome } = await (await serve(answer, { limits: { streamBytes: 50_000 } })).stream({
    prompt: 'hi',
  }).result;
  expect(outcome).toMatchObject({
    kind: 'too_large',
    message: expect.stringMatching(/^the stream is larger than/),
  });
  expect((await (await serve(answer)).stream({ prompt: 'hi' }).result).outcome.kind).toBe('ok');
});

describe('headers', () => {
  const lines = Array.from({ length: 60 }, (_, i) => `x-${i}: ${'v'.repeat(1_000)}\r\n`).join('');
  const answer = (socket: Socket) =>
    socket.write(
      `HTTP/1.1 200 OK\r\n${lines}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${OK.map(chunked).join('')}${CHUNKED_END}`,
    );

  test('HTTP/1.1: up to the limit, and one option raises it', async () => {
    expect((await (await serve(answer)).stream({ prompt: 'hi' }).result).outcome.kind).toBe('ok');
    const small = await serve(answer, { limits: { headerBytes: 30_000 } });
    expect((await small.stream({ prompt: 'hi' }).result).outcome).toMatchObject({
      kind: 'too_large',
      message: 'the response headers are larger than the limit of 30 kB',
      hint: expect.stringMatching(/limits\.headers.*limits\.headerBytes/),
    });
  });

  test('HTTP/1.1: that never end', async () => {
    const client = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      void pour(socket, `x: ${'v'.repeat(1_000)}\r\n`);
    });
    expect((await client.stream({ prompt: 'hi' }).result).outcome.kind).toBe('too_large');
  });

  test('HTTP/2: ends its own stream only', async () => {
    const server = await chatServer({ http: 2, secure: true });
    open.push(server);
    const connect = { http: 2, ca: CA } as const;
    const small = clientOf(`${server.url}/v1`, { connect, limits: { headerBytes: 10 } });
    const seen = await Promise.all([
      small.stream({ prompt: 'a' }).result,
      small.stream({ prompt: 'b' }).result,
    ]);
    expect(seen.map(({ outcome }) => outcome.kind)).toEqual(['too_large', 'too_large']);
    expect(server.accepted()).toBe(1);
    const usual = clientOf(`${server.url}/v1`, { connect });
    expect((await usual.stream({ prompt: 'hi' }).result).outcome.kind).toBe('ok');
  });
});

describe('JSON nested deep', () => {
  const deep = (levels: number) =>
    `data: {"choices":[{"index":1,"x":${'['.repeat(levels)}${']'.repeat(levels)}}]}\n\n`;

  test.each([9_000, 100_000])(
    '%i levels end their own request; concurrent streams continue',
    async (levels) => {
      const client = await serve((socket, request) => {
        const events = request.includes('deep') ? [OK[0]!, deep(levels), ...OK] : OK;
        socket.write(SSE_HEAD + events.map(chunked).join('') + CHUNKED_END);
      });
      const seen = await Promise.all(
        ['deep', 'flat', 'deep'].map((prompt) => client.stream({ prompt }).result),
      );
      expect(seen.map(({ outcome }) => outcome.kind)).toEqual(['malformed', 'ok', 'malformed']);
      expect(seen[0]!.outcome.message).toMatch(/nested deeper than 512 levels/);
    },
  );
});

test.each([0, -1, Number.NaN, MAX_LIMIT_BYTES + 1])('a limit of %d bytes is refused', (eventBytes) => {
  const make = () => createClient({ baseUrl: 'http://127.0.0.1:1', dialect: 'sse', limits: { eventBytes } });
  expect(make).toThrow(/limits\.eventBytes is .*\n {2}give a number of bytes above 0 and at most 524288000/);
});
