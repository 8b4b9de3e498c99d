import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/client/address.ts';
import { wireFormat } from '../../src/wire/dialects.ts';

const chat = wireFormat('openai-chat');

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

  test("a dialect's own query joins the target's", () => {
    expect(addressOf('http://h/v1?key=k', chat, '/x?alt=sse').path).toBe('/v1/x?key=k&alt=sse');
  });

  test.each(['h:1/v1', 'localhost', 'ftp://h', ''])('%j is refused with a remedy', (base) => {
    expect(() => addressOf(base, chat, '')).toThrow(/is not an http or https URL\n.*in full/);
  });
});
