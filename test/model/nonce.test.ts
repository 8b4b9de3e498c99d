import { describe, expect, test } from 'vitest';
import { NONCE_LENGTH, NONCE_PREFIX_LENGTH, withNonce, withoutNonce } from '../../src/model/request.ts';

describe('withNonce', () => {
  test('is at the start of the system message, else of the first message', () => {
    expect(withNonce([{ role: 'user', content: 'hello' }], 'abcd1234')).toEqual([
      { role: 'user', content: 'abcd1234\n\nhello' },
    ]);
    const talk = [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'b' },
      { role: 'assistant', content: 'c' },
    ] as const;
    expect(withNonce(talk, 'abcd1234').map(({ content }) => content)).toEqual(['a', 'abcd1234\n\nb', 'c']);
    expect(talk[1].content).toBe('b');
  });

  test('adds as many characters as reports say, and can be taken off again', () => {
    const [message] = withNonce([{ role: 'user', content: '你好' }], 'z'.repeat(NONCE_LENGTH));
    expect(message!.content).toHaveLength(2 + NONCE_PREFIX_LENGTH);
    expect(withoutNonce(message!.content)).toBe('你好');
    expect(withoutNonce('你好')).toBe('你好');
  });
});
