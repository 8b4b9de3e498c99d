import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/client/address.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';

const chat = getDialect('openai-chat');

describe('where a request goes', () => {
  test.each([
    ['http://h:1/v1', 'http://h:1', '/v1/chat/completions'],
    ['http://h:1/v1/', 'http://h:1', '/v1/chat/completions'],
    ['http://h:1', 'http://h:1', '/chat/completions'],
    ['https://h/x/chat/completions', 'https://h', '/x/chat/completions'],
    ['https://h/x?api-version=1', 'https://h', '/x/chat/completions?api-version=1'],
    ['https://h/x/chat/completions?k=v', 'https://h', '/x/chat/completions?k=v'],
    ['http://[::1]:8/v1', 'http://[::1]:8', '/v1/chat/completions'],
  ])('%s', (base, origin, path) => {
    const address = addressOf(base, chat, '/chat/completions');
    expect([address.origin.origin, address.path]).toEqual([origin, path]);
  });

  test.each(DIALECT_NAMES)('%s: an exact URL is left as it is, in both modes', (name) => {
    const dialect = getDialect(name);
    for (const url of ['http://h:1/a/b/?x=1&y', 'http://h:1/v1/chat/completions', 'http://h:1/'])
      for (const stream of [true, false]) {
        const { path } = dialect.request({ messages: [], model: 'm', stream });
        const address = addressOf(url, dialect, path, 'exact');
        expect(`${address.origin.origin}${address.path}`).toBe(url);
        expect(address.appendedPath).toBe('');
      }
  });

  test('the appended path is reported', () => {
    expect(addressOf('http://h/v1', chat, '/chat/completions').appendedPath).toBe('/chat/completions');
    expect(addressOf('http://h/v1/chat/completions', chat, '/chat/completions').appendedPath).toBe('');
  });

  test("a dialect's own query joins the target's", () => {
    expect(addressOf('http://h/v1?key=k', chat, '/x?alt=sse').path).toBe('/v1/x?key=k&alt=sse');
  });

  test.each(['h:1/v1', 'localhost', 'ftp://h', ''])('%j is refused with a remedy', (base) => {
    expect(() => addressOf(base, chat, '')).toThrow(/is not an http or https URL\n.*in full/);
  });

  describe('a complete URL is used for both modes as its fields say', () => {
    const gemini = 'https://h/v1beta/models/flash';
    const bedrock = 'https://h/model/a%3Ab';
    test.each<[string, string, string, string]>([
      [
        'gemini',
        `${gemini}:streamGenerateContent`,
        `${gemini}:streamGenerateContent?alt=sse`,
        `${gemini}:generateContent`,
      ],
      [
        'gemini',
        `${gemini}:generateContent?key=k`,
        `${gemini}:streamGenerateContent?key=k&alt=sse`,
        `${gemini}:generateContent?key=k`,
      ],
      [
        'gemini',
        `${gemini}:streamGenerateContent?alt=sse&key=k`,
        `${gemini}:streamGenerateContent?key=k&alt=sse`,
        `${gemini}:generateContent?key=k`,
      ],
      ['tgi', 'http://h/x/generate_stream', 'http://h/x/generate_stream', 'http://h/x/generate'],
      ['tgi', 'http://h/generate', 'http://h/generate_stream', 'http://h/generate'],
      ['bedrock-converse', `${bedrock}/converse-stream`, `${bedrock}/converse-stream`, `${bedrock}/converse`],
      ['bedrock-converse', `${bedrock}/converse`, `${bedrock}/converse-stream`, `${bedrock}/converse`],
      ['openai-chat', 'http://h/chat/completions', 'http://h/chat/completions', 'http://h/chat/completions'],
      // An application's URL is its user's to choose, whatever it ends in.
      [
        'agent',
        'http://h/agents/1/chat/x/stream',
        'http://h/agents/1/chat/x/stream',
        'http://h/agents/1/chat/x/stream',
      ],
    ])('%s: %s', (name, url, streaming, whole) => {
      const dialect = getDialect(name);
      const to = (stream: boolean) => {
        // The model in the URL wins over that of the request.
        const { origin, path } = addressOf(
          url,
          dialect,
          dialect.request({ messages: [], model: 'm', stream }).path,
        );
        return `${origin.origin}${path}`;
      };
      expect([to(true), to(false)]).toEqual([streaming, whole]);
    });

    test.each(DIALECT_NAMES)('%s: and its own paths stay as they are', (name) => {
      const dialect = getDialect(name);
      for (const stream of [true, false]) {
        const { path } = dialect.request({ messages: [{ role: 'user', content: 'x' }], model: 'm', stream });
        const once = addressOf('http://h/v1', dialect, path).path;
        expect(addressOf(`http://h${once}`, dialect, path).path).toBe(path === '' ? '/v1' : once);
      }
    });
  });
});
