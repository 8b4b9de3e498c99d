import type { Socket } from 'node:net';
import * as zlib from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { DECODED_ENCODINGS, isDecoded } from '../../src/client/inflater.ts';
import { CHUNKED_END, chatChunk, chunked, type RawServer, rawServer } from '../support/raw-server.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0)) await close();
});

type Compressor = zlib.Gzip | zlib.BrotliCompress;
const zstd = (zlib as unknown as { createZstdCompress?: () => Compressor }).createZstdCompress;
const COMPRESSORS: Record<string, () => Compressor> = {
  gzip: zlib.createGzip,
  deflate: zlib.createDeflate,
  br: zlib.createBrotliCompress,
  ...(zstd && { zstd }),
};
if (zstd === undefined) console.warn('this Node has no zstd: its streams are not decoded, and not tested');

const EVENTS = [
  ...Array.from({ length: 5 }, (_, i) => chatChunk({ content: `word ${i} ` })),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
];

/** Sends each event, compressed, when the one before has left; `flushed`: each is flushed out of the compressor. */
async function serve(encoding: string, flushed: boolean): Promise<RawServer> {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: ${encoding}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const server = await rawServer((socket: Socket) => {
    socket.write(head);
    const compressor = COMPRESSORS[encoding]!();
    compressor.on('data', (bytes: Buffer) => {
      socket.write(`${bytes.length.toString(16)}\r\n`);
      socket.write(Buffer.concat([bytes, Buffer.from('\r\n')]));
    });
    compressor.on('end', () => socket.write(CHUNKED_END));
    const step = (i: number) => {
      if (i === EVENTS.length) compressor.end();
      else {
        compressor.write(EVENTS[i]!);
        const next = () => setTimeout(step, 30, i + 1);
        if (flushed) compressor.flush(next);
        else next();
      }
    };
    step(0);
  });
  cleanup.push(() => server.close());
  return server;
}

async function ask(server: RawServer, accept: string | undefined) {
  const headers: Record<string, string> = accept === undefined ? {} : { 'Accept-Encoding': accept };
  const client = createClient({ baseUrl: `${server.url}/v1`, dialect: 'openai-chat', model: 'm', headers });
  cleanup.push(() => client.close());
  return client.stream({ prompt: 'x' }).result;
}

describe.each(Object.keys(COMPRESSORS))('%s', (encoding) => {
  test('that is flushed after every event is decoded, and each event keeps its stamp', async () => {
    const observation = await ask(await serve(encoding, true), encoding);
    expect(observation.outcome).toEqual({ kind: 'ok' });
    expect(observation.text).toBe('word 0 word 1 word 2 word 3 word 4 ');
    expect(observation.contentEvents).toBe(5);
    expect(observation.coalesced).toBeLessThan(4);
    expect(observation.marks.lastToken! - observation.marks.firstToken!).toBeGreaterThan(60);
  });

  test('that is never flushed is decoded at its end, as in a browser', async () => {
    const observation = await ask(await serve(encoding, false), encoding);
    expect(observation.outcome).toEqual({ kind: 'ok' });
    expect(observation).toMatchObject({ contentEvents: 5, coalesced: 4 });
    expect(observation.marks.firstToken! - observation.marks.sent!).toBeGreaterThan(150);
  });
});

test('an encoding that was not requested is not decoded, and the failure names the remedy', async () => {
  const { outcome } = await ask(await serve('gzip', true), undefined);
  expect(outcome).toMatchObject({ kind: 'not_a_stream', message: expect.stringContaining('gzip') });
  expect(outcome.hint).toContain('accept-encoding: gzip');
});

test('a body that does not have its declared encoding is malformed', async () => {
  const head =
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n';
  const server = await rawServer((socket) => {
    socket.write(head + chunked(chatChunk({ content: 'x' }, 'stop')) + CHUNKED_END);
  });
  cleanup.push(() => server.close());
  expect((await ask(server, 'gzip')).outcome).toMatchObject({
    kind: 'malformed',
    message: expect.stringContaining('cannot be decompressed'),
  });
});

test.each([
  ['gzip', 'gzip, br;q=0.5', true],
  ['GZIP', 'gzip', true],
  ['br', '*', true],
  ['gzip', 'identity', false],
  ['gzip', undefined, false],
  [undefined, 'gzip', false],
  ['snappy', 'snappy', false],
])('content-encoding %s with accept-encoding %s: decoded %s', (encoding, accepted, expected) => {
  expect(isDecoded(encoding, accepted)).toBe(expected);
});

test('zstd is decoded if this Node supports it', () => {
  expect(DECODED_ENCODINGS.includes('zstd')).toBe(zstd !== undefined);
});
