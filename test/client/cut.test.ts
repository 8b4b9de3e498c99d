import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { Observation } from '../../src/model/record.ts';
import type { AnswerContext } from '../../src/wire/dialect.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { CHUNKED_END, chunked, type RawServer, rawServer } from '../support/raw-server.ts';

// Each way in which a body can end, before and after the finish reason, in dialects that differ in what ends an answer.

const open: RawServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';

/** Sends a body and ends it: properly where there is a proper end, or by a loss of the connection. */
const ENDINGS = {
  'a last chunk': (socket: Socket, body: string) =>
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n${chunked(body)}${CHUNKED_END}`),
  'its whole length': (socket: Socket, body: string) =>
    socket.write(`${HEAD}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
  'the end of the connection': (socket: Socket, body: string) =>
    socket.end(`${HEAD}connection: close\r\n\r\n${body}`),
  'no last chunk': (socket: Socket, body: string) =>
    socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n${chunked(body)}`),
  'less than its length': (socket: Socket, body: string) =>
    socket.end(`${HEAD}content-length: ${Buffer.byteLength(body) + 9}\r\n\r\n${body}`),
  'a reset between chunks': (socket: Socket, body: string) => {
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n${chunked(body)}`);
    setTimeout(() => socket.resetAndDestroy(), 40);
  },
  'a reset': (socket: Socket, body: string) => {
    socket.write(`${HEAD}connection: close\r\n\r\n${body}`);
    setTimeout(() => socket.resetAndDestroy(), 40);
  },
} as const;

type EndingName = keyof typeof ENDINGS;
const PROPER: readonly EndingName[] = ['a last chunk', 'its whole length', 'the end of the connection'];
const CUT = (Object.keys(ENDINGS) as EndingName[]).filter((name) => !PROPER.includes(name));

async function ask(dialect: string, body: string, ending: EndingName): Promise<Observation> {
  const server = await rawServer((socket) => void ENDINGS[ending](socket, body));
  open.push(server);
  const client = createClient({ baseUrl: server.url, model: 'm', dialect });
  try {
    return await client.stream({ prompt: 'hi' }).result;
  } finally {
    client.close();
  }
}

const event = (json: unknown) => `data: ${JSON.stringify(json)}\n\n`;
const chat = (delta: object, finish: string | null = null) =>
  event({ choices: [{ index: 0, delta, finish_reason: finish }] });
const gemini = (text: string, finishReason?: string) =>
  event({ candidates: [{ content: { parts: [{ text }] }, finishReason, index: 0 }] });

/** What comes before the finish reason, the finish reason, and the terminator. */
const ANSWERS: Record<string, [content: string, finish: string, terminator: string]> = {
  'openai-chat': [chat({ content: 'Hel' }) + chat({ content: 'lo' }), chat({}, 'stop'), 'data: [DONE]\n\n'],
  anthropic: [
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } }) +
      event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } }),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }),
    event({ type: 'message_stop' }),
  ],
  gemini: [gemini('Hel') + gemini('lo'), gemini('', 'STOP'), ''],
  cohere: [
    event({ type: 'content-delta', delta: { message: { content: { text: 'Hel' } } } }) +
      event({ type: 'content-delta', delta: { message: { content: { text: 'lo' } } } }),
    event({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } }),
    'data: [DONE]\n\n',
  ],
};

describe.each(Object.entries(ANSWERS))('%s', (dialect, [content, finish, terminator]) => {
  test.each(Object.keys(ENDINGS) as EndingName[])(
    'with its terminator is complete, however the body ends: %s',
    async (ending) => {
      // Gemini has no terminator: only the end of the body completes its answer.
      if (terminator === '' && CUT.includes(ending)) return;
      const { outcome } = await ask(dialect, content + finish + terminator, ending);
      expect(outcome).toEqual({ kind: 'ok' });
    },
  );

  test.each(Object.keys(ENDINGS) as EndingName[])('before the finish reason is cut: %s', async (ending) => {
    const { outcome, partial, finish: told } = await ask(dialect, content, ending);
    expect(outcome).toMatchObject({
      kind: 'truncated',
      message: expect.stringMatching(/with neither terminator nor finish reason, after 2 content events$/),
    });
    expect({ partial, told }).toEqual({ partial: true, told: undefined });
  });

  test.each(PROPER)('after the finish reason is complete if the body is: %s', async (ending) => {
    const { outcome, finish: told } = await ask(dialect, content + finish, ending);
    expect(outcome).toEqual({ kind: 'ok' });
    expect(told?.reason).toBe('stop');
  });

  test.each(CUT)('after the finish reason is cut, and says where: %s', async (ending) => {
    const { outcome, partial, finish: told } = await ask(dialect, content + finish, ending);
    expect(outcome).toMatchObject({
      kind: 'truncated',
      message: expect.stringMatching(
        /^the connection was lost \(.+\) after the finish reason, before the terminator, after 2 content events$/,
      ),
    });
    expect(partial).toBe(true);
    expect(told?.reason).toBe('stop');
  });
});

describe.each([
  ['sse', 'data: Hel\n\ndata: lo\n\n'],
  ['ndjson', '"Hel"\n"lo"\n'],
  ['raw', 'Hello'],
])('%s, which ends only with the body', (dialect, body) => {
  test.each(PROPER)('is complete with %s', async (ending) => {
    expect((await ask(dialect, body, ending)).outcome).toEqual({ kind: 'ok' });
  });

  test.each(CUT)('is cut with %s', async (ending) => {
    const { outcome, partial } = await ask(dialect, body, ending);
    expect(outcome).toMatchObject({
      kind: 'truncated',
      message: expect.stringMatching(/^the connection was lost \(.+\), after \d content events?$/),
    });
    expect(partial).toBe(true);
  });
});

describe.each(['ndjson', 'sse'])('%s', (dialect) => {
  test.each(PROPER)('inside of a payload is cut, even with %s', async (ending) => {
    const body = dialect === 'sse' ? 'data: {"a":1}\n\ndata: {"a":' : '{"a":1}\n{"a":';
    expect((await ask(dialect, body, ending)).outcome).toMatchObject({
      kind: 'truncated',
      message: 'the body ended in the middle of an event, after 1 content event',
    });
  });
});

// Every dialect, by its own encoder: what has not ended is never complete because the connection was lost.
const CONTEXT: AnswerContext = { id: 'a', model: 'm', createdSeconds: 0 };
test.each([
  'tgi',
  'dify',
  'agent',
  'conversation',
  'playground',
  'ai-sdk-ui',
  'ag-ui',
  'ollama-chat',
  'openai-responses',
  'gemini-array',
])('%s is cut without its terminator', async (name) => {
  const dialect = getDialect(name);
  const { FRAMINGS } = await import('../../src/wire/framing/framings.ts');
  const encode = dialect.encoder(CONTEXT);
  const frames = [
    ...encode({ type: 'start' }),
    ...encode({ type: 'message_chunk', text: 'Hel' }),
    ...encode({ type: 'message_chunk', text: 'lo' }),
  ];
  const body = frames.map((frame) => FRAMINGS[dialect.framing].write(frame)).join('');
  for (const ending of Object.keys(ENDINGS) as EndingName[]) {
    const { outcome } = await ask(name, body, ending);
    expect(outcome, ending).toMatchObject({ kind: 'truncated' });
  }
});
