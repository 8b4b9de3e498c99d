import { describe, expect, it } from 'vitest';
import { type Override, parseOverride } from '../../src/scenario/overrides.ts';
import { load, problems, userError, yaml } from './helpers.ts';

const set = (...texts: string[]): { overrides: Override[] } => ({ overrides: texts.map(parseOverride) });

describe('overrides', () => {
  it('change what the document says, before it is checked', () => {
    const { scenario, document } = load(
      yaml('load: { requests: 5 }\n'),
      set('load.requests=40', 'load.concurrency=[1, 8]', 'timeouts.total=10s', 'targets.0.extra.top_k=3'),
    );
    expect(scenario.load).toMatchObject({ requests: 40, levels: [{ concurrency: 1 }, { concurrency: 8 }] });
    expect(scenario.timeouts.totalMs).toBe(10_000);
    expect(scenario.targets[0]?.extra).toEqual({ top_k: 3 });
    expect(document).toMatchObject({ load: { requests: 40 } });
  });

  it('find items of a list by index or by name, and keys with dots in quotes', () => {
    const profiles = 'simulator: { profiles: { glm-4.6: { ttft: 1s, gap: 1ms, tokens: 5 } } }\n';
    const { scenario } = load(
      yaml(profiles),
      set('targets.local.model=other', 'prompts[0].maxTokens=9', 'simulator.profiles."glm-4.6".ttft=2s'),
    );
    expect(scenario.targets[0]?.model).toBe('other');
    expect(scenario.prompts[0]?.maxTokens).toBe(9);
    expect(scenario.simulator?.profiles['glm-4.6']?.ttft.meanMs).toBe(2000);
  });

  it('reach every item of a list by a star', () => {
    const text = yaml().replace('prompts:', '  - { name: second, provider: simulator }\nprompts:');
    const { scenario } = load(text, set('targets.*.headers.x-a=one', 'targets.*.headers.x-b=two'));
    expect(scenario.targets.map(({ headers }) => headers)).toEqual([
      { 'x-a': 'one', 'x-b': 'two' },
      { 'x-a': 'one', 'x-b': 'two' },
    ]);
  });

  it('add an item to a list by a plus, also where there is no list yet', () => {
    const added = set('thresholds.+=ttft.p95 < 1s', 'thresholds.+=errors.rate < 1%');
    expect(load(yaml(), added).scenario.thresholds).toEqual(['ttft.p95 < 1s', 'errors.rate < 1%']);
    expect(load(yaml('thresholds: [total.p50 < 2s]\n'), added).scenario.thresholds).toHaveLength(3);
  });

  it('can repair a value that is wrong in the file', () => {
    expect(load(yaml('stall: 5\n'), set('stall=5s')).scenario.stallMs).toBe(5000);
  });

  it('change one target only, where two share an anchor', () => {
    const text = yaml()
      .replace('  - name: local', '  - &t\n    name: local\n    extra: &e { a: 1 }')
      .replace('prompts:', '  - { <<: *t, name: second, extra: *e }\nprompts:');
    const { scenario } = load(text, set('targets.second.extra.a=2'));
    expect(scenario.targets.map(({ extra }) => extra)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('are the place of what is wrong with them', () => {
    expect(problems(yaml(), set('load.concurency=4'))).toEqual([
      '--set load.concurency=4 unknown key load.concurency | did you mean "concurrency"?',
    ]);
    expect(
      problems(yaml('load: { rounds: 0 }\n'), {
        overrides: [{ path: 'load.concurrency', value: [Number.NaN], from: '--concurrency x' }],
      }),
    ).toEqual([
      '10:17 load.rounds: expected a whole number of at least 1, got 0',
      '--concurrency x load.concurrency[0]: expected a whole number of at least 1, got NaN',
    ]);
  });

  it.each([
    [
      'targets.locla.model=x',
      '--set targets.locla.model=x targets has no item "locla" | did you mean "local"?',
    ],
    ['targets.3.model=x', '--set targets.3.model=x targets has no item "3" | known: local'],
    ['name.first=x', '--set name.first=x name is a single value and has no field first'],
  ])('report an unknown path: %s', (text, problem) => {
    expect(problems(yaml(), set(text))).toEqual([problem]);
  });

  it('may refer to the environment', () => {
    const options = {
      ...set(`load.rounds=\${env:R}`, `targets.0.apiKey=\${env:K}`),
      env: { R: '2', K: 'secret-key' },
    };
    const { scenario, secrets } = load(yaml(), options);
    expect(scenario.load.rounds).toBe(2);
    expect(load(yaml('load: { rounds: "in quotes" }\n'), options).scenario.load.rounds).toBe(2);
    expect(secrets).toEqual([{ name: `\${env:K}`, value: 'secret-key' }]);
    expect(problems(yaml(), set(`stall=\${env:S}`))[0]).toMatch(
      /^--set stall=\$\{env:S\} environment variable S is not set/,
    );
  });

  it('keep a key out of their own name', () => {
    expect(parseOverride('targets.0.apiKey=sk-1234567').from).toBe('--set targets.0.apiKey');
  });

  it('keep a value that is no YAML as text', () => {
    expect(parseOverride('prompts.0.text=why: because: so').value).toBe('why: because: so');
    expect(userError(() => parseOverride('load.requests')).code).toBe('usage');
  });

  it('cannot reach the prototype of anything', () => {
    const text = '__proto__.polluted=1';
    expect(problems(yaml(), set(text))[0]).toMatch(/^--set __proto__\.polluted=1 unknown key __proto__/);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
