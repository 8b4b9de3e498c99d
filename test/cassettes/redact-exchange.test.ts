import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bodyOf, type RecordedExchange, writeCassette } from '../../src/cassettes/cassette.ts';
import { redactExchange, UnhideableSecret } from '../../src/cassettes/redact-exchange.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { chatChunk } from '../support/raw-server.ts';
import { cassette, exchange, reads } from './sample.ts';

const KEY = 'sk-canary-4711-abcdefgh';
const redactor = createRedactor([{ name: '[key]', value: KEY }]);
const clean = (changes: Partial<RecordedExchange>) => redactExchange(exchange(changes), redactor);
const ECHO = chatChunk({ content: `your key is ${KEY}, keep it` });

test('a response without a secret keeps its bytes and its reads', () => {
  const pieces = [Buffer.from([0xff, 0x00]), Buffer.from('请').subarray(0, 1), Buffer.from('请').subarray(1)];
  const before = exchange({ reads: reads(...pieces) });
  expect(redactExchange(before, redactor).reads).toEqual(before.reads);
});

test('credentials of the request, cookies of the response and echoes of the key are hidden', () => {
  const { request, response } = exchange();
  const stored = clean({
    request: {
      ...request,
      path: `/v1/x?key=another-key-1234&alt=sse&echo=${KEY}`,
      headers: { authorization: 'Bearer something', 'x-api-key': 'k', 'x-note': `of ${KEY}`, accept: '*/*' },
      body: JSON.stringify({ user: KEY }),
    },
    response: {
      ...response!,
      headers: { 'set-cookie': ['a=1', 'b=2'], 'x-echo': KEY, 'x-ratelimit-remaining-tokens': '17' },
    },
    reads: reads(ECHO),
  });
  expect(stored.request).toMatchObject({
    path: '/v1/x?key=[redacted]&alt=sse&echo=[key]',
    headers: { authorization: '[redacted]', 'x-api-key': '[redacted]', 'x-note': 'of [key]', accept: '*/*' },
    body: '{"user":"[key]"}',
  });
  expect(stored.response?.headers).toEqual({
    ...{
      'set-cookie': ['[redacted]', '[redacted]'],
      'x-echo': '[key]',
      'x-ratelimit-remaining-tokens': '17',
    },
  });
  expect(bodyOf(stored).toString()).toBe(ECHO.replace(KEY, '[key]'));
  expect(writeCassette(cassette(stored))).not.toMatch(/canary|another-key|something/);
});

test('a key that is cut by reads is hidden, and no other read moves', () => {
  const before = chatChunk({ content: 'a' });
  const at = ECHO.indexOf(KEY);
  const pieces = [before, ECHO.slice(0, at + 2), ECHO.slice(at + 2, at + 9), ECHO.slice(at + 9), before];
  const stored = clean({ reads: reads(...pieces) });
  expect(stored.reads.map(({ atMs, bytes }) => [atMs, Buffer.from(bytes).toString()])).toEqual([
    [100, before],
    [130, ECHO.replace(KEY, '[key]')],
    [140, before],
  ]);
});

test('an announced length is that of the stored body', () => {
  const { response } = exchange();
  const headers = { 'content-length': String(Buffer.byteLength(ECHO)) };
  const stored = clean({ response: { ...response!, headers }, reads: reads(ECHO) });
  expect(stored.response?.headers['content-length']).toBe(String(bodyOf(stored).length));
});

describe('what cannot be hidden is not stored', () => {
  const compressed = (text: string, encoding = 'gzip') => {
    const { response } = exchange();
    return clean({
      response: { ...response!, headers: { 'content-encoding': encoding } },
      reads: reads(gzipSync(text).subarray(0, -4)),
    });
  };

  test('a key in a compressed body, also of a kind that cannot be read', () => {
    expect(() => compressed(ECHO)).toThrow(UnhideableSecret);
    expect(() => compressed('nothing', 'zstd')).toThrow('is compressed (zstd) and may contain a secret');
    expect(compressed('nothing').reads).toHaveLength(1);
  });

  test('a key in pieces of a few characters, one in each event', () => {
    const pieces = KEY.match(/.{1,3}/g)!.map((content) => chatChunk({ content }));
    expect(() => clean({ reads: reads(...pieces) })).toThrow('quotes a secret in pieces');
  });
});
