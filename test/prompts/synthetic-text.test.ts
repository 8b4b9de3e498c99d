import { describe, expect, test } from 'vitest';
import { keyWords, nonceWords, syntheticText } from '../../src/prompts/synthetic-text.ts';

describe('generated text', () => {
  test.each([
    [8, 0],
    [3, 5],
    [100, 32_760],
    [70_000, 1],
  ])('of %i words from word %i', (words, at) => {
    const text = syntheticText(words, nonceWords('00000001'), at);
    expect(text).toHaveLength(words * 4 - 1);
    expect(text.split(' ')).toHaveLength(words);
    expect(text).toMatch(/^[a-z]{3}( [a-z]{3})*$/);
  });

  test('goes on where the corpus ends', () => {
    const whole = syntheticText(2 ** 15, [], 0);
    expect(syntheticText(10, [], 2 ** 15 - 5)).toBe(`${whole.slice(-19)} ${whole.slice(0, 19)}`);
  });

  test('begins with other words for every nonce', () => {
    const nonces = ['00000000', '00000001', 'zzzzzzzz', '7xzzzzzz'];
    expect(new Set(nonces.map((nonce) => nonceWords(nonce).join())).size).toBe(4);
    expect(nonceWords('zzzzzzzz').every((word) => word < 256)).toBe(true);
    expect(keyWords('a')).not.toEqual(keyWords('b'));
    expect(keyWords('a')).toEqual(keyWords('a'));
  });
});
