import { describe, expect, test } from 'vitest';
import { awsRegion, type SignedRequest, signV4 } from '../../src/wire/sigv4.ts';

// The published example: its key is no secret.
const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

function request(more: Partial<SignedRequest> = {}): SignedRequest {
  return {
    method: 'GET',
    url: new URL('https://example.amazonaws.com/'),
    headers: {},
    body: '',
    region: 'us-east-1',
    service: 'service',
    at: new Date('2015-08-30T12:36:00Z'),
    ...more,
  };
}

describe("AWS's published signatures", () => {
  test.each<[string, Partial<SignedRequest>, string, string]>([
    ['a bare GET', {}, 'host;x-amz-date', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'a bare POST',
      { method: 'POST' },
      'host;x-amz-date',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'parameters are sorted',
      { url: new URL('https://example.amazonaws.com/?Param2=value2&Param1=value1') },
      'host;x-amz-date',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'a form',
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: 'Param1=value1',
      },
      'content-type;host;x-amz-date',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
    [
      'the example of the guide',
      {
        url: new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'),
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        service: 'iam',
      },
      'content-type;host;x-amz-date',
      '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    ],
  ])('%s', (_title, more, signedHeaders, signature) => {
    const { authorization } = signV4(request(more), KEY);
    expect(authorization).toContain(`SignedHeaders=${signedHeaders}, `);
    expect(authorization).toContain(`Signature=${signature}`);
  });
});

test('a path that is encoded on the wire is encoded once more for the signature', () => {
  const plain = signV4(request({ url: new URL('https://h.amazonaws.com/model/a%3A0/converse') }), KEY);
  const other = signV4(request({ url: new URL('https://h.amazonaws.com/model/a:0/converse') }), KEY);
  expect(plain.authorization).not.toBe(other.authorization);
});

test('a session token is sent and signed', () => {
  const headers = signV4(request(), { ...KEY, sessionToken: 'token' });
  expect(headers['x-amz-security-token']).toBe('token');
  expect(headers.authorization).toContain('x-amz-security-token');
  expect(headers['x-amz-date']).toBe('20150830T123600Z');
});

test('the secret is in no header', () => {
  expect(JSON.stringify(signV4(request(), KEY))).not.toContain(KEY.secretAccessKey);
});

test('the region is in the host', () => {
  expect(awsRegion('bedrock-runtime.eu-west-1.amazonaws.com')).toBe('eu-west-1');
  expect(awsRegion('bedrock-runtime.us-gov-west-1.amazonaws.com')).toBe('us-gov-west-1');
  expect(awsRegion('127.0.0.1')).toBeUndefined();
});
