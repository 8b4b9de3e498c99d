import { describe, expect, it, test } from 'vitest';
import { type AbFlags, loadAb } from '../../src/scenario/from-ab.ts';
import { planScenario } from '../../src/scenario/plan.ts';
import { userError } from './helpers.ts';

describe('A against B', () => {
  it.each([
    ['http://h:1/v1#fast', 'http://h:1/v1#large', ['fast', 'large']],
    ['vllm/m', 'sglang/other', ['m', 'other']],
    ['vllm/m', 'sglang/m', ['vllm', 'sglang']],
    ['http://u:secret@h:1/v1#m', 'https://h:2/v1#m', ['h:1/v1', 'h:2/v1']],
    ['vllm/m', 'http://h:1/v1#m', ['vllm', 'h:1/v1']],
    ['http://h/v1', 'https://h/v1', ['h/v1 (1)', 'h/v1 (2)']],
  ])('%s and %s have short names that differ', (a, b, names) => {
    const { scenario } = loadAb({ a, b, dialect: 'openai-chat' }, { env: {} });
    expect(scenario.targets.map(({ name }) => name)).toEqual(names);
  });
});

const targets = (flags: AbFlags, env = {}) => planScenario(loadAb(flags, { env })).targets;
const refusal = (flags: AbFlags, env = {}) => userError(() => loadAb(flags, { env })).message;
const A = 'http://a.example:1/v1#m';
const B = 'http://b.example:2/v1#m';

describe('the options of one side', () => {
  test('apply to that side, and override those for both', () => {
    const [a, b] = targets({
      a: A,
      b: B,
      maxTokens: 5,
      header: ['x-team: blue'],
      dialect: 'sse',
      own: {
        a: { apiKey: 'key-a', header: ['x-team: red'], maxTokens: 9, body: '{}', exactUrl: true },
        b: { model: 'other', dialect: 'anthropic', apiKey: 'key-b' },
      },
    });
    expect(a).toMatchObject({
      dialect: 'sse',
      model: 'm',
      apiKey: 'key-a',
      headers: { 'x-team': 'red' },
      maxTokens: 9,
      body: '{}',
      path: 'exact',
    });
    expect(b).toMatchObject({
      dialect: 'anthropic',
      model: 'other',
      apiKey: 'key-b',
      headers: { 'x-team': 'blue' },
    });
    expect(b!.maxTokens).toBeUndefined();
  });

  test('leave the limit for both with the prompt', () => {
    const plan = planScenario(loadAb({ a: A, b: B, maxTokens: 5 }, { env: {} }));
    expect(plan.prompts[0]!.maxTokens).toBe(5);
  });

  test('a provider keeps its dialect together with a URL', () => {
    const [a, b] = targets({ a: 'anthropic/x', b: B }, { ANTHROPIC_API_KEY: 'sk-ant-1234' });
    expect([a!.dialect, b!.dialect]).toEqual(['anthropic', 'openai-chat']);
    expect([a!.apiKey, b!.apiKey]).toEqual(['sk-ant-1234', undefined]);
  });

  test('a problem is placed at the flag of its side', () => {
    expect(refusal({ a: A, b: B, own: { b: { dialect: 'antropic' } } })).toMatch(/^--dialect-b antropic: /);
  });
});

describe('a key that belongs to one side', () => {
  test('is refused for both where they are at different origins', () => {
    expect(refusal({ a: A, b: B, apiKey: 'sk-canary' })).toMatch(
      /--api-key would be sent to both sides.*\n.*--api-key-b/,
    );
    expect(refusal({ a: A, b: B, apiKey: 'sk-canary' })).not.toContain('sk-canary');
    expect(refusal({ a: A, b: B, apiKey: 'k', own: { a: { apiKey: 'sk-a' } } })).toContain(
      'would be sent to both',
    );
    for (const name of ['Authorization', 'x-api-key', 'api-key', 'Cookie', 'x-goog-api-key'])
      expect(refusal({ a: A, b: B, header: [`${name}: sk-canary`] })).toMatch(/would be sent to both sides/);
  });

  test('may be shared at one origin', () => {
    const shared = { a: 'http://h:1/v1#x', b: 'http://h:1/v1#y', apiKey: 'sk-1', header: ['cookie: c'] };
    expect(targets(shared).map(({ apiKey }) => apiKey)).toEqual(['sk-1', 'sk-1']);
    expect(refusal({ ...shared, b: 'http://h:2/v1#y' })).toContain('would be sent to both');
    expect(refusal({ ...shared, b: 'https://h:1/v1#y' })).toContain('would be sent to both');
  });

  test('is not taken from the environment for the address of another', () => {
    const env = { OPENAI_API_KEY: 'sk-canary' };
    const own = { b: { provider: 'openai' } };
    expect(refusal({ a: 'openai/m', b: B, own }, env)).toContain('would be sent to both sides');
    const [, b] = targets({ a: 'openai/m', b: B, own: { b: { provider: 'openai', apiKey: 'sk-b' } } }, env);
    expect(b!.apiKey).toBe('sk-b');
  });
});
