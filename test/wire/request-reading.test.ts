import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { definedFields } from '../../src/wire/json.ts';

const CALLS = [
  { id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
  { id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
];
const PNG = 'iVBORw0KGgo=';
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };

const FULL: ChatRequest = {
  model: 'm',
  messages: [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'look', media: [{ kind: 'image', mediaType: 'image/png', data: PNG }] },
    { role: 'assistant', content: 'wait', toolCalls: CALLS },
    ...CALLS.map((call) => ({ role: 'tool', content: `sunny ${call.id}`, call }) as const),
    { role: 'assistant', content: 'sunny' },
    { role: 'user', content: 'thanks' },
  ],
  maxTokens: 9,
  temperature: 0.5,
  tools: [{ name: 'weather', description: 'Of a city.', parameters: SCHEMA }],
  answerSchema: { name: 'answer', schema: SCHEMA },
  stop: ['END'],
  reasoningEffort: 'low',
  stream: true,
};

function served(dialect: string, chat: ChatRequest): ChatRequest | undefined {
  const { path, body = '' } = getDialect(dialect).request(chat);
  const read = getDialect(dialect).parseRequest({ method: 'POST', path, query: new URLSearchParams(), body });
  return read && (JSON.parse(JSON.stringify(definedFields({ ...read, extra: undefined }))) as ChatRequest);
}

describe('a server reads the request that a client wrote', () => {
  test.each([
    ['openai-chat', { ...FULL, n: 2, seed: 0 }],
    ['anthropic', FULL],
    ['anthropic', { ...FULL, reasoningEffort: 'none' as const }],
  ])('%s: tools, results, images, schema and options', (dialect, chat) => {
    expect(served(dialect, chat)).toEqual(chat);
  });

  test('ollama-chat: results go to the calls of that name, in their order; its requests have no ids', () => {
    const { messages, tools } = served('ollama-chat', FULL)!;
    expect(tools).toEqual(FULL.tools);
    const results = messages.filter(({ role }) => role === 'tool');
    expect(results.map(({ call, content }) => [call?.id, call?.arguments, content])).toEqual([
      ['call_0', '{"city":"Rome"}', 'sunny call_1'],
      ['call_1', '{"city":"Oslo"}', 'sunny call_2'],
    ]);
    expect(messages[1]?.media).toEqual(FULL.messages[1]?.media);
  });

  test('openai-chat: a developer message is a system message', () => {
    const body = JSON.stringify({ messages: [{ role: 'developer', content: 'x' }] });
    const read = getDialect('openai-chat').parseRequest({
      ...{ method: 'POST', path: '/v1/chat/completions', query: new URLSearchParams(), body },
    });
    expect(read?.messages).toEqual([{ role: 'system', content: 'x' }]);
  });

  test('anthropic: results and the next question in one message', () => {
    const body = JSON.stringify({
      max_tokens: 5,
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '7' }] },
            { type: 'text', text: 'and now?' },
          ],
        },
      ],
    });
    const read = getDialect('anthropic').parseRequest({
      ...{ method: 'POST', path: '/v1/messages', query: new URLSearchParams(), body },
    });
    const call = { id: 'a', name: 'f', arguments: '{}' };
    expect(read?.messages).toEqual([
      { role: 'assistant', content: '', toolCalls: [call] },
      { role: 'tool', content: '7', call },
      { role: 'user', content: 'and now?' },
    ]);
  });
});
