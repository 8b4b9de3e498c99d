import { describe, expect, it, test } from 'vitest';
import { type CommandLineScenario, loadFromFlags, scenarioFromFlags } from '../../src/scenario/from-flags.ts';
import { planScenario } from '../../src/scenario/plan.ts';
import { userError } from './helpers.ts';

const problems = (flags: CommandLineScenario, env = {}) =>
  userError(() => loadFromFlags(flags, { env })).problems.map(
    ({ place, message }) => `${place?.file} | ${message}`,
  );

describe('a scenario from flags', () => {
  it('has what the flags say', () => {
    const { scenario, file } = loadFromFlags(
      {
        target: 'http://127.0.0.1:8000/v1',
        provider: 'openai',
        model: 'm',
        prompt: 'hi',
        maxTokens: 5,
        concurrency: [1, 8],
        requests: 30,
        mode: 'both',
        header: ['x-team: a:b'],
      },
      { env: {} },
    );
    expect(file).toBe('command line');
    expect(scenario).toMatchObject({
      name: 'm',
      targets: [
        { name: 'm', provider: 'openai', url: 'http://127.0.0.1:8000/v1', headers: { 'x-team': 'a:b' } },
      ],
      prompts: [{ text: 'hi', maxTokens: 5 }],
      modes: ['streaming', 'non-streaming'],
      load: { levels: [{ concurrency: 1 }, { concurrency: 8 }], requests: 30 },
    });
  });

  it('needs little', () => {
    const loaded = loadFromFlags({ target: 'http://127.0.0.1:9/events', dialect: 'sse' }, { env: {} });
    expect(loaded.scenario.name).toBe('127.0.0.1:9');
    expect(planScenario(loaded).cells).toHaveLength(1);
    expect(loadFromFlags({ provider: 'simulator' }, { env: {} }).scenario.targets[0]?.provider).toBe(
      'simulator',
    );
  });

  it('refers to the key by its variable, so that the report names its source', () => {
    const flags = { provider: 'openai', model: 'm' };
    const { document } = scenarioFromFlags(flags, { OPENAI_API_KEY: 'sk-1234567' });
    expect(document).toMatchObject({ targets: [{ apiKey: `\${env:OPENAI_API_KEY}` }] });
    const loaded = loadFromFlags(flags, { env: { OPENAI_API_KEY: 'sk-1234567' } });
    expect(loaded.scenario.targets[0]?.apiKey).toBe('sk-1234567');
    expect(JSON.stringify(loaded.document)).not.toContain('sk-1234567');
    expect(loaded.secrets.map(({ value }) => value)).toEqual(['sk-1234567']);
  });

  it('keeps a key that was typed out of the document', () => {
    const { document, secrets } = loadFromFlags(
      { provider: 'openai', model: 'm', apiKey: 'sk-typed-here', header: ['x-key: also-secret'] },
      { env: {} },
    );
    expect(JSON.stringify(document)).not.toMatch(/typed|also-secret/);
    expect(secrets.map(({ value }) => value)).toEqual(['sk-typed-here', 'also-secret']);
  });

  it('misses the key of a remote provider', () => {
    const error = userError(() => loadFromFlags({ provider: 'openai', model: 'm' }, { env: {} }));
    expect(error.code).toBe('key_missing');
    expect(error.message).toMatch(/^--provider openai: .*OPENAI_API_KEY is not set/);
  });

  it('places every problem at its flag', () => {
    expect(
      problems({
        target: 'example.com:8000',
        provider: 'opnai',
        concurrency: [1, Number.NaN],
        mode: 'streming',
      }),
    ).toEqual([
      '--provider opnai | targets[0].provider: unknown provider "opnai"',
      '--target example.com:8000 | targets[0].url: expected a URL that starts with http:// or https://, got "example.com:8000"',
      '--mode streming | modes[0]: expected one of streaming, non-streaming, got "streming"',
      '--concurrency 1,NaN | load.concurrency[1]: expected a whole number of at least 1, got NaN',
    ]);
    expect(problems({ target: 'http://h/v1' })[0]).toMatch(
      /^--target http:\/\/h\/v1 \| .*derive the dialect/,
    );
    expect(problems({ provider: 'ollama' })).toEqual([
      '--provider ollama | targets[0]: provider ollama needs a model',
    ]);
  });

  it('can be edited like a file', () => {
    const overrides = [{ path: 'load.rounds', value: 2, from: '--rounds' }];
    expect(loadFromFlags({ provider: 'simulator' }, { env: {}, overrides }).scenario.load.rounds).toBe(2);
  });

  it('reports a missing target, and does not repeat an invalid header', () => {
    expect(userError(() => scenarioFromFlags({ model: 'm' }, {})).code).toBe('usage');
    const error = userError(() => scenarioFromFlags({ provider: 'simulator', header: ['sk-key-only'] }, {}));
    expect(error.code).toBe('usage');
    expect(error.message).not.toContain('sk-key-only');
  });
});

test('the full URL of an endpoint determines its dialect', () => {
  const { scenario } = loadFromFlags({ target: 'http://h/v1/chat/completions', model: 'm' }, { env: {} });
  expect(scenario.targets[0]).toMatchObject({ dialect: 'openai-chat', url: 'http://h/v1/chat/completions' });
});

test.each(['localhost:8000/x', '127.0.0.1:8000/x', '[::1]:8000/x', 'LOCALHOST/x', 'localhost?x'])(
  '%s is a URL of this machine, and means http',
  (target) => {
    const { scenario } = loadFromFlags({ target, dialect: 'sse' }, { env: {} });
    expect(scenario.targets[0]!.url).toBe(`http://${target}`);
  },
);

test('a remote address needs http or https', () => {
  expect(problems({ target: 'localhost.example.com/x', dialect: 'sse' })[0]).toContain('http:// or https://');
});

test('the request flags give the fields of the target', () => {
  const { scenario } = loadFromFlags(
    { target: 'http://h/ask', dialect: 'sse', method: 'POST', body: '{}', textPath: 'a.b', exactUrl: true },
    { env: {} },
  );
  expect(scenario.targets[0]).toMatchObject({ method: 'POST', body: '{}', textPath: 'a.b', path: 'exact' });
});

test('a request flag that the service has no use for is refused, not forgotten', () => {
  expect(problems({ provider: 'service', body: '{}' })).toEqual([
    '--body | targets[0].body: body cannot be combined with service',
  ]);
});

describe('a URL and a model', () => {
  test.each([
    ['http://127.0.0.1:8000/v1', 'openai-chat'],
    ['http://gateway.example/llm/v2/', 'openai-chat'],
    ['localhost:11434', 'ollama-chat'],
  ])('%s is the base URL of an API in %s', (target, dialect) => {
    expect(loadFromFlags({ target, model: 'm' }, { env: {} }).scenario.targets[0]).toMatchObject({ dialect });
  });

  test('a provider is known by its URL, with its key', () => {
    const flags = { target: 'https://api.anthropic.com/v1', model: 'm' };
    const { document } = scenarioFromFlags(flags, { ANTHROPIC_API_KEY: 'x' });
    expect(document).toMatchObject({
      targets: [{ provider: 'anthropic', apiKey: `\${env:ANTHROPIC_API_KEY}` }],
    });
    // A host that only begins like one is another.
    const other = { target: 'https://api.anthropic.com.example/v1/messages', model: 'm' };
    const { document: elsewhere } = scenarioFromFlags(other, { ANTHROPIC_API_KEY: 'x' });
    expect(JSON.stringify(elsewhere)).not.toContain('ANTHROPIC_API_KEY');
  });

  test('any other path needs a dialect', () => {
    expect(problems({ target: 'http://h/api', model: 'm' })[0]).toContain('derive the dialect');
  });
});
