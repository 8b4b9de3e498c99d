import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { apiDialects, dialectsAccepting } from '../../src/wire/dialects/index.ts';
import { REQUEST_FEATURES, type RequestFeature } from '../../src/wire/request-parts.ts';

const PLAIN: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'look' }], stream: true };
const media = (kind: 'image' | 'audio', mediaType: string): ChatRequest => ({
  ...PLAIN,
  messages: [{ role: 'user', content: 'look', media: [{ kind, mediaType, data: 'QUJDRA==' }] }],
});
const CALL = { id: 'call_1', name: 'find', arguments: '{"q":"MARK"}' };
const schema = { type: 'object', title: 'MARK' };
const WITH: Readonly<Record<RequestFeature, ChatRequest>> = {
  image: media('image', 'image/png'),
  audio: media('audio', 'audio/mpeg'),
  tools: { ...PLAIN, tools: [{ name: 'find', parameters: schema }] },
  toolResults: {
    ...PLAIN,
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', content: 'found', call: CALL },
      { role: 'user', content: 'look' },
    ],
  },
  schema: { ...PLAIN, answerSchema: { name: 'answer', schema } },
};

describe('a dialect', () => {
  test.each([...apiDialects()].map((dialect) => [dialect.name, dialect] as const))(
    '%s writes what it accepts, and its simulator reads the text',
    (_, dialect) => {
      // Scenarios are refused the others before anything is sent.
      for (const feature of REQUEST_FEATURES.filter((one) => dialect.accepts?.has(one))) {
        const { path, method, body = '' } = dialect.request(WITH[feature]);
        expect(body, feature).toMatch(/QUJDRA==|MARK/);
        const [pathname = '', query] = path.split('?');
        const read = dialect.parseRequest({
          method,
          path: `/x${pathname || '/ag-ui'}`,
          query: new URLSearchParams(query),
          body,
        });
        expect(read?.messages.at(-1)?.content, feature).toBe('look');
      }
    },
  );

  test('is named where a feature is refused', () => {
    expect(dialectsAccepting('audio')).toEqual(['openai-chat', 'gemini', 'gemini-array']);
  });
});
