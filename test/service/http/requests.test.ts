import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../../src/model/request.ts';
import { HttpError } from '../../../src/service/http/http-error.ts';
import { readName, readChatBody as readWithLimit } from '../../../src/service/http/requests.ts';
import { getDialect } from '../../../src/wire/dialects/index.ts';

const readChatBody = (body: string) => readWithLimit(body, 65_536);

function problems(body: unknown): string[] {
  try {
    readChatBody(typeof body === 'string' ? body : JSON.stringify(body));
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return error.problems.map(({ path }) => path);
    throw error;
  }
  throw new Error('the body was accepted');
}

describe('a chat body', () => {
  test('accepts the message under all usual names', () => {
    for (const name of ['message', 'prompt', 'query', 'content']) {
      expect(readChatBody(JSON.stringify({ [name]: 'hi' }))).toMatchObject({
        messages: [{ role: 'user', content: 'hi' }],
        wholeConversation: false,
        stream: true,
        mode: 'real',
      });
    }
  });

  test('accepts a whole conversation, also with content in parts', () => {
    const content = ['a', { type: 'text', text: 'b' }];
    const read = readChatBody(
      JSON.stringify({
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content },
        ],
      }),
    );
    expect(read.messages).toEqual([
      { role: 'system', content: 's' },
      { role: 'user', content: 'ab' },
    ]);
    expect(read.wholeConversation).toBe(true);
  });

  test('is refused with the path of every problem', () => {
    expect(problems('')).toEqual(['']);
    expect(problems('{"message":')).toEqual(['']);
    expect(problems([])).toEqual(['']);
    expect(problems({})).toEqual(['message']);
    expect(problems({ message: 'a', prompt: 'b' })).toEqual(['message']);
    expect(problems({ messages: [] })).toEqual(['messages']);
    expect(
      problems({
        messages: [
          { role: 'user', content: 'a' },
          { role: 'tool', content: 3 },
        ],
      }),
    ).toEqual(['messages.1.role', 'messages.1.content']);
    expect(
      problems({
        message: '',
        mode: 'fast',
        text_buffer_size: -1,
        text_delta_delay_ms: '5',
        session_id: 'a b',
        max_tokens: 0,
      }),
    ).toEqual(['message', 'session_id', 'max_tokens', 'mode', 'text_buffer_size', 'text_delta_delay_ms']);
  });

  test('is refused with a list of its unknown fields, and with the field that was meant', () => {
    expect(problems({ message: 'a', maxtokens: 5, topP: 1, model: { modelId: 'm', url: 'x' } })).toEqual([
      'model.url',
      'maxtokens',
      'topP',
    ]);
    expect(problems('{"message":"a","constructor":1}')).toEqual(['constructor']);
    expect(() => readChatBody('{"message":"a","maxtokens":5}')).toThrow(
      expect.objectContaining({
        problems: [{ path: 'maxtokens', message: expect.stringContaining('did you mean "maxTokens"') }],
      }),
    );
  });

  test('accepts max_tokens and maxTokens, but not two different values', () => {
    for (const name of ['max_tokens', 'maxTokens']) {
      expect(readChatBody(JSON.stringify({ message: 'a', [name]: 7 })).maxTokens).toBe(7);
    }
    expect(readChatBody('{"message":"a","maxTokens":7,"max_tokens":7}').maxTokens).toBe(7);
    expect(problems({ message: 'a', maxTokens: 7, max_tokens: 8 })).toEqual(['maxTokens']);
  });

  test('accepts a model as a name, and as the object of a playground', () => {
    const model = { providerId: 'openai', endpoint: 'https://a.example/v1', apiKey: 'k', modelId: 'm' };
    const read = (value: unknown) => readChatBody(JSON.stringify({ message: 'a', model: value }));
    expect(read('m')).toMatchObject({ model: 'm' });
    expect(read({ providerId: 'openai', endpoint: '', apiKey: '', modelId: 'm' })).toMatchObject({
      model: 'm',
      upstream: 'openai',
    });
    expect(read(model)).toMatchObject({
      model: 'm',
      endpoint: { url: 'https://a.example/v1', apiKey: 'k', providerId: 'openai' },
    });
    expect(problems({ message: 'a', model: { ...model, endpoint: '' } })).toEqual(['model.apiKey']);
    expect(problems({ message: 'a', model: { ...model, modelId: '' } })).toEqual(['model.modelId']);
    expect(problems({ message: 'a', model: { ...model, modelId: 5 } })).toEqual(['model.modelId']);
    expect(problems({ message: 'a', model, upstream: 'zhipu' })).toEqual(['model.providerId']);
  });

  test.each(['conversation', 'agent', 'playground'])(
    'is what a client of the %s dialect sends',
    (dialect) => {
      const chat: ChatRequest = {
        model: 'm',
        messages: [{ role: 'user', content: 'hi' }],
        maxTokens: 5,
        temperature: 0.5,
        stream: false,
        extra: { mode: 'legacy', text_buffer_size: 7 },
      };
      expect(readChatBody(getDialect(dialect).request(chat).body!)).toMatchObject({
        messages: chat.messages,
        model: 'm',
        maxTokens: 5,
        temperature: 0.5,
        stream: false,
        mode: 'legacy',
        options: { textBufferSize: 7 },
      });
    },
  );
});

test('an id in a path is checked', () => {
  expect(readName('id', 'agent-1.x:y_z@h')).toBe('agent-1.x:y_z@h');
  for (const name of ['', 'a/b', "';--", 'x'.repeat(129)])
    expect(() => readName('id', name)).toThrow(HttpError);
});
