import { expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import { DIALECT_NAMES, type DialectOptions, getDialect } from '../../src/wire/dialects/index.ts';
import { decodeReads } from './streams.ts';

// Failures as services report them inside a stream that began well, or instead of a whole answer.

function decoded(dialect: string, text: string, options: DialectOptions = {}): readonly StreamEvent[] {
  return decodeReads(getDialect(dialect, options), [new TextEncoder().encode(text)]);
}

const failureIn = (events: readonly StreamEvent[]) => events.find(({ type }) => type === 'error');

const MINIMAX =
  '{"id":"0","choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit exceeded(RPM)"}}';
const DASHSCOPE = '{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded","request_id":"r"}';
const MISTRAL = '{"type":"conversation.response.error","message":"the connector failed","code":3000}';

test.each<[string, string, string, DialectOptions, object]>([
  [
    'MiniMax',
    'openai-chat',
    `data: ${MINIMAX}\n\n`,
    {},
    { code: '1002', rateLimited: true, message: 'rate limit exceeded(RPM)' },
  ],
  ['MiniMax', 'sse', `data: ${MINIMAX}\n\n`, {}, { code: '1002', rateLimited: true }],
  ['MiniMax', 'sse', `data: ${MINIMAX}\n\n`, { textPath: 'choices.0.delta.content' }, { code: '1002' }],
  [
    'MiniMax after content',
    'openai-chat',
    `data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"choices":[],"base_resp":{"status_code":1027,"status_msg":"output is sensitive"}}\n\n`,
    {},
    { code: '1027' },
  ],
  ...['openai-chat', 'anthropic', 'conversation', 'sse'].flatMap(
    (dialect): [string, string, string, DialectOptions, object][] => [
      [
        'DashScope',
        dialect,
        `data: ${DASHSCOPE}\n\n`,
        {},
        { code: 'Throttling.RateQuota', rateLimited: true },
      ],
      [
        'DashScope by name',
        dialect,
        `id:1\nevent:error\n:HTTP_STATUS/429\ndata:${DASHSCOPE}\n\n`,
        {},
        { code: 'Throttling.RateQuota', rateLimited: true },
      ],
      [
        'Mistral',
        dialect,
        `event: conversation.response.error\ndata: ${MISTRAL}\n\n`,
        {},
        { code: '3000', message: 'the connector failed' },
      ],
      ['Mistral without the name', dialect, `data: ${MISTRAL}\n\n`, {}, { code: '3000' }],
    ],
  ),
  [
    'Mistral',
    'sse',
    `event: message.output.delta\ndata: {"type":"message.output.delta","content":"Hi"}\n\nevent: conversation.response.error\ndata: ${MISTRAL}\n\n`,
    { textPath: 'content' },
    { code: '3000' },
  ],
  ['DashScope', 'ndjson', `${DASHSCOPE}\n`, {}, { code: 'Throttling.RateQuota' }],
  [
    'a name and text',
    'sse',
    'event: stream.error\ndata: out of memory\n\n',
    {},
    { message: 'out of memory' },
  ],
  [
    'OpenRouter',
    'openai-chat',
    'data: {"id":"g","error":{"code":502,"message":"Provider returned error","metadata":{"raw":"context is full","provider_name":"Chutes"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
    {},
    { code: '502', message: 'Provider returned error (Chutes): context is full' },
  ],
])('%s in a stream of %s', (_title, dialect, text, options, failure) => {
  const events = decoded(dialect, text, options);
  expect(failureIn(events)).toMatchObject(failure);
  expect(events.map(({ type }) => type)).not.toContain('complete');
});

test.each(['openai-chat', 'anthropic', 'gemini', 'cohere', 'conversation', 'sse', 'raw'])(
  'MiniMax and DashScope in a whole answer of %s',
  (name) => {
    const dialect = getDialect(name);
    expect(failureIn(dialect.decodeWhole(MINIMAX))).toMatchObject({ code: '1002', rateLimited: true });
    expect(failureIn(dialect.decodeWhole(DASHSCOPE))).toMatchObject({ code: 'Throttling.RateQuota' });
  },
);

test("MiniMax's base_resp of a successful answer is not a failure", () => {
  const end =
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"base_resp":{"status_code":0,"status_msg":""}}\n\ndata: [DONE]\n\n';
  const events = decoded('openai-chat', `data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n${end}`);
  expect(events.map(({ type }) => type)).toEqual(['start', 'message_chunk', 'complete']);
});

test.each(DIALECT_NAMES.filter((name) => name !== 'raw' && name !== 'ndjson' && !name.startsWith('ollama')))(
  'a body that ends inside a JSON payload is not complete in %s',
  (dialect) => {
    const events = decoded(dialect, 'data: {"a":1}\n\ndata: {"a": "hel', { textPath: 'a' });
    expect(events.map(({ type }) => type)).not.toContain('complete');
  },
);

test.each<[string, string, DialectOptions]>([
  ['ndjson', '{"a":1}\n{"a": "hel', {}],
  ['ndjson', '{"a":1}\n{"a": "hel', { textPath: 'a' }],
  ['sse', 'data: {"a":1}\n\ndata: {"a": "hel', {}],
])('a body that ends inside a payload is not complete in %s', (dialect, text, options) => {
  expect(decoded(dialect, text, options).map(({ type }) => type)).not.toContain('complete');
  // The last line needs no line end where it is whole.
  expect(decoded(dialect, `${text}"}`, options).at(-1)?.type).toBe('complete');
});
