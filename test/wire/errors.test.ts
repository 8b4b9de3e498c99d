import { describe, expect, test } from 'vitest';
import { type ErrorText, isFailureName, readErrorBody, readFailure } from '../../src/wire/errors.ts';

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
  // MiniMax
  [
    '{"base_resp":{"status_code":1002,"status_msg":"rate limit"},"choices":null}',
    { message: 'rate limit', code: '1002', rateLimited: true },
  ],
  [
    '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}',
    { message: 'insufficient balance', code: '1008' },
  ],
  // OpenRouter
  [
    '{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"context is full\\"}}","provider_name":"Chutes"}}}',
    { message: 'Provider returned error (Chutes): context is full', code: '502' },
  ],
  [
    '{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"m:free is temporarily rate-limited upstream"}}}',
    {
      message: 'Provider returned error: m:free is temporarily rate-limited upstream',
      code: '429',
      rateLimited: true,
    },
  ],
  // Cohere, AWS
  [
    '{"error_type":"TOO_MANY_TOKENS","id":"c1","message":"too many tokens"}',
    { message: 'too many tokens', code: 'TOO_MANY_TOKENS' },
  ],
  [
    '{"__type":"ThrottlingException","Message":"Rate exceeded"}',
    { message: 'Rate exceeded', code: 'ThrottlingException', rateLimited: true },
  ],
  ['<html>502</html>', undefined],
  ['{}', undefined],
  ['', undefined],
])('%s', (body, wanted) => {
  expect(readErrorBody(body)).toEqual(wanted);
});

test('a body may have any depth', () => {
  const deep = `${'{"error":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
  expect(readErrorBody(deep)).toBeUndefined();
});

describe('a payload', () => {
  test.each<[string, string | undefined, string | undefined]>([
    ['{"error":{"message":"x","code":"c"}}', 'x', 'c'],
    ['{"error":{}}', '{"error":{}}', undefined],
    ['{"error":true,"message":"x"}', 'x', undefined],
    ['{"object":"error","message":"x","code":400}', 'x', '400'],
    [
      '{"code":"Throttling.AllocationQuota","message":"x","request_id":"r"}',
      'x',
      'Throttling.AllocationQuota',
    ],
    ['{"code":"InvalidApiKey","message":"x"}', 'x', 'InvalidApiKey'],
    ['{"code":500,"msg":"x"}', 'x', '500'],
    ['{"base_resp":{"status_code":1004,"status_msg":"x"}}', 'x', '1004'],
    ['{"type":"conversation.response.error","message":"x","code":3000}', 'x', '3000'],
    ['{"type":"error","error":{"type":"overloaded_error","message":"x"}}', 'x', 'overloaded_error'],
    ['{"success":false,"message":"x"}', 'x', undefined],
  ])('%s reports a failure', (text, message, code) => {
    const read = readFailure(JSON.parse(text));
    expect(read?.message).toBe(message);
    expect(read?.code).toBe(code);
  });

  test.each([
    '{"error":null,"choices":[{}]}',
    '{"error":"","content":"x"}',
    '{"error":{},"content":"x"}',
    '{"error":false}',
    '{"base_resp":{"status_code":0,"status_msg":""},"choices":[]}',
    '{"code":0,"message":"Hello"}',
    '{"code":200,"message":"success","data":{"text":"Hello"}}',
    '{"code":"ok","message":"Hello"}',
    '{"code":"print(1)","message":"here is the code","content":"x"}',
    '{"type":"tool-output-error","message":"x"}',
    '{"type":"thread.run.step.failed"}',
    '{"message":"Hello"}',
    '{"status":"ready"}',
  ])('%s does not', (text) => {
    expect(readFailure(JSON.parse(text))).toBeUndefined();
  });

  test.each([
    'error',
    'response.failed',
    'conversation.response.error',
    'RUN_ERROR',
    'conversation.chat.failed',
  ])('named %s ends the answer', (name) => expect(isFailureName(name)).toBe(true));

  test.each(['tool_error', 'thread.run.step.failed', 'response.mcp_call.failed', 'terror', 'message'])(
    'named %s does not',
    (name) => expect(isFailureName(name)).toBe(false),
  );
});

describe('a rate limit', () => {
  test.each([
    ...['429', 'rate_limit_error', 'rate_limit_exceeded', 'RateLimitReached', 'too_many_requests'],
    ...['RESOURCE_EXHAUSTED', 'ThrottlingException', 'throttlingException', '1302', '1303', '1305'],
    ...['Throttling', 'Throttling.RateQuota', 'Throttling.AllocationQuota', 'Throttling.BurstRate'],
  ])('is %s', (code) => {
    expect(readFailure({ error: { message: 'x', code } })?.rateLimited).toBe(true);
    expect(readFailure({ error: { message: 'x', type: code } })?.rateLimited).toBe(true);
  });

  test.each([
    ...[
      'overloaded_error',
      'insufficient_quota',
      'server_error',
      '1002',
      '1113',
      '1304',
      '529',
      'throttlingly',
    ],
  ])('is not %s', (code) => {
    expect(readFailure({ error: { message: 'x', code } })?.rateLimited).toBeUndefined();
  });

  test("MiniMax's numbers have other meanings elsewhere", () => {
    const failed = (status_code: number) => readFailure({ base_resp: { status_code, status_msg: 'x' } });
    expect(failed(1002)?.rateLimited).toBe(true);
    expect([1004, 1008, 1302].map((code) => failed(code)?.rateLimited)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
