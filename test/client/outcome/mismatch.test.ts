import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { Observation } from '../../../src/model/record.ts';
import { DIALECT_NAMES } from '../../../src/wire/dialects/index.ts';
import { type RawServer, rawServer } from '../../support/raw-server.ts';

// Success statuses with bodies of every kind, written by hand: what comes of each in each dialect, and whether the
// hint, when it is followed, leads to a measurement.

const open: RawServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

interface Reply {
  type?: string;
  body: string | Buffer;
  headers?: string;
  status?: string;
}

async function serving({ type, body, headers = '', status = '200 OK' }: Reply): Promise<string> {
  const contentType = type === undefined ? '' : `content-type: ${type}\r\n`;
  const server = await rawServer((socket) => {
    socket.write(`HTTP/1.1 ${status}\r\n${contentType}${headers}connection: close\r\n\r\n`);
    socket.end(body);
  });
  open.push(server);
  return server.url;
}

async function ask(url: string, options: ClientOptions, whole = false): Promise<Observation> {
  const client = createClient({ baseUrl: url, model: 'm', ...options });
  try {
    if (whole) return (await client.complete({ prompt: 'hi' })).observation;
    return await client.stream({ prompt: 'hi' }).result;
  } finally {
    client.close();
  }
}

/** Does what a hint says: another dialect, another mode. */
async function follow(url: string, options: ClientOptions, hint: string): Promise<Observation | undefined> {
  const dialect = /--dialect ([a-z-]+)/.exec(hint)?.[1];
  const whole = hint.includes('--mode non-streaming');
  if (dialect === undefined && !whole) return undefined;
  const { textPath: _, ...rest } = options;
  return ask(url, { ...(dialect === undefined ? options : { ...rest, dialect }) }, whole);
}

const sse = (...payloads: unknown[]) =>
  payloads.map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`).join('');
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

const PAGE: Reply = {
  type: 'text/html; charset=utf-8',
  body: '<!DOCTYPE html><html><title>Sign in</title>',
};
const TEXT: Reply = { type: 'text/plain', body: 'The sky is blue because of Rayleigh scattering.' };
const ERROR = '{"error":{"message":"model is loading","code":"not_ready"}}';
const PRETTY_ERROR = JSON.stringify(JSON.parse(ERROR), null, 2);
const OPENAI = sse(
  { id: 'c', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] },
  { choices: [{ index: 0, delta: { content: 'Hi' } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  '[DONE]',
);
const OPENAI_WHOLE = JSON.stringify({
  id: 'c',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
});
const AI_SDK: Reply = {
  type: 'text/event-stream',
  headers: 'x-vercel-ai-ui-message-stream: v1\r\n',
  body: sse(
    { type: 'start' },
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: 'Hi' },
    { type: 'text-end', id: '0' },
    { type: 'finish' },
    '[DONE]',
  ),
};
const AG_UI: Reply = {
  type: 'text/event-stream',
  body: sse(
    { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
    { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' },
    { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'Hi' },
    { type: 'TEXT_MESSAGE_END', messageId: 'm' },
    { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
  ),
};
const OLLAMA: Reply = {
  type: 'application/x-ndjson',
  body: lines(
    { model: 'm', message: { role: 'assistant', content: 'Hi' }, done: false },
    { model: 'm', message: { content: '' }, done: true, done_reason: 'stop' },
  ),
};
const RECORDS: Reply = { type: 'application/x-ndjson', body: lines({ a: 1 }, { a: 2 }) };

const OK = { kind: 'ok' };
const like = (text: string) => expect.stringContaining(text);

type Case = [title: string, reply: Reply, options: ClientOptions, outcome: object];
const SSE = { dialect: 'sse' };
const NDJSON = { dialect: 'ndjson' };
const RAW = { dialect: 'raw' };
const CHAT = { dialect: 'openai-chat' };

describe('a success status', () => {
  test.each<Case>([
    // A login page.
    ...[SSE, NDJSON, RAW, CHAT, { dialect: 'gemini-array' }].map(
      (options): Case => [
        'with a web page',
        PAGE,
        options,
        { kind: 'not_a_stream', message: like('an HTML page (text/html'), hint: like('check the URL') },
      ],
    ),
    // An error.
    ...[ERROR, PRETTY_ERROR, `\uFEFF${ERROR}`].flatMap((body) =>
      [SSE, NDJSON, RAW, CHAT, { dialect: 'anthropic' }, { dialect: 'gemini-array' }].flatMap((options) =>
        ['application/json', 'text/plain', 'text/event-stream'].map(
          (type): Case => [
            'with a JSON error',
            { type, body },
            options,
            { kind: 'inband_error', message: like('model is loading'), code: 'not_ready' },
          ],
        ),
      ),
    ),
    [
      'with a list of what was wrong',
      { type: 'application/json', body: '{"detail":[{"loc":["body"],"msg":"field required"}]}' },
      NDJSON,
      { kind: 'inband_error', message: like('field required') },
    ],
    [
      'with an error that says nothing',
      { type: 'application/x-ndjson', body: '{"error":{"trace":"0f"}}\n' },
      NDJSON,
      { kind: 'inband_error', message: like('0f') },
    ],
    [
      'with an error of DashScope',
      {
        type: 'application/json',
        body: '{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded","request_id":"r"}',
      },
      SSE,
      { kind: 'rate_limited', code: 'Throttling.RateQuota' },
    ],
    // Text.
    ...[SSE, NDJSON, CHAT].map(
      (options): Case => [
        'with plain text',
        TEXT,
        options,
        { kind: 'not_a_stream', message: like('plain text (text/plain)'), hint: 'try --dialect raw' },
      ],
    ),
    ['with plain text', TEXT, RAW, OK],
    // JSON that is no stream.
    [
      'with a whole answer',
      { type: 'application/json', body: OPENAI_WHOLE },
      CHAT,
      {
        kind: 'not_a_stream',
        message: like('one JSON document'),
        hint: like('--mode non-streaming'),
      },
    ],
    [
      'with a whole answer',
      { type: 'application/json', body: OPENAI_WHOLE },
      SSE,
      {
        kind: 'not_a_stream',
        hint: like('--dialect openai-chat --mode non-streaming'),
      },
    ],
    [
      'with an object',
      { type: 'application/json', body: '{"status":"ready","version":3}' },
      SSE,
      {
        kind: 'not_a_stream',
        message: like('one JSON document'),
        hint: like('--dialect raw'),
      },
    ],
    [
      'with an object over several lines',
      { type: 'application/json', body: '{\n  "a": 1,\n  "b": 2\n}' },
      NDJSON,
      {
        kind: 'not_a_stream',
        message: like('one JSON document'),
        hint: like('--dialect raw'),
      },
    ],
    [
      'with an array',
      { type: 'application/json', body: '[\n  1,\n  2\n]' },
      SSE,
      {
        kind: 'not_a_stream',
        message: like('one JSON document'),
        hint: like('--dialect raw'),
      },
    ],
    // One framing where another was expected.
    [
      'with NDJSON',
      RECORDS,
      SSE,
      { kind: 'not_a_stream', message: like('newline-delimited JSON'), hint: like('--dialect ndjson') },
    ],
    ['with NDJSON', RECORDS, CHAT, { kind: 'not_a_stream', hint: like('--dialect ndjson') }],
    [
      'with one line of NDJSON',
      { ...RECORDS, body: '{"a":1}\n' },
      SSE,
      { kind: 'not_a_stream', hint: like('--dialect ndjson') },
    ],
    ['with the NDJSON of Ollama', OLLAMA, SSE, { kind: 'not_a_stream', hint: 'try --dialect ollama-chat' }],
    ['with the NDJSON of Ollama', OLLAMA, CHAT, { kind: 'not_a_stream', hint: 'try --dialect ollama-chat' }],
    [
      'with events',
      { type: 'text/event-stream', body: sse('one', 'two') },
      NDJSON,
      {
        kind: 'not_a_stream',
        message: like('Server-Sent Events'),
        hint: like('--dialect sse'),
      },
    ],
    [
      'with the events of OpenAI',
      { type: 'text/event-stream', body: OPENAI },
      NDJSON,
      {
        kind: 'not_a_stream',
        hint: 'try --dialect openai-chat',
      },
    ],
    [
      'with events of text',
      { type: 'text/event-stream', body: sse('one', 'two', '[DONE]') },
      CHAT,
      {
        kind: 'not_a_stream',
        message: like('with plain text in them'),
        hint: like('--dialect sse'),
      },
    ],
    // Another dialect in the same framing.
    ...[SSE, NDJSON, CHAT, { dialect: 'anthropic' }, { ...SSE, textPath: 'choices.0.text' }].flatMap(
      (options): Case[] => [
        [
          'with the header of the AI SDK',
          AI_SDK,
          options,
          { kind: 'not_a_stream', hint: 'try --dialect ai-sdk-ui' },
        ],
        [
          'with the first event of AG-UI',
          AG_UI,
          options,
          { kind: 'not_a_stream', hint: 'try --dialect ag-ui' },
        ],
      ],
    ),
    ['with the text of AG-UI at a path', AG_UI, { ...SSE, textPath: 'delta' }, OK],
    [
      'with the events of OpenAI',
      { type: 'text/event-stream', body: OPENAI },
      { dialect: 'anthropic' },
      {
        kind: 'not_a_stream',
        message: like('another dialect (openai-chat)'),
        hint: 'try --dialect openai-chat',
      },
    ],
    // What a mislabelled, but proper stream is called does not matter.
    ...['text/plain', 'application/octet-stream', 'application/json', undefined].flatMap((type): Case[] => [
      ['with the events of OpenAI', { type, body: OPENAI }, CHAT, OK],
      ['with events', { type, body: sse('one', 'two') }, SSE, OK],
      ['with lines', { type, body: RECORDS.body }, NDJSON, OK],
    ]),
    ['with a byte order mark', { type: 'text/event-stream', body: `\uFEFF${OPENAI}` }, CHAT, OK],
    ['with a byte order mark', { type: 'application/x-ndjson', body: `\uFEFF${RECORDS.body}` }, NDJSON, OK],
    // Compressed.
    ...[SSE, NDJSON, RAW, CHAT].flatMap((options): Case[] => [
      [
        'with a compressed body',
        { type: 'text/event-stream', headers: 'content-encoding: gzip\r\n', body: gzipSync(OPENAI) },
        options,
        { kind: 'not_a_stream', message: like('compressed (gzip)') },
      ],
      [
        'with a body of gzip that does not say so',
        { body: gzipSync(OPENAI) },
        options,
        { kind: 'not_a_stream', message: like('compressed (gzip)') },
      ],
    ]),
    // Nothing.
    ...[SSE, NDJSON, RAW, CHAT].flatMap((options): Case[] => [
      [
        'with an empty body',
        { type: 'text/event-stream', body: '' },
        options,
        { kind: 'empty', message: 'the body is empty' },
      ],
    ]),
    [
      'with text elsewhere than the path says',
      { type: 'text/event-stream', body: sse({ a: 'x' }, { a: 'y' }) },
      { ...SSE, textPath: 'b' },
      {
        kind: 'empty',
        message: '2 events received, none with text at b',
        hint: like('--text-path'),
      },
    ],
    // Broken, but of the right kind.
    ...['{"choices":[{"delta', '{"choices": <garbled>}'].map(
      (garbled): Case => [
        'with a garbled first event',
        { type: 'text/event-stream', body: sse(garbled) + OPENAI },
        CHAT,
        { kind: 'malformed', message: like('expected a JSON object') },
      ],
    ),
    [
      'with a single, garbled event',
      { type: 'text/event-stream', body: sse('{"choices":[{]}') },
      CHAT,
      { kind: 'malformed' },
    ],
    [
      'with a garbled first line',
      { type: 'application/x-ndjson', body: `{"model":"m","mess\n${OLLAMA.body}` },
      { dialect: 'ollama-chat' },
      { kind: 'malformed' },
    ],
    [
      'with a garbled second line',
      { type: 'application/x-ndjson', body: '{"a":1}\n{"b":\n' },
      NDJSON,
      { kind: 'malformed' },
    ],
  ])('%s: %o in %o', async (_title, reply, options, expected) => {
    const url = await serving(reply);
    const { outcome, partial } = await ask(url, options);
    expect(outcome).toMatchObject(expected);
    if (outcome.kind === 'ok') return;
    expect(outcome.message).not.toMatch(/undefined|\[object/);
    const followed =
      outcome.kind === 'not_a_stream' ? await follow(url, options, outcome.hint ?? '') : undefined;
    if (followed !== undefined) expect(followed.outcome, outcome.hint).toEqual({ kind: 'ok' });
    expect(partial ?? true).toBe(true);
  });

  test('with a login page behind a redirect', async () => {
    const url = await serving({
      status: '302 Found',
      headers: 'location: https://sso.example/login?next=/v1\r\n',
      body: '',
    });
    const { outcome } = await ask(url, SSE);
    expect(outcome).toMatchObject({ kind: 'http_error', status: 302, hint: like('login page') });
  });
});

describe('one whole answer was requested', () => {
  const stream = (dialect: string): [Reply, ClientOptions] =>
    dialect === 'ollama-chat' || dialect === 'ollama-generate' || dialect === 'ndjson'
      ? [OLLAMA, { dialect }]
      : [{ type: 'text/event-stream', body: OPENAI }, { dialect }];

  test.each(DIALECT_NAMES.filter((name) => name !== 'ag-ui' && name !== 'ai-sdk-ui'))(
    'in %s, and a stream came: no figures of it stand for an answer',
    async (dialect) => {
      const [reply, options] = stream(dialect);
      const { outcome, contentEvents, chars } = await ask(await serving(reply), options, true);
      expect(outcome).toMatchObject({
        kind: 'not_a_stream',
        message: like('the server ignored stream: false'),
        hint: like('--mode streaming'),
      });
      expect(contentEvents).toBe(0);
      expect(chars).toEqual({ answer: 0, thinking: 0 });
    },
  );

  test.each<Case>([
    ['OpenAI', { type: 'application/json', body: OPENAI_WHOLE }, CHAT, OK],
    ['with a byte order mark', { type: 'application/json', body: `\uFEFF${OPENAI_WHOLE}` }, CHAT, OK],
    [
      'the single line of Ollama',
      {
        type: 'application/json',
        body: `${JSON.stringify({ model: 'm', message: { content: 'Hi' }, done: true })}\n`,
      },
      { dialect: 'ollama-chat' },
      OK,
    ],
    ['text', TEXT, RAW, OK],
    ['text that begins like a field', { type: 'text/plain', body: 'id: a word of Latin\nand more' }, SSE, OK],
    [
      'another dialect',
      { type: 'application/json', body: OPENAI_WHOLE },
      { dialect: 'anthropic' },
      { kind: 'not_a_stream', hint: 'try --dialect openai-chat' },
    ],
    [
      'a greeting',
      { type: 'application/json', body: '{"message":"Welcome to the API"}' },
      CHAT,
      { kind: 'not_a_stream', hint: 'check the path and the dialect' },
    ],
    ['a web page', PAGE, CHAT, { kind: 'not_a_stream', message: like('an HTML page') }],
    ['a web page', PAGE, SSE, { kind: 'not_a_stream', message: like('an HTML page') }],
    [
      'an error',
      { type: 'application/json', body: PRETTY_ERROR },
      SSE,
      { kind: 'inband_error', code: 'not_ready' },
    ],
  ])('and %s came', async (_title, reply, options, expected) => {
    const { outcome } = await ask(await serving(reply), options, true);
    expect(outcome).toMatchObject(expected);
  });
});
