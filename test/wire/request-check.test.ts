import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { UserError } from '../../src/model/errors.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { CHECKED_FIELDS, checkRequest, expresses } from '../../src/wire/request-check.ts';
import { CALL, PLAIN, WITH } from './field-requests.ts';

const MARK = /QUJDRA==|MARK|4321|"low"|"LOW"/;

describe.each([...DIALECT_NAMES])('%s', (name) => {
  const dialect = getDialect(name);

  test.each([...CHECKED_FIELDS])('%s is either written or refused', (field) => {
    const { body = '', path } = dialect.request(WITH[field]);
    const isWritten = MARK.test(body) || MARK.test(path);
    if (expresses(dialect, field)) {
      expect(() => checkRequest(WITH[field], dialect)).not.toThrow();
      expect(isWritten).toBe(true);
      return;
    }
    expect(() => checkRequest(WITH[field], dialect)).toThrow(
      new RegExp(`the dialect ${name} cannot express .*\\n  dialects that can: openai-chat`),
    );
  });
});

describe('a client', () => {
  const settings = { baseUrl: 'http://127.0.0.1:9', model: 'm' };

  test('refuses what its dialect cannot express, before it connects', async () => {
    const client = createClient({ ...settings, dialect: 'ollama-chat' });
    expect(() => client.stream({ prompt: 'x', n: 2 })).toThrow(/^n: the dialect ollama-chat cannot/);
    await expect(client.complete({ prompt: 'x', n: 2 })).rejects.toThrow(UserError);
    client.close();
  });

  test('names all of it at once', () => {
    const client = createClient({ ...settings, dialect: 'sse' });
    const thrown = () =>
      client.stream({ prompt: 'x', n: 2, seed: 1, tools: [{ name: 'f', parameters: {} }] });
    expect(thrown).toThrow(/tools: [\s\S]*n: [\s\S]*seed: /);
    client.close();
  });

  test('with a body of its own refuses what that leaves out', () => {
    const body = '{"q":"{{prompt}}","limit":"{{maxTokens}}"}';
    const client = createClient({ ...settings, dialect: 'openai-chat', body });
    expect(() => client.stream({ prompt: 'x', maxTokens: 5, seed: 1 })).toThrow(
      /^seed: the body of this client/,
    );
    expect(() => client.stream({ prompt: 'x', maxTokens: 5 }).cancel()).not.toThrow();
    client.close();
  });

  test('can leave options out, and never content', () => {
    const client = createClient({ ...settings, dialect: 'sse', unsupportedOptions: 'omit' });
    expect(() => client.stream({ prompt: 'x', maxTokens: 5, seed: 1 }).cancel()).not.toThrow();
    expect(() => client.stream({ prompt: 'x', tools: [{ name: 'f', parameters: {} }] })).toThrow(/tools/);
    client.close();
  });

  test.each([
    [{ role: 'tool', content: 'x' }, 'a tool message has no call'],
    [{ role: 'user', content: 'x', call: CALL }, 'has a call'],
    [{ role: 'user', content: 'x', toolCalls: [CALL] }, 'calls no tools'],
    [
      { role: 'system', content: 'x', media: [{ kind: 'image', mediaType: 'image/png', data: '' }] },
      'has no images',
    ],
  ] as const)('refuses a message that no API has: %j', (message, wanted) => {
    expect(() => checkRequest({ ...PLAIN, messages: [message] }, getDialect('openai-chat'))).toThrow(wanted);
  });
});
