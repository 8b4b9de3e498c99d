import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { exchange } from '../../src/client/exchange.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { DEFAULT_TIMEOUTS } from '../../src/model/plan.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import type { Dialect } from '../../src/wire/dialect.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { ScriptedConnection } from './scripted-connection.ts';

// What is thrown while one response is read is the outcome of that request, or reaches who threw it.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const OK = [
  chatChunk({ content: 'a' }),
  chatChunk({ content: 'b' }),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
];
const WRITTEN = SSE_HEAD + OK.map(chunked).join('') + CHUNKED_END;

async function serve() {
  const server = await rawServer((socket) => void socket.write(WRITTEN));
  const client = createClient({ baseUrl: server.url, dialect: 'openai-chat', auth: 'none' });
  open.push(client, server);
  return client;
}

describe('a decoder that throws', () => {
  const chat = getDialect('openai-chat');
  const broken: [string, Dialect][] = [
    ['in a frame', { ...chat, decoder: () => ({ decode: boom, end: () => [] }) }],
    ['at the end', { ...chat, decoder: () => ({ decode: () => [], end: boom }) }],
    ['in a whole answer', { ...chat, decodeWhole: boom }],
  ];

  function boom(): never {
    throw new TypeError('boom');
  }

  test.each(broken)('%s: the outcome says that it is our fault', async (name, dialect) => {
    const connection = new ScriptedConnection();
    const observing = exchange(connection, {
      dialect,
      request: { method: 'POST', path: '/', headers: {} },
      stream: name !== 'in a whole answer',
      timeouts: DEFAULT_TIMEOUTS,
      clock: monotonicClock,
      originAt: monotonicClock.now(),
      scheduledAt: monotonicClock.now(),
      keepText: false,
      redactor: createRedactor([]),
    });
    connection.answer(200, Buffer.from(name === 'in a whole answer' ? '{}' : OK.join('')));
    const { outcome } = await observing;
    expect(outcome).toMatchObject({
      kind: 'malformed',
      code: 'READER_FAULT',
      message: 'streambench failed to read this response: TypeError: boom',
      hint: expect.stringMatching(/bug in streambench/),
    });
    expect(connection.destroyed).toBe(true);
  });
});

describe('an onBytes that throws', () => {
  const thrown = new Error('disk full');
  const onBytes = () => {
    throw thrown;
  };

  test('is the rejection of result; the next request is not affected', async () => {
    const client = await serve();
    await expect(client.stream({ prompt: 'hi', onBytes }).result).rejects.toBe(thrown);
    expect((await client.stream({ prompt: 'hi' }).result).outcome.kind).toBe('ok');
  });

  test('is thrown by the iteration', async () => {
    const client = await serve();
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const event of client.stream({ prompt: 'hi', onBytes })) seen.push(event.type);
      })(),
    ).rejects.toBe(thrown);
    expect(seen).toEqual([]);
  });

  test('is the rejection of complete', async () => {
    const server = await rawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
    );
    const client = createClient({ baseUrl: server.url, dialect: 'openai-chat', auth: 'none' });
    open.push(client, server);
    await expect(client.complete({ prompt: 'hi', onBytes })).rejects.toBe(thrown);
  });
});
