import { describe, expect, it } from 'vitest';
import { resolveTarget } from '../../src/scenario/targets.ts';
import { load, problems, userError } from './helpers.ts';

const scenario = (fields: string) =>
  `version: 1\nname: n\ntargets:\n  - { name: t, ${fields} }\nprompts:\n  - { name: p, text: x }\n`;

function target(fields: string, env: Record<string, string> = {}) {
  return resolveTarget(load(scenario(fields), { env }).scenario.targets[0]!, {
    simulatorUrl: 'http://127.0.0.1:4/',
  });
}

describe('resolveTarget', () => {
  it('takes missing fields from the provider', () => {
    expect(target('provider: openai, model: m', { OPENAI_API_KEY: ' sk-1234567\n' })).toEqual({
      name: 't',
      provider: 'openai',
      dialect: 'openai-chat',
      baseUrl: 'https://api.openai.com/v1',
      model: 'm',
      apiKey: 'sk-1234567',
      auth: 'bearer',
      headers: {},
      requestFields: { maxTokens: 'max_completion_tokens' },
    });
  });

  it('merges request fields into those of the provider', () => {
    const { requestFields } = target('provider: openai, model: m, requestFields: { usage: none }', {
      OPENAI_API_KEY: 'sk-1234567',
    });
    expect(requestFields).toEqual({ maxTokens: 'max_completion_tokens', usage: 'none' });
    expect(target('url: "http://h/v1", dialect: openai-chat').requestFields).toBeUndefined();
  });

  it('takes an exact url, and needs one for it', () => {
    expect(target('url: "http://h/x", dialect: openai-chat, path: exact').path).toBe('exact');
    expect(target('url: "http://h/x", dialect: openai-chat, path: dialect').path).toBeUndefined();
    expect(() => target('provider: openai, model: m, apiKey: k, path: exact')).toThrow(/needs url/);
  });

  it('prefers the fields of the target', () => {
    expect(
      target(
        'provider: openai, model: m, url: "http://h/x?y=1", dialect: sse, apiKey: k, headers: { a: b }, ' +
          'extra: { n: [1] }, textPath: a.b, body: "{}", method: POST',
        { OPENAI_API_KEY: 'unused' },
      ),
    ).toMatchObject({
      dialect: 'sse',
      baseUrl: 'http://h/x?y=1',
      apiKey: 'k',
      auth: 'bearer',
      headers: { a: 'b' },
      extra: { n: [1] },
      textPath: 'a.b',
      body: '{}',
      method: 'POST',
    });
  });

  it('is custom with only a url, and sends a key in the usual way of its dialect', () => {
    expect(target('url: "http://h", dialect: openai-chat')).toMatchObject({
      provider: 'custom',
      auth: 'none',
    });
    expect(target('url: "http://h", dialect: openai-chat, apiKey: k')).toMatchObject({ auth: 'bearer' });
    expect(target('provider: ollama, model: m')).toMatchObject({ auth: 'none' });
    expect(target('provider: ollama, model: m', { OLLAMA_API_KEY: 'k' })).toMatchObject({ auth: 'bearer' });
  });

  it.each([
    ['openai-chat', 'http://127.0.0.1:4/v1'],
    ['ollama-chat', 'http://127.0.0.1:4'],
    ['sse', 'http://127.0.0.1:4/sse'],
    ['ndjson', 'http://127.0.0.1:4/ndjson'],
  ])('knows the path of %s in the simulator', (dialect, baseUrl) => {
    expect(target(`provider: simulator, dialect: ${dialect}`).baseUrl).toBe(baseUrl);
  });

  it('asks the simulator for the profile, or else for the model', () => {
    expect(target('provider: simulator, model: m').model).toBe('m');
    expect(target('provider: simulator, model: m, profile: slow').model).toBe('slow');
  });
});

describe('the key of a target', () => {
  it('is required before the run for a remote provider at its default URL', () => {
    expect(userError(() => load(scenario('provider: openai, model: m'))).code).toBe('key_missing');
    expect(problems(scenario('provider: openai, model: m'))).toEqual([
      `4:5 target "t" has no API key: OPENAI_API_KEY is not set | set OPENAI_API_KEY, or add apiKey to the target, such as \${env:MY_KEY}`,
    ]);
  });

  it.each([
    'provider: openai, model: m, url: "http://127.0.0.1:8000/v1"',
    'provider: openai, model: m, headers: { Authorization: "Bearer x" }',
    'provider: ollama, model: m',
    'provider: simulator, model: m',
  ])('is not required if none may be needed: %s', (fields) => {
    expect(target(fields).apiKey).toBeUndefined();
  });

  it('is reported together with other problems', () => {
    const text = `${scenario('provider: openai, model: m')}stal: 1s\n`;
    expect(userError(() => load(text)).code).toBe('scenario_invalid');
    expect(problems(text)).toHaveLength(2);
  });
});
