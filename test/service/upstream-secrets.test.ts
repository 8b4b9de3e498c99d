import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';
import { closedAfterEach, messagesOf, startService } from './support.ts';

const KEY = 'sk-canary-Xq9fT2mW7pLz0Rb4';
const ENCODED: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'URL-encoded': encodeURIComponent,
  base64: (text) => Buffer.from(text).toString('base64'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'upper case': (text) => text.toUpperCase(),
};

const open = closedAfterEach();

/** A service whose model answers with what `answer` makes of the authorization header that it was sent. */
async function echo(answer: (authorization: string) => string) {
  const seen: string[] = [];
  const server = await rawServer((socket, request) => {
    const authorization = /^authorization: (.*)\r$/im.exec(request)?.[1] ?? '';
    seen.push(authorization);
    socket.end(answer(authorization));
  });
  open.push(server);
  const log: string[] = [];
  const client = createClient({ baseUrl: `${server.url}/v1`, dialect: 'openai-chat', apiKey: KEY });
  const secrets = [{ name: '[KEY]', value: KEY }];
  const service = await startService([{ name: 'echo', model: 'm', client, secrets }], {
    log: { level: 'debug', write: (line) => log.push(line) },
  });
  open.push(service);
  return { service, log, seen };
}

/** All that callers and the log see when a chat is asked for in every way. */
async function leaks(answer: (authorization: string) => string): Promise<string> {
  const { service, log, seen } = await echo(answer);
  let out = '';
  const options = { message: 'Hello', session_id: 's', emit_metadata: true, emit_memory_updates: true };
  for (const [path, body] of [
    ['/chat/stream', {}],
    ['/chat/stream', { mode: 'legacy' }],
    ['/chat/stream', { text_buffer_size: 5 }],
    ['/chat', {}],
    ['/api/v1/conversations/s/stream-debug', {}],
    ['/api/v1/agents/a/chat/lumosai/stream', {}],
    ['/api/v1/agents/a/chat/lumosai', {}],
  ] as const) {
    const response = await service.post(path, { ...options, ...body });
    out += `${JSON.stringify([...response.headers])}${await response.text()}\n`;
  }
  const playground = await service.post('/api/projects/p/playground/chat/stream/', { message: 'Hello' });
  out += await playground.text();
  out += JSON.stringify(await messagesOf(service, 's'));
  out += await (await service.get('/metrics')).text();
  out += log.join('');
  // The key was there to be leaked.
  expect(seen.every((authorization) => authorization === `Bearer ${KEY}`)).toBe(true);
  expect(seen.length).toBeGreaterThanOrEqual(8);
  return out;
}

/** Pieces of the key, in every encoding, that are found in what came out. */
function found(out: string): string[] {
  // Shown as a whole and as the texts of a stream are when they are put together.
  const joined = [...out.matchAll(/"(?:content|delta|text)":"([^"]*)"/g)].map(([, text]) => text).join('');
  const lower = `${out}\n${joined}`.toLowerCase();
  return Object.entries(ENCODED).flatMap(([name, encode]) => {
    const whole = encode(KEY).toLowerCase();
    const size = name === 'hex' ? 16 : name === 'base64' ? 11 : 8;
    for (let i = 0; i + size <= whole.length - 3; i++) {
      if (lower.includes(whole.slice(i, i + size))) return [`${name}: ${whole.slice(i, i + size)}`];
    }
    return [];
  });
}

const cut = (text: string, size: number) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
const stream = (frames: readonly string[]) =>
  SSE_HEAD + frames.map(chunked).join('') + chunked(`${chatChunk({}, 'stop')}data: [DONE]\n\n`) + CHUNKED_END;
const json = (status: string, body: unknown) => {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
};

describe.each(Object.entries(ENCODED))(
  'the upstream’s key, %s, never reaches a caller, the store or the log',
  (_name, encode) => {
    test('in the error of a refusal', async () => {
      const answer = (header: string) =>
        json('401 Unauthorized', { error: { message: `bad: ${encode(header)}`, code: encode(header) } });
      expect(found(await leaks(answer))).toEqual([]);
    });

    test('in parts of an error', async () => {
      const answer = (header: string) => {
        const half = encode(header).length / 2;
        const message = `bad: ${encode(header).slice(0, half)} [...] ${encode(header).slice(half)}`;
        return json('403 Forbidden', { error: { message } });
      };
      expect(found(await leaks(answer))).toEqual([]);
    });

    test('in an error inside the stream, after a text', async () => {
      const answer = (header: string) =>
        stream([
          chatChunk({ content: 'Hel' }),
          `data: ${JSON.stringify({ error: { message: `bad: ${encode(header)}`, type: encode(header) } })}\n\n`,
        ]);
      expect(found(await leaks(answer))).toEqual([]);
    });

    test.each([1, 3, 7, 10, 1_000])(
      'in the text, reasoning and tool calls, in pieces of %d',
      async (size) => {
        const answer = (header: string) =>
          stream(
            cut(`Headers: ${encode(header)}; end`, size).flatMap((text) => [
              chatChunk({ reasoning_content: text }),
              chatChunk({ content: text }),
              chatChunk({
                tool_calls: [{ index: 0, id: 'c', function: { name: 'lookup', arguments: text } }],
              }),
            ]),
          );
        const out = await leaks(answer);
        expect(found(out)).toEqual([]);
        expect(out).toContain('[KEY]');
      },
    );

    test('in ids, names, finish reasons and unknown events', async () => {
      const answer = (header: string) =>
        stream([
          `data: ${JSON.stringify({ id: encode(header), model: encode(header), choices: [{ index: 0, delta: { content: 'x' } }] })}\n\n`,
          `event: ${encode(header).slice(0, 60)}\ndata: ${JSON.stringify({ [encode(header)]: [encode(header)] })}\n\n`,
          `data: ${JSON.stringify({ object: encode(header), nothing: 1 })}\n\n`,
          `: ${encode(header)}\n\n`,
          chatChunk({}, encode(header)),
        ]);
      expect(found(await leaks(answer))).toEqual([]);
    });

    test('in a whole answer', async () => {
      const answer = (header: string) =>
        json('200 OK', {
          id: encode(header),
          model: encode(header),
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: `You sent ${encode(header)}.` },
              finish_reason: 'stop',
            },
          ],
        });
      expect(found(await leaks(answer))).toEqual([]);
    });
  },
);

test('the ends of a key that a provider quotes', async () => {
  const quoted = `Incorrect API key provided: ${KEY.slice(0, 7)}***********${KEY.slice(-4)}.`;
  const out = await leaks(() => json('401 Unauthorized', { error: { message: quoted } }));
  expect(out).toContain('Incorrect API key provided: [key].');
  expect(out).not.toContain(KEY.slice(-4));
});
