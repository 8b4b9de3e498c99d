import { expect, test } from 'vitest';
import { recogniseAnswer } from '../../../src/bench/init/recognise-answer.ts';

const sse = (...payloads: string[]) => payloads.map((data) => `data: ${data}\n\n`).join('');

test.each([
  [
    'OpenAI chunks at any URL',
    sse('{"choices":[{"index":0,"delta":{"content":"a"}}]}', '[DONE]'),
    'text/event-stream',
    { dialect: 'openai-chat' },
  ],
  [
    'events of its own, with the text at a path',
    sse('{"kind":"delta","payload":{"token":"a","n":1}}', '{"kind":"delta","payload":{"token":"b","n":2}}'),
    'text/event-stream',
    { dialect: 'sse', textPath: 'payload.token' },
  ],
  ['events of text', sse('Hello', 'world'), 'text/event-stream', { dialect: 'sse', textPath: undefined }],
  [
    'lines',
    '{"delta":"a"}\n{"delta":"b"}\n',
    'application/x-ndjson',
    { dialect: 'ndjson', textPath: 'delta' },
  ],
  ['text', 'Once upon a time', 'text/plain', { dialect: 'raw' }],
  [
    'a whole answer of a known API',
    '{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}',
    'application/json',
    { dialect: 'openai-chat', isWhole: true },
  ],
  [
    'a whole answer of its own',
    '{"reply":{"text":"hi"}}',
    'application/json',
    { dialect: 'sse', textPath: 'reply.text', isWhole: true },
  ],
  [
    'an answer field, which is not only Dify',
    '{"answer":"hi"}',
    'application/json',
    { dialect: 'sse', textPath: 'answer', isWhole: true },
  ],
  ['a web page', '<!doctype html><html></html>', 'text/html', undefined],
  ['binary messages', '\0\0', 'application/vnd.amazon.eventstream', { dialect: 'bedrock-converse' }],
])('%s', (_, body, type, expected) => {
  expect(recogniseAnswer(body, { 'content-type': type })).toEqual(expected);
});
