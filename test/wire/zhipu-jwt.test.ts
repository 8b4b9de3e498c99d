import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { zhipuToken } from '../../src/wire/zhipu-jwt.ts';

const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());

test('a key becomes a token that is signed with its secret and counts in milliseconds', () => {
  const [head, claims, signature] = zhipuToken('the-id.the-secret', 1_700_000_000_123, 60_000).split('.');
  expect(decode(head)).toEqual({ alg: 'HS256', sign_type: 'SIGN' });
  expect(decode(claims)).toEqual({ api_key: 'the-id', exp: 1_700_000_060_123, timestamp: 1_700_000_000_123 });
  expect(signature).toBe(createHmac('sha256', 'the-secret').update(`${head}.${claims}`).digest('base64url'));
});

test('what is no key of two parts is sent as it is', () => {
  expect(zhipuToken('a.b.c', 0)).toBe('a.b.c');
  expect(zhipuToken('plain', 0)).toBe('plain');
});
