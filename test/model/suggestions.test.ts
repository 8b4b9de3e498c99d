import { expect, test } from 'vitest';
import { nearNames, suggest } from '../../src/model/suggestions.ts';

const names = ['concurrency', 'requests', 'rounds', 'warmup', 'openai-chat'];

test.each([
  ['concurency', ['concurrency']],
  ['reqeusts', ['requests']],
  ['round', ['rounds']],
  ['Warmup', ['warmup']],
  ['openai', ['openai-chat']],
  ['zzz', []],
])('%s is near %j', (name, near) => {
  expect(nearNames(name, names)).toEqual(near);
});

test('a word of one letter is near nothing because it is part of it', () => {
  expect(nearNames('OPENAI_API_KEY', ['_', 'A', 'OPENAI_KEY'])).toEqual(['OPENAI_KEY']);
});

test('a suggestion lists everything when nothing is near', () => {
  expect(suggest('warmpu', names)).toBe('did you mean "warmup"?');
  expect(suggest('zzz', ['a', 'b'])).toBe('known: a, b');
});
