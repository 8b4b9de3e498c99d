import { expect, test } from 'vitest';
import { type ErrorText, readErrorBody } from '../../src/wire/errors.ts';

test.each<[string, ErrorText | undefined]>([
  [
    '{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}',
    { message: 'no such model', code: 'model_not_found' },
  ],
  [
    '{"error":{"message":"overloaded","type":"overloaded_error"},"type":"error"}',
    { message: 'overloaded', code: 'overloaded_error' },
  ],
  [
    '{"error":{"code":"1302","message":"并发数过高"}}',
    { message: '并发数过高', code: '1302', rateLimited: true },
  ],
  [
    '{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}',
    { message: 'slow down', code: '429', rateLimited: true },
  ],
  ['{"error":"model \'x\' not found"}', { message: "model 'x' not found" }],
  [
    '{"code":"invalid_key","error":"Incorrect API key"}',
    { message: 'Incorrect API key', code: 'invalid_key' },
  ],
  ['{"detail":"Invalid API Key"}', { message: 'Invalid API Key' }],
  ['{"detail":[{"loc":["body"],"msg":"field required"}]}', { message: 'field required' }],
  ['{"message":"The security token is invalid"}', { message: 'The security token is invalid' }],
  ['[{"error":{"message":"inside a list"}}]', { message: 'inside a list' }],
  ['<html>502</html>', undefined],
  ['{}', undefined],
  ['', undefined],
])('%s', (body, wanted) => {
  expect(readErrorBody(body)).toEqual(wanted);
});

test('a body may be as deep as it likes', () => {
  const deep = `${'{"error":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
  expect(readErrorBody(deep)).toBeUndefined();
});
