import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { load, problems, userError, yaml } from './helpers.ts';

const KEYED = yaml().replace('model: m', `model: m\n    apiKey: \${env:KEY}`);

describe('references to the environment', () => {
  it('are replaced in any text, several in one too, and stay in the document', () => {
    const text = yaml().replace('http://127.0.0.1:9/v1', `"https://\${env:HOST}/\${env:BASE:-v1}"`);
    const { scenario, document } = load(text, { env: { HOST: 'example.com' } });
    expect(scenario.targets[0]?.url).toBe('https://example.com/v1');
    expect(document).toMatchObject({ targets: [{ url: `https://\${env:HOST}/\${env:BASE:-v1}` }] });
  });

  it('are read as YAML when they are all of an unquoted text', () => {
    const text = yaml(`load:\n  concurrency: \${env:C}\n  rounds: \${env:R:-3}\nkeepText: \${env:KEEP}\n`);
    const { scenario } = load(text, { env: { C: '8', KEEP: 'true' } });
    expect(scenario.load).toMatchObject({ levels: [{ concurrency: 8 }], rounds: 3 });
    expect(scenario.keepText).toBe(true);
  });

  it('are text in quotes', () => {
    expect(problems(yaml(`load: { rounds: "\${env:R}" }\n`), { env: { R: '3' } })).toEqual([
      `10:17 load.rounds: expected a whole number of at least 1, got the value of \${env:R}`,
    ]);
  });

  it('give text where text is wanted, however much it looks like a number', () => {
    const { scenario, secrets } = load(KEYED, { env: { KEY: '0012345678' } });
    expect(scenario.targets[0]?.apiKey).toBe('0012345678');
    expect(secrets).toEqual([{ name: `\${env:KEY}`, value: '0012345678' }]);
  });

  it('are reported all at once when their variables are missing or empty', () => {
    const text = `${KEYED}description: x\nstall: \${env:STALL}\n`;
    const options = { env: { STALL: '', KEYS: 'x' } };
    expect(userError(() => load(text, options)).code).toBe('env_missing');
    expect(problems(text, options)).toEqual([
      `8:13 environment variable KEY is not set | did you mean KEYS? Or set it, or add a default: \${env:KEY:-value}`,
      `12:8 environment variable STALL is empty | set it, or add a default: \${env:STALL:-value}`,
    ]);
  });

  it('are reported together with other problems', () => {
    const error = userError(() => load(`${KEYED}stal: 1s\n`));
    expect(error.code).toBe('scenario_invalid');
    expect(error.problems.map(({ place }) => place?.line)).toEqual([8, 11]);
  });

  it('can be escaped, and differ from other uses of the dollar sign', () => {
    const text = yaml().replace('text: hello', () => `text: "$\${env:X} costs \${x} and $5"`);
    expect(load(text).scenario.prompts[0]?.text).toBe(`\${env:X} costs \${x} and $5`);
    expect(problems(yaml().replace('text: hello', () => `text: "\${env:A-B}"`))).toEqual([
      `9:26 invalid reference to the environment | write \${env:NAME} or \${env:NAME:-default}`,
    ]);
  });

  it('stay as they are in names, which are labels in reports', () => {
    const text = yaml().replace('name: local', `name: "\${env:SECRET_NAME}"`);
    expect(load(text).scenario.targets[0]?.name).toBe(`\${env:SECRET_NAME}`);
  });

  it('never show their value in a message', () => {
    const text = yaml(`stall: \${env:A}\nkeepText: \${env:A}\n`).replace(
      'name: short, text',
      `name: short, file: "\${env:A}", system`,
    );
    const provider = text.replace('dialect: openai-chat', `dialect: \${env:A}`);
    const error = userError(() => load(provider, { env: { A: 'sk-very-secret' } }));
    expect(error.problems).toHaveLength(4);
    expect(error.message).not.toContain('very-secret');
    expect(error.message).toContain(`unknown dialect the value of \${env:A}`);
  });
});

describe('secrets', () => {
  it('are what came from the environment, keys, header values and passwords in URLs', () => {
    const text = yaml().replace(
      'model: m',
      `apiKey: written-out-key
    headers: { authorization: "Bearer \${env:TOKEN}", x-plain: plain-value, accept: text/plain }
    extra: { user: "\${env:CUSTOMER}" }`,
    );
    const url = text.replace(
      'http://127.0.0.1:9/v1',
      'https://u:pass%20word@h/v1?api-version=2&api_key=in-the-url',
    );
    const { secrets, document } = load(url, { env: { TOKEN: 'token-value', CUSTOMER: 'customer-7' } });
    expect(secrets).toEqual(
      expect.arrayContaining([
        { name: `\${env:TOKEN}`, value: 'token-value' },
        { name: `\${env:CUSTOMER}`, value: 'customer-7', whole: true },
        { name: '[secret]', value: 'written-out-key' },
        { name: '[secret]', value: 'Bearer token-value' },
        { name: '[secret]', value: 'plain-value', whole: true },
        { name: '[secret]', value: 'pass word' },
        { name: '[secret]', value: 'in-the-url' },
      ]),
    );
    expect(secrets.map(({ value }) => value)).not.toContain('text/plain');
    const shown = JSON.stringify(document);
    expect(shown).not.toMatch(/written-out-key|token-value|customer-7|plain-value|pass%20word|in-the-url/);
    expect(shown).toContain('api-version=2');
    expect(createRedactor(secrets).text('got token-value')).toBe(`got \${env:TOKEN}`);
  });

  it('are not keywords of the format, which would redact ordinary text', () => {
    const text = yaml(`stall: \${env:STALL}\nload: { rounds: 2 }\n`).replace(
      'dialect: openai-chat',
      `dialect: \${env:DIALECT}\n    provider: \${env:PROVIDER}`,
    );
    const env = { STALL: '1000ms', DIALECT: 'openai-chat', PROVIDER: 'ollama' };
    expect(load(text, { env }).secrets).toEqual([]);
  });

  it('hold the default key of a provider', () => {
    const text = yaml().replace('dialect: openai-chat', 'provider: openai');
    const { scenario, secrets } = load(text, { env: { OPENAI_API_KEY: 'sk-12345678' } });
    expect(scenario.targets[0]?.apiKey).toBe('sk-12345678');
    expect(secrets).toEqual([{ name: `\${env:OPENAI_API_KEY}`, value: 'sk-12345678' }]);
  });
});
