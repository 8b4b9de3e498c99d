import { describe, expect, it } from 'vitest';
import { loadFromFlags } from '../../src/scenario/from-flags.ts';
import { planScenario, unstarted, usesSimulator } from '../../src/scenario/plan.ts';
import { serviceProcesses } from '../../src/scenario/service-target.ts';
import { resolveTarget, upstreamTarget } from '../../src/scenario/targets.ts';
import { load, problems } from './helpers.ts';

const scenario = (...targets: string[]) =>
  `version: 1\nname: n\ntargets:\n${targets.map((fields, i) => `  - { name: t${i}, ${fields} }\n`).join('')}prompts:\n  - { name: p, text: x }\n`;
const targetsOf = (...targets: string[]) => load(scenario(...targets), { env: {} }).scenario.targets;
const services = new Map([['t0', { url: 'http://127.0.0.1:5', token: 'tok' }]]);

describe('the service as a target', () => {
  it.each([
    ['conversation', 'conversation', '/api/v1/conversations/bench/stream'],
    ['agent', 'agent', '/api/v1/agents/bench/chat/lumosai/stream'],
    ['playground', 'playground', '/api/projects/bench/playground/chat/stream/'],
    ['chat', 'conversation', '/chat/stream'],
  ])('the endpoint %s speaks %s at %s', (endpoint, dialect, path) => {
    const [target] = targetsOf(`service: { endpoint: ${endpoint} }`);
    expect(resolveTarget(target!, { services })).toEqual({
      name: 't0',
      provider: 'service',
      dialect,
      baseUrl: `http://127.0.0.1:5${path}`,
      auth: 'bearer',
      apiKey: 'tok',
      headers: {},
      extra: {},
    });
  });

  it('sends a batch of numbered prompts, which no two of are the same', () => {
    const [target] = targetsOf('service: { endpoint: batch, batch: { prompts: 2 }, textBufferSize: 7 }');
    const { baseUrl, dialect, body } = resolveTarget(target!, { services });
    expect([baseUrl, dialect]).toEqual(['http://127.0.0.1:5/chat/batch', 'conversation']);
    expect(JSON.parse(body!)).toEqual({
      prompts: ['{{prompt}} (1 of 2)', '{{prompt}} (2 of 2)'],
      concurrency: 4,
      max_tokens: '{{maxTokens}}',
      text_buffer_size: 7,
    });
  });

  it('requests the options, which fields of the body override', () => {
    const [target] = targetsOf(
      'service: { mode: legacy, textBufferSize: 40, textDeltaDelay: 30ms, emitMetadata: true, emitMemoryUpdates: false }, extra: { temperature: 0, text_buffer_size: 7 }, headers: { a: b }',
    );
    expect(resolveTarget(target!, { services })).toMatchObject({
      headers: { a: 'b' },
      extra: {
        mode: 'legacy',
        text_buffer_size: 7,
        text_delta_delay_ms: 30,
        emit_metadata: true,
        emit_memory_updates: false,
        temperature: 0,
      },
    });
  });

  it('shares a process with those that differ only in what a request says', () => {
    const targets = targetsOf(
      'service: { mode: legacy }',
      'service: { endpoint: agent }',
      'service: { strategy: every-n-chars, everyChars: 50 }',
      'service: { upstream: { model: m } }',
      'service: { answerCache: 1m }',
      'provider: simulator',
    );
    expect(serviceProcesses(targets).map((process) => process.targets)).toEqual([
      ['t0', 't1'],
      ['t2'],
      ['t3'],
      ['t4'],
    ]);
  });

  it('stands in front of the embedded simulator, or of a provider with its usual key', () => {
    expect(usesSimulator(load(scenario('service: {}'), { env: {} }).scenario)).toBe(true);
    const { scenario: real, secrets } = load(
      scenario('service: { upstream: { provider: zhipu, model: glm-4.6 } }'),
      { env: { ZHIPU_API_KEY: 'id.hidden-1' } },
    );
    expect(usesSimulator(real)).toBe(false);
    expect(resolveTarget(upstreamTarget(real.targets[0]!.service!, 'u'))).toMatchObject({
      baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
      model: 'glm-4.6',
      apiKey: 'id.hidden-1',
      auth: 'bearer',
    });
    expect(secrets.map(({ value }) => value)).toContain('id.hidden-1');
  });

  it('is meant by the flags as a provider, in front of what the others name', () => {
    const { scenario: plain } = loadFromFlags({ provider: 'service', model: 'm' }, { env: {} });
    expect(plain.targets).toMatchObject([{ name: 'm', service: { upstream: { model: 'm' } } }]);
    const flags = { provider: 'service', dialect: 'openai-chta', target: 'http://127.0.0.1:9/v1' };
    expect(() => loadFromFlags(flags, { env: {} })).toThrow(/^--dialect openai-chta: .*unknown dialect/);
  });

  it('hides a key that was written out', () => {
    const { document, secrets } = load(
      scenario(
        'service: { upstream: { provider: openai, model: m, apiKey: sk-written, url: "http://h/?key=k1" } }',
      ),
      { env: {} },
    );
    expect(JSON.stringify(document)).not.toMatch(/sk-written|k1/);
    expect(secrets.map(({ value }) => value)).toEqual(expect.arrayContaining(['sk-written', 'k1']));
  });

  it('can be looked at without being started, and cannot be planned without it', () => {
    const loaded = load(scenario('service: {}'), { env: {} });
    expect(planScenario(loaded, unstarted(loaded.scenario)).cells).toHaveLength(1);
    expect(() => planScenario(loaded)).toThrow('has not been started');
  });

  it.each([
    ['service: {}, url: "http://h"', /url cannot be combined with service/, /service\.upstream\.url/],
    ['service: {}, model: m', /model cannot be combined/, /service\.upstream\.model/],
    ['service: { batch: { prompts: 2 } }', /batch needs endpoint: batch/, /endpoint/],
    ['service: { endpoint: batch, batch: { prompts: 101 } }', /a whole number from 1 to 100/, /./],
    ['service: { everyChars: 5 }', /everyChars needs strategy: every-n-chars/, /strategy/],
    ['service: { upstream: { provider: openai } }', /needs a model/, /add model/],
    ['service: { upstream: { url: "http://h" } }', /no dialect/, /add dialect/],
    ['service: { endpoint: agents }', /endpoint: expected one of conversation, agent/, /"agent"/],
    ['service: { upstreem: {} }', /unknown key targets\[0\]\.service\.upstreem/, /upstream/],
    [
      'service: { upstream: { provider: zhipu, model: m } }',
      /ZHIPU_API_KEY is not set/,
      /add apiKey to the upstream/,
    ],
  ])('%s is a mistake with its place', (fields, message, hint) => {
    const found = problems(scenario(fields));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^4:\d+ /);
    expect(found[0]).toMatch(message);
    expect(found[0]).toMatch(hint);
  });
});
