import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { InterimResponses } from '../../../src/client/transport/interim-responses.ts';
import { CA } from '../../support/chat-server.ts';
import { frameServer, type RawOptions } from '../../support/frame-server.ts';
import { data, headers, interim } from '../../support/http2-frames.ts';
import { CHUNKED_END, chatChunk, chunked, SSE_HEAD } from '../../support/raw-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n';
const ANSWER = [chatChunk({ content: 'a' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'].join('');

/** What is passed on of these chunks, as the socket does it. */
function strip(chunks: readonly string[]): string {
  const filter = new InterimResponses();
  let passed = '';
  let over = false;
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk, 'latin1');
    const rest = over ? bytes : filter.strip(bytes);
    if (rest === undefined) continue;
    over = true;
    passed += rest.toString('latin1');
  }
  return passed;
}

function cut(text: string, at: readonly number[]): string[] {
  const ends = [...at.map((n) => n % (text.length + 1)), text.length].sort((a, b) => a - b);
  return ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
}

describe('interim responses', () => {
  test('are removed, wherever the reads split them, and nothing else is', () => {
    const whole = fc.constantFrom(
      `${SSE_HEAD}HTTP/1.1 100 inside a body\r\n\r\n`,
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'HTTP/1.0 200 OK\r\n\r\n',
      'SSH-2.0-OpenSSH_9.2\r\n',
      'HTTP/1.1 1x0 no status\r\n\r\n',
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(CONTINUE, HINTS)),
        whole,
        fc.array(fc.nat(), { maxLength: 8 }),
        (before, answer, at) => {
          expect(strip(cut(before.join('') + answer, at))).toBe(answer);
        },
      ),
    );
  });

  test('without end are passed to the parser, which fails', () => {
    const endless = `HTTP/1.1 100 Continue\r\nx: ${'y'.repeat(40_000)}`;
    expect(strip(cut(endless, [1, 20_000, 30_000]))).toBe(endless);
  });

  const serve = async (options: RawOptions) => {
    const server = await frameServer(options);
    const client = createClient({
      provider: 'openai',
      baseUrl: `${server.url}/v1`,
      apiKey: 'k',
      connect: { http: options.http, ca: CA },
    });
    open.push(client, server);
    return { client, server };
  };

  test.each([false, true])('before an answer over HTTP/1.1 are no error (TLS: %s)', async (secure) => {
    const { client, server } = await serve({
      secure,
      http: 1,
      async answer({ write }) {
        await write(CONTINUE.slice(0, 5));
        await write(CONTINUE.slice(5), HINTS);
        await write(CONTINUE + SSE_HEAD + chunked(ANSWER), CHUNKED_END);
      },
    });
    // Also on a connection that has answered before.
    for (const _ of [1, 2]) {
      const seen = await client.stream({ prompt: 'hi' }).result;
      expect(seen).toMatchObject({ outcome: { kind: 'ok' }, status: 200, text: 'a' });
    }
    expect(server.accepted()).toBe(1);
  });

  test.each([false, true])('before an answer over HTTP/2 are no error (TLS: %s)', async (secure) => {
    const { client } = await serve({
      secure,
      http: 2,
      answer: ({ write }, stream) =>
        write(
          interim(stream, 100),
          interim(stream, 103),
          headers(stream),
          data(stream, ANSWER, { end: true }),
        ),
    });
    const seen = await client.stream({ prompt: 'hi' }).result;
    expect(seen).toMatchObject({ outcome: { kind: 'ok' }, status: 200, text: 'a' });
  });
});
