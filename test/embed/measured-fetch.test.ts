import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { measuredFetch } from '../../src/embed/measured-fetch.ts';
import type { MeasuredObservation, MeasureOptions } from '../../src/embed/observing.ts';
import { CHAT_BODY, CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const start = rawServers();

/** A measured fetch, and what it observed. */
function measured(options: Partial<MeasureOptions> = {}, fetch?: typeof globalThis.fetch) {
  const seen: MeasuredObservation[] = [];
  const measure = measuredFetch(fetch, { onObservation: (one) => seen.push(one), ...options });
  const one = async () => {
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { interval: 2, timeout: 5_000 });
    expect(seen).toHaveLength(1);
    return seen[0]!;
  };
  return { fetch: measure, seen, one };
}

const REQUEST = {
  method: 'POST',
  headers: { authorization: 'Bearer sk-canary-123456', 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'm1', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
};

const WHOLE_SSE =
  [chatChunk({ content: 'Hel' }), chatChunk({ content: 'lo' }), chatChunk({}, 'stop')].join('') +
  'data: [DONE]\n\n';

/** A server of one complete chat answer. */
const chatServer = () => start((socket) => void socket.write(SSE_HEAD + CHAT_BODY));

/** The ways in which client libraries read a body. Each answers with its text. */
const READERS: Record<string, (response: Response) => Promise<string>> = {
  text: (response) => response.text(),
  arrayBuffer: async (response) => new TextDecoder().decode(await response.arrayBuffer()),
  blob: async (response) => (await response.blob()).text(),
  async reader({ body }) {
    const reader = body!.getReader();
    const utf8 = new TextDecoder();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += utf8.decode(value, { stream: true });
    }
  },
  async byob({ body }) {
    const reader = body!.getReader({ mode: 'byob' });
    let text = '';
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(64));
      if (done) return text;
      text += new TextDecoder().decode(value);
    }
  },
  async iteration({ body }) {
    let text = '';
    for await (const chunk of body!) text += new TextDecoder().decode(chunk);
    return text;
  },
  async pipeThrough({ body }) {
    let text = '';
    for await (const piece of body!.pipeThrough(new TextDecoderStream())) text += piece;
    return text;
  },
  async pipeTo({ body }) {
    let text = '';
    await body!.pipeTo(
      new WritableStream({
        write(chunk) {
          text += new TextDecoder().decode(chunk);
        },
      }),
    );
    return text;
  },
  async tee({ body }) {
    const [one, other] = body!.tee();
    const [text, same] = await Promise.all([new Response(one).text(), new Response(other).text()]);
    expect(same).toBe(text);
    return text;
  },
  async clone(response) {
    const copy = response.clone();
    expect(copy.url).toBe(response.url);
    expect(copy.status).toBe(200);
    const [text, same] = await Promise.all([response.text(), copy.text()]);
    expect(same).toBe(text);
    return text;
  },
  async 'clone, then body'(response) {
    const copy = response.clone();
    const again = copy.clone();
    const texts = await Promise.all([
      new Response(response.body).text(),
      new Response(copy.body).text(),
      again.text(),
    ]);
    expect(new Set(texts).size).toBe(1);
    return texts[0]!;
  },
  async 'a Node stream'({ body }) {
    let text = '';
    for await (const chunk of Readable.fromWeb(body as never)) text += String(chunk);
    return text;
  },
  'a new Response': (response) => new Response(response.body, response).text(),
};

describe('a complete answer', () => {
  test.each(Object.entries(READERS))('is read unchanged and observed once: %s', async (_, read) => {
    const server = await chatServer();
    const { fetch, one } = measured({ keepText: true });
    const response = await fetch(`${server.url}/v1/chat/completions`, REQUEST);
    expect(response).toBeInstanceOf(Response);
    expect(response.url).toBe(`${server.url}/v1/chat/completions`);
    expect(await read(response)).toBe(WHOLE_SSE);
    const observation = await one();
    expect(observation).toMatchObject({
      mode: 'streaming',
      stamp: 'reader',
      outcome: { kind: 'ok' },
      status: 200,
      text: 'Hello',
      contentEvents: 2,
      events: 4,
      tokens: { output: 2, source: 'chunks' },
      finish: { reason: 'stop' },
      endpoint: { dialect: 'openai-chat', provider: 'openai', model: 'm1', host: '127.0.0.1' },
      verdict: { verdict: 'inconclusive' },
    });
    expect(observation.bytes).toBe(WHOLE_SSE.length);
    const { started, sent, headers, firstByte, firstToken, lastToken, end } = observation.marks;
    const marks = [started, sent, headers, firstByte, firstToken, lastToken, end];
    expect(marks).toEqual([...marks].sort((a, b) => a! - b!));
    expect(started).toBe(0);
  });

  test.each(['iterated', 'piped', 'flowing', 'destroyed'])(
    'a body that is a stream of Node.js, as node-fetch has it: %s',
    async (how) => {
      const pieces = WHOLE_SSE.match(/.{1,40}/gs)!;
      const body = Readable.from(pieces.map((piece) => Buffer.from(piece)));
      const headers = new Headers({ 'content-type': 'text/event-stream' });
      const { fetch, one } = measured({}, async () => ({ status: 200, headers, body }) as never);
      const response = (await fetch('http://127.0.0.1/v1/chat/completions', REQUEST)) as unknown as {
        body: Readable;
      };
      expect(response.body).toBe(body);
      let text = '';
      if (how === 'iterated') for await (const chunk of response.body) text += chunk;
      else if (how === 'destroyed') body.destroy();
      else {
        const from = how === 'piped' ? body.pipe(new PassThrough()) : body;
        from.on('data', (chunk) => {
          text += chunk;
        });
        await once(from, 'end');
      }
      const kind = how === 'destroyed' ? 'cancelled' : 'ok';
      expect(text).toBe(how === 'destroyed' ? '' : WHOLE_SSE);
      expect(await one()).toMatchObject({ outcome: { kind }, bytes: text.length });
    },
  );

  test('the response keeps what fetch set: redirected, type, headers, bodyUsed', async () => {
    const server = await start((socket, request) => {
      if (request.startsWith('GET /old'))
        socket.write('HTTP/1.1 302 Found\r\nlocation: /v1/chat/completions\r\ncontent-length: 0\r\n\r\n');
      else socket.write(SSE_HEAD + CHAT_BODY);
    });
    const { fetch } = measured();
    const response = await fetch(`${server.url}/old`);
    expect(response).toMatchObject({ redirected: true, type: 'basic', ok: true, bodyUsed: false });
    expect(response.url).toBe(`${server.url}/v1/chat/completions`);
    await response.text();
    expect(response.bodyUsed).toBe(true);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
  });
});

interface Expected {
  dialect: string;
  mode?: string;
  tokens?: number;
  kind?: string;
}

describe('what recognises the dialect', () => {
  const anthropic = [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"1","role":"assistant","model":"c","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ].join('');
  const ollama =
    '{"model":"l","message":{"role":"assistant","content":"Hi"},"done":false}\n{"model":"l","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":5}\n';
  const openai = WHOLE_SSE;
  const whole = JSON.stringify({
    id: '1',
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  });
  const SSE = 'text/event-stream';
  const JSON_TYPE = 'application/json';

  const cases: [name: string, path: string, type: string, body: string, expected: Expected][] = [
    ['the URL', '/v1/messages', SSE, anthropic, { dialect: 'anthropic', tokens: 5 }],
    ['the events, at another path', '/proxy', SSE, anthropic, { dialect: 'anthropic', tokens: 5 }],
    ['the events, where the URL is wrong', '/api/chat', SSE, openai, { dialect: 'openai-chat', tokens: 2 }],
    ['lines of JSON', '/proxy', 'application/x-ndjson', ollama, { dialect: 'ollama-chat', tokens: 5 }],
    [
      'one whole answer',
      '/proxy',
      JSON_TYPE,
      whole,
      { dialect: 'openai-chat', mode: 'non-streaming', tokens: 2 },
    ],
    ['events of no known API', '/feed', SSE, 'data: a\n\ndata: b\n\n', { dialect: 'sse', tokens: 2 }],
    ['another document', '/v1/models', JSON_TYPE, '{"data":[{"id":"m"}]}', { dialect: 'raw' }],
    ['a web page', '/', 'text/html', '<!doctype html><p>Hi', { dialect: 'raw', kind: 'not_a_stream' }],
  ];

  test.each(cases)(
    '%s',
    async (_, path, type, body, { dialect, mode = 'streaming', tokens, kind = 'ok' }) => {
      // One byte at a time, and at once: the decision does not depend on the reads.
      for (const step of [1, body.length]) {
        const { fetch, one } = measured({}, async () => responseOf(body, step, type));
        const response = await fetch(`http://127.0.0.1${path}`, { method: 'POST', body: '{}' });
        expect(await response.text()).toBe(body);
        const observation = await one();
        expect(observation.endpoint.dialect).toBe(dialect);
        expect(observation.mode).toBe(mode);
        expect(observation.outcome.kind).toBe(kind);
        if (tokens !== undefined) expect(observation.tokens.output).toBe(tokens);
      }
    },
  );

  test('the option, whatever the path', async () => {
    const { fetch, one } = measured({ dialect: 'anthropic' }, async () => responseOf(anthropic, 50, SSE));
    await (await fetch('http://127.0.0.1/x')).text();
    expect(await one()).toMatchObject({ outcome: { kind: 'ok' }, endpoint: { dialect: 'anthropic' } });
  });

  test('an unknown option is refused', () => {
    expect(() => measured({ dialect: 'opnai' })).toThrow(/unknown dialect/);
    // From JavaScript.
    for (const options of [undefined, {}, globalThis.fetch])
      expect(() => measuredFetch(options as never)).toThrow('onObservation is not a function');
  });
});

function responseOf(body: string, step: number, type: string): Response {
  const bytes = new TextEncoder().encode(body);
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + step));
        at += step;
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream as never, { headers: { 'content-type': type } });
}

describe('an answer that does not end well', () => {
  const IN_BAND = 'data: {"error":{"message":"overloaded"}}\n\n';
  const endings: [string, (socket: Socket) => void, (response: Response) => Promise<unknown>, object][] = [
    [
      'the connection is lost',
      (socket) =>
        socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' })), () =>
          setTimeout(() => socket.destroy(), 20),
        ),
      (response) => expect(response.text()).rejects.toThrow(),
      { outcome: { kind: 'truncated' }, partial: true, contentEvents: 1 },
    ],
    [
      'the body ends early',
      (socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' })) + CHUNKED_END),
      (response) => response.text(),
      { outcome: { kind: 'truncated' }, contentEvents: 1 },
    ],
    [
      'the service reports an error in the stream',
      (socket) => socket.write(SSE_HEAD + chunked(IN_BAND) + CHUNKED_END),
      (response) => response.text(),
      { outcome: { kind: 'inband_error', message: 'overloaded' } },
    ],
    [
      'the body is cancelled',
      (socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }))),
      async (response) => {
        const reader = response.body!.getReader();
        await reader.read();
        await reader.cancel('enough');
      },
      { outcome: { kind: 'cancelled', message: 'enough' }, contentEvents: 1 },
    ],
    [
      'the loop over the body is left',
      (socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }))),
      async (response) => {
        for await (const _ of response.body!) break;
      },
      { outcome: { kind: 'cancelled' }, contentEvents: 1 },
    ],
    [
      'the body is cancelled unread',
      (socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }))),
      (response) => response.body!.cancel(),
      { outcome: { kind: 'cancelled' }, contentEvents: 0 },
    ],
    [
      'the reader leaves after the terminator',
      (socket) => socket.write(SSE_HEAD + chunked(WHOLE_SSE)),
      async (response) => {
        for await (const _ of response.body!) break;
      },
      { outcome: { kind: 'ok' }, contentEvents: 2 },
    ],
    [
      'the reader stops at the terminator, and neither reads on nor cancels',
      (socket) => socket.write(SSE_HEAD + chunked(WHOLE_SSE)),
      (response) => response.body!.getReader().read(),
      { outcome: { kind: 'ok' }, contentEvents: 2 },
    ],
    [
      'the reader leaves at an error in the stream',
      (socket) => socket.write(SSE_HEAD + chunked(IN_BAND)),
      async (response) => {
        for await (const _ of response.body!) break;
      },
      { outcome: { kind: 'inband_error', message: 'overloaded' } },
    ],
    [
      'the reader stops at an error in the stream, and neither reads on nor cancels',
      (socket) => socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }) + IN_BAND)),
      (response) => response.body!.getReader().read(),
      { outcome: { kind: 'inband_error', message: 'overloaded' } },
    ],
    [
      'a refusal that nobody reads',
      (socket) =>
        socket.write(
          'HTTP/1.1 429 No\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"error":',
        ),
      (response) => response.body!.cancel(),
      { outcome: { kind: 'rate_limited', status: 429 } },
    ],
    [
      'no body',
      (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
      async () => {},
      { outcome: { kind: 'empty' }, status: 204 },
    ],
  ];
  test.each(endings)('%s', async (_, answer, read, expected) => {
    const server = await start(answer);
    const { fetch, one } = measured();
    await read(await fetch(`${server.url}/v1/chat/completions`, REQUEST));
    expect(await one()).toMatchObject(expected);
  });

  test('an abort while the body is read', async () => {
    const server = await start(
      (socket) => void socket.write(SSE_HEAD + chunked(chatChunk({ content: 'Hel' }))),
    );
    const { fetch, one } = measured();
    const abort = new AbortController();
    const response = await fetch(`${server.url}/v1/chat/completions`, { ...REQUEST, signal: abort.signal });
    const reader = response.body!.getReader();
    await reader.read();
    const next = reader.read();
    abort.abort();
    await expect(next).rejects.toThrow(/abort/);
    expect(await one()).toMatchObject({ outcome: { kind: 'cancelled' }, contentEvents: 1 });
  });

  test('an abort before the response', async () => {
    const server = await start(() => {});
    const { fetch, one } = measured();
    const pending = fetch(server.url, { signal: AbortSignal.timeout(30) });
    await expect(pending).rejects.toThrow(/timeout/);
    expect(await one()).toMatchObject({
      outcome: { kind: 'cancelled', message: expect.stringMatching(/timeout/) },
    });
  });

  test('a fetch that rejects', async () => {
    const server = await start(() => {});
    await server.close();
    const { fetch, one } = measured();
    await expect(fetch(`${server.url}/v1/messages`, REQUEST)).rejects.toThrow('fetch failed');
    expect(await one()).toMatchObject({
      outcome: { kind: 'network', code: 'ECONNREFUSED' },
      endpoint: { dialect: 'anthropic', port: server.port },
    });
  });

  test('a fetch that throws at once', async () => {
    const { fetch, one } = measured({}, () => {
      throw new RangeError('no');
    });
    expect(() => fetch('http://127.0.0.1/')).toThrow(RangeError);
    expect(await one()).toMatchObject({ outcome: { kind: 'network', message: 'no' } });
  });

  test('a body that was read before', async () => {
    const used = new Response('x');
    await used.text();
    const { fetch, one } = measured({}, async () => used);
    await expect((await fetch('http://127.0.0.1/')).text()).rejects.toThrow(TypeError);
    expect(await one()).toMatchObject({ outcome: { kind: 'cancelled' } });
  });

  test('two readers: the second is refused as usual, the first is not disturbed', async () => {
    const server = await chatServer();
    const { fetch, one } = measured();
    const response = await fetch(`${server.url}/v1/chat/completions`, REQUEST);
    const reader = response.body!.getReader();
    expect(() => response.body!.getReader()).toThrow(TypeError);
    await expect(response.body!.cancel()).rejects.toThrow(TypeError);
    await expect(response.text()).rejects.toThrow(TypeError);
    reader.releaseLock();
    expect(await response.text()).toBe(WHOLE_SSE);
    expect(await one()).toMatchObject({ outcome: { kind: 'ok' }, contentEvents: 2 });
  });
});

describe('the application', () => {
  afterEach(() => vi.restoreAllMocks());

  test.each([
    [
      'throws',
      () => {
        throw new Error('my fault');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('my fault');
      },
    ],
  ])('sees one warning if its callback %s', async (_, onObservation) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = await chatServer();
    const { fetch } = measured({ onObservation });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${server.url}/v1/chat/completions`, REQUEST);
      expect(await response.text()).toBe(WHOLE_SSE);
    }
    await vi.waitFor(() => expect(warn).toHaveBeenCalled());
    await new Promise(setImmediate);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toContain('my fault');
  });

  test('gets the observation in the asynchronous context of its call', async () => {
    const storage = new AsyncLocalStorage<string>();
    const server = await chatServer();
    const stores: unknown[] = [];
    const { fetch } = measured({ onObservation: () => stores.push(storage.getStore()) });
    const response = await storage.run('mine', () => fetch(`${server.url}/v1/chat/completions`, REQUEST));
    await storage.run('of the reader', () => response.text());
    await vi.waitFor(() => expect(stores).toEqual(['mine']), { interval: 2 });
  });

  test('finds no credential in an observation', async () => {
    const echo = (text: string) => chatChunk({ content: text });
    const server = await start((socket, request) => {
      const key = /authorization: (.*)\r/i.exec(request)![1]!;
      socket.write(
        SSE_HEAD +
          chunked(`${echo(key)}${echo('my-own-secret')}data: {"error":{"message":"${key}"}}\n\n`) +
          CHUNKED_END,
      );
    });
    const { fetch, one } = measured({ keepText: true, redact: ['my-own-secret'] });
    await (await fetch(`${server.url}/v1/chat/completions?key=canary-in-url`, REQUEST)).text();
    const text = JSON.stringify(await one());
    expect(text).not.toMatch(/canary|my-own-secret/);
    expect(text).toContain('[redacted]');
  });

  test('slows the server down if it reads slowly', async () => {
    const piece = chatChunk({ content: 'x'.repeat(1_000) });
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new TextEncoder().encode(piece + pulls++)) },
      { highWaterMark: 0 },
    );
    const { fetch } = measured(
      {},
      async () => new Response(body as never, { headers: { 'content-type': 'text/event-stream' } }),
    );
    const response = await fetch('http://127.0.0.1/v1/chat/completions', REQUEST);
    expect(pulls).toBe(0);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.read();
    await new Promise(setImmediate);
    expect(pulls).toBe(2);
    await reader.cancel();
  });
});
