import { describe, expect, test } from 'vitest';
import { refusalHint, refusedField } from '../../../src/client/outcome/refusal.ts';

const BODY = JSON.stringify({
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 9,
  temperature: 0,
  user: 'u',
  stream: true,
  stream_options: { include_usage: true },
  generationConfig: { thinkingConfig: { includeThoughts: true } },
});

// The errors as the services were seen to send them.
const MISTRAL =
  '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs are not permitted","input":true}]},"type":"invalid_request_error","param":null,"code":null}';
const OLDER_MISTRAL =
  '{"object":"error","message":"{\\"detail\\":[{\\"type\\":\\"extra_forbidden\\",\\"loc\\":[\\"body\\",\\"temperature\\"],\\"msg\\":\\"Extra inputs are not permitted\\",\\"input\\":0.0}]}","type":"internal_error_proxy","param":null,"code":"1000"}';
const OPENAI =
  '{"error":{"message":"Unsupported parameter: \'max_tokens\' is not supported with this model. Use \'max_completion_tokens\' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}';
const OLD_OPENAI =
  '{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null,"code":null}}';
const GOOGLE =
  '{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \\"thinkingConfig\\" at \'generation_config\': Cannot find field.","status":"INVALID_ARGUMENT"}}';

describe('the field that an error names', () => {
  test.each([
    ['Mistral, stream_options', MISTRAL, ['stream_options', 'include_usage']],
    ['Mistral, with JSON in its message', OLDER_MISTRAL, ['temperature']],
    ['OpenAI, max_tokens', OPENAI, ['max_tokens']],
    ['an older OpenAI server', OLD_OPENAI, ['stream_options']],
    ['Google, a nested one', GOOGLE, ['generationConfig', 'thinkingConfig']],
    ['FastAPI', '{"detail":[{"loc":["body","user"],"msg":"extra"}]}', ['user']],
    [
      'the model, which no request is without',
      '{"error":{"message":"no model \'m\'","param":"model"}}',
      undefined,
    ],
    ['a plain word', '{"error":"the user may not do this"}', undefined],
    ['a field that was not sent', '{"error":"unknown field \'top_k\'"}', undefined],
    ['no JSON', 'bad gateway', undefined],
    ['no JSON, but the name', "unknown argument 'max_tokens'", ['max_tokens']],
  ])('%s', (_, error, path) => {
    expect(refusedField(error, BODY)).toEqual(path);
  });

  test('no field is named if no JSON was sent', () => {
    expect(refusedField(OPENAI, undefined)).toBeUndefined();
    expect(refusedField(OPENAI, 'max_tokens')).toBeUndefined();
  });
});

describe('the hint', () => {
  const sent = { method: 'POST', body: BODY };
  test.each([
    [422, MISTRAL, "--set 'targets.*.requestFields.usage=none'"],
    [400, OPENAI, "--set 'targets.*.requestFields.maxTokens=max_completion_tokens'"],
    [422, OLDER_MISTRAL, "extra: { temperature: null } (--set 'targets.*.extra.temperature=null')"],
    [400, GOOGLE, 'extra: { generationConfig: { thinkingConfig: null } }'],
  ])('for %i names the option that leaves the field out', (status, error, hint) => {
    expect(refusalHint(status, error, sent)).toContain(hint);
  });

  test('for a limit that is too high names no other field', () => {
    const error = '{"error":{"message":"max_tokens must be at most 8","param":"max_tokens"}}';
    expect(refusalHint(400, error, sent)).toContain('extra: { max_tokens: null }');
  });

  test('for a 404 names the appended path and the assumptions', () => {
    expect(refusalHint(404, '', { ...sent, appendedPath: '/chat/completions' })).toMatch(
      /path \/chat\/completions was appended.*--exact-url/,
    );
    expect(refusalHint(404, '', { ...sent, appendedPath: '' })).not.toContain('appended');
  });

  test.each([404, 405])('for a %i to a guessed GET names --method POST', (status) => {
    expect(refusalHint(status, '', { method: 'GET', methodGuessed: true })).toContain('--method POST');
    expect(refusalHint(status, '', { method: 'GET' }) ?? '').not.toContain('--method');
  });

  test('is undefined if the request is not the cause', () => {
    for (const status of [401, 429, 500]) expect(refusalHint(status, OPENAI, sent)).toBeUndefined();
    expect(refusalHint(400, '{"error":"no"}', sent)).toBeUndefined();
  });
});
