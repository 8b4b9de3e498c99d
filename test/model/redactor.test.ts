import { expect, test } from 'vitest';
import { createRedactor } from '../../src/model/secrets.ts';

test('every spelling of a secret is replaced by its name', () => {
  const redact = createRedactor([{ name: '${env:KEY}', value: 'se"cret/key' }]);
  expect(redact('a se"cret/key b')).toBe('a ${env:KEY} b');
  expect(redact('{"k":"se\\"cret/key"}')).toBe('{"k":"${env:KEY}"}');
  expect(redact('?k=se%22cret%2Fkey')).toBe('?k=${env:KEY}');
});

test('a secret that holds another is replaced whole', () => {
  const redact = createRedactor([
    { name: '[id]', value: 'abcdef' },
    { name: '[key]', value: 'abcdef.ghijkl' },
  ]);
  expect(redact('abcdef.ghijkl abcdef')).toBe('[key] [id]');
});

test('values too short to be secrets do not blank out innocent text', () => {
  expect(createRedactor([{ name: '[n]', value: '4' }])('404')).toBe('404');
});
