import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/model/errors.ts';
import {
  allowedBy,
  isInternal,
  openCallerEndpoint,
  parseEndpointPattern,
} from '../../../src/service/agent/caller-endpoint.ts';

const allows = (pattern: string, url: string) =>
  allowedBy(new URL(url), [parseEndpointPattern(pattern)]) !== undefined;

describe('a pattern', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com/v1'],
    ['https://api.example.com', 'https://API.example.com:443'],
    ['https://api.example.com/v1', 'https://api.example.com/v1'],
    ['https://api.example.com/v1/', 'https://api.example.com/v1/chat/completions'],
    ['https://api.example.com/v1/*', 'https://api.example.com/v1/chat?x=1'],
    ['https://*.example.com', 'https://a.b.example.com/v1'],
    ['http://127.0.0.1:11434', 'http://0x7f.1:11434/v1'],
    ['http://[::1]:8080', 'http://[0:0::1]:8080/v1'],
  ])('%s allows %s', (pattern, url) => expect(allows(pattern, url)).toBe(true));

  test.each([
    ['https://api.example.com', 'http://api.example.com/'],
    ['https://api.example.com', 'https://api.example.com:8443/'],
    ['https://api.example.com', 'https://api.example.com.evil.test/'],
    ['https://api.example.com', 'https://api.example.com@evil.test/'],
    ['https://api.example.com', 'https://evil.test#@api.example.com/'],
    ['https://api.example.com', 'https://user@api.example.com/'],
    ['https://api.example.com', 'https://api.example.com./'],
    ['https://api.example.com/v1', 'https://api.example.com/v10'],
    ['https://api.example.com/v1', 'https://api.example.com/v1/../admin'],
    ['https://api.example.com/v1', 'https://api.example.com/v1/%2e%2e/admin'],
    ['https://api.example.com/v1', 'https://api.example.com/v1/..%2fadmin'],
    ['https://api.example.com/v1', 'https://api.example.com/v1/..%5cadmin'],
    ['https://*.example.com', 'https://example.com/'],
    ['https://*.example.com', 'https://evilexample.com/'],
    ['http://127.0.0.1:11434', 'http://127.0.0.1:11435/'],
    ['http://127.0.0.1:11434', 'http://localhost:11434/'],
  ])('%s does not allow %s', (pattern, url) => expect(allows(pattern, url)).toBe(false));

  test.each([
    '*',
    'https://*',
    'https://*.com',
    'https://a.*.com',
    'ftp://a.b',
    'a.b',
    '',
    'https://*.10.0.0.1',
    'https://u@a.b',
  ])('%j is a user error', (pattern) => expect(() => parseEndpointPattern(pattern)).toThrow(UserError));
});

describe('a name below a wildcard', () => {
  const patterns = [parseEndpointPattern('https://*.example.com')];
  const open = (...addresses: string[]) =>
    openCallerEndpoint({ url: 'https://a.example.com/v1' }, patterns, async () =>
      addresses.map((address) => ({ address })),
    );

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '::1',
    '::ffff:127.0.0.1',
    'fd00::1',
    'fe80::1',
    '0.0.0.0',
  ])('must not point to %s', async (address) => {
    expect(isInternal(address)).toBe(true);
    await expect(open('93.184.216.34', address)).rejects.toMatchObject({ status: 403 });
  });

  test('may point to the internet', async () => {
    const upstream = await open('93.184.216.34', '2606:2800:220:1::1');
    upstream.client.close();
    expect(upstream.name).toBe('custom');
  });
});
