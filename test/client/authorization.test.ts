import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { authorizer } from '../../src/client/authorization.ts';
import { FakeClock } from '../support/fake-clock.ts';

const request = {
  method: 'POST',
  url: new URL('https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse'),
  headers: {},
  body: '{}',
};

describe('how a key is sent', () => {
  test.each([
    ['bearer', { authorization: 'Bearer k' }],
    ['none', { authorization: 'Bearer k' }],
    ['x-api-key', { 'x-api-key': 'k' }],
    ['api-key', { 'api-key': 'k' }],
    ['x-goog-api-key', { 'x-goog-api-key': 'k' }],
  ] as const)('%s', (auth, headers) => {
    expect(authorizer(auth, 'k', new FakeClock())(request)).toEqual(headers);
    expect(authorizer(auth, undefined, new FakeClock())(request)).toEqual({});
  });

  test('zhipu-jwt signs a token with times in milliseconds, and renews it before it expires', async () => {
    const clock = new FakeClock();
    const authorize = authorizer('zhipu-jwt', 'id.the-secret', clock);
    const token = async () => (await authorize(request)).authorization!.replace('Bearer ', '');
    const first = await token();
    expect(decodeProtectedHeader(first)).toEqual({ alg: 'HS256', sign_type: 'SIGN' });
    const { payload } = await jwtVerify(first, new TextEncoder().encode('the-secret'));
    const now = clock.wallTime().getTime();
    expect(payload).toEqual({ api_key: 'id', timestamp: now, exp: now + 210_000 });
    await clock.advance(179_000);
    expect(await token()).toBe(first);
    await clock.advance(1_000);
    expect(await token()).not.toBe(first);
  });

  test('a Zhipu key of another form is sent unchanged', () => {
    expect(authorizer('zhipu-jwt', 'plain', new FakeClock())(request)).toEqual({
      authorization: 'Bearer plain',
    });
  });

  test('sigv4 signs for the region of the host, session token included', async () => {
    const headers = await authorizer('sigv4', 'AKID:secret:tok:en', new FakeClock())(request);
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20260101\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=/,
    );
    expect(headers['x-amz-security-token']).toBe('tok:en');
    expect(JSON.stringify(headers)).not.toContain('secret');
  });
});
