import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/model/errors.ts';
import { load, problems, userError, yaml } from './helpers.ts';

const BROKEN = `version: 2
nmae: x
requests: 4
targets:
  - { name: a, provider: opnai, model: 5 }
  - name: a
    url: ftp://x
    headers: { "b ad": x, auth: 3 }
  - provider: simulator
    profil: x
prompts:
  - name: p
    text: a
    file: b.txt
  - { name: q }
  - q
load:
  concurency: 4
  rounds:
timeouts: { connect: 10 }
`;

describe('parseScenario', () => {
  it('reports all problems together, in the order of the file', () => {
    const error = userError(() => load(BROKEN, { readText: () => 'text' }));
    expect(error.code).toBe('scenario_invalid');
    expect(problems(BROKEN, { readText: () => 'text' })).toEqual([
      '1:1 the scenario has no name | expected name: text',
      '1:10 version: expected the number 1, the version of this format, got 2',
      '2:1 unknown key nmae | did you mean "name"?',
      '3:1 unknown key requests | it belongs under load',
      '5:26 targets[0].provider: unknown provider "opnai" | did you mean "openai"?',
      '5:40 targets[0].model: expected text, got 5 | use quotes to make it text',
      expect.stringMatching(/^6:5 targets\[1\]: the target has a url but no dialect \| add dialect/),
      '6:11 targets[1].name: two targets have the name "a"',
      '7:10 targets[1].url: expected a URL that starts with http:// or https://, got "ftp://x"',
      '8:16 targets[1].headers: expected the name of a header, got "b ad"',
      '8:33 targets[1].headers.auth: expected text, got a number | use quotes to make it text',
      '9:5 targets[2] has no name | expected name: text',
      '10:5 unknown key targets[2].profil | did you mean "profile"?',
      '12:5 prompts[0]: the prompt has text and file, but only one is allowed | use exactly one of text, file, messages, dataset, synthetic, trace, turns and mix',
      '15:5 prompts[1]: the prompt has no content | use exactly one of text, file, messages, dataset, synthetic, trace, turns and mix',
      '16:5 prompts[2]: expected a mapping (name, text, file, messages, dataset, synthetic, trace, variables, system, images, audio, maxTokens, tools, jsonSchema, extra, mix, turns, session, unique, sharedPrefix, cacheHits), got "q"',
      '18:3 unknown key load.concurency | did you mean "concurrency"?',
      '19:3 load.rounds: expected a whole number of at least 1, got nothing | add a value, or remove the key',
      '20:22 timeouts.connect: expected a duration such as 250ms, 10s or 1m30s, got 10 | add a unit: 10s or 10ms',
    ]);
  });

  it('names the file as it was given', () => {
    const [first] = userError(() => load(BROKEN)).problems;
    expect(formatProblem(first!)).toMatch(/^s\.yaml:1:1: /);
  });

  it('places a missing key at its parent', () => {
    expect(
      problems('version: 1\nname: n\ntargets:\n  - name: t\n    url: http://h\n    dialect: sse\n'),
    ).toEqual(['1:1 the scenario has no prompts | expected prompts: a list of prompts']);
    expect(problems(yaml('simulator:\n  profiles:\n    a:\n      ttft: 1s\n      gap: 1s\n'))).toEqual([
      '12:5 simulator.profiles.a has no tokens | expected tokens: a whole number of at least 1, by-prompt, or a mapping (mean, sd, min, max, shape)',
    ]);
  });

  it('looks through aliases and merged mappings', () => {
    const text = `version: 1
name: n
targets:
  - &t { name: a, url: "http://h", dialect: openai-chat, model: m }
  - { <<: *t, name: b }
prompts:
  - &p { name: short, text: x, maxTokens: lots }
load: { rounds: 3 }
`;
    expect(problems(text)).toEqual([
      '7:43 prompts[0].maxTokens: expected a whole number of at least 1, got "lots"',
    ]);
    expect(problems(text.replace('lots', '5').replace('model: m', 'method: PUT, model: m'))).toEqual([
      '4:66 targets[0].method: expected one of GET, POST, got "PUT"',
      '4:66 targets[1].method: expected one of GET, POST, got "PUT"',
    ]);
    const several = text
      .replace('lots', '5')
      .replace('<<: *t', '<<: [*t]')
      .replace('model: m', 'method: PUT, model: m');
    expect(problems(several)[1]).toMatch(/^4:66 /);
    const { scenario } = load(text.replace('lots', '5'));
    expect(scenario.targets.map(({ name, model }) => [name, model])).toEqual([
      ['a', 'm'],
      ['b', 'm'],
    ]);
  });

  it('reads JSON, tabs and all', () => {
    const value = load(yaml()).document;
    const { scenario } = load(JSON.stringify(value, null, '\t'));
    expect(scenario.name).toBe('small');
    const broken = JSON.stringify({ ...(value as object), stall: 3 }, null, '\t');
    expect(problems(broken)).toEqual([expect.stringMatching(/^18:11 stall: expected a duration/)]);
  });

  it.each([
    ['a: [1\nb: 2\n', /^2:1 /],
    ['a: 1\na: 2\n', /^2:1 Map keys must be unique/],
    ['a: b: c\n', /^1:4 .* \| a text with a colon followed by a space needs quotes$/],
    ['', /^1:1 the file is empty/],
    ['a: *nowhere\n', /nowhere/],
  ])('reports YAML that cannot be read: %j', (text, problem) => {
    expect(userError(() => load(text)).code).toBe('scenario_syntax');
    expect(problems(text)[0]).toMatch(problem);
  });

  it('says that a reference inside braces needs quotes', () => {
    expect(problems(`targets: [{ name: a, apiKey: \${env:K} }]\n`)[0]).toMatch(
      /^1:\d+ .* \| inside \{ \} and \[ \], put "\$\{env:NAME\}" in quotes$/,
    );
  });

  it('does not take a key named __proto__', () => {
    expect(problems(yaml('__proto__: { a: 1 }\n'))).toEqual([
      expect.stringMatching(/^10:1 unknown key __proto__/),
    ]);
  });

  it('does not take a document that is no mapping', () => {
    expect(problems('- 1\n')).toEqual([
      expect.stringMatching(/^1:1 the scenario: expected a mapping \(version, /),
    ]);
  });

  it.each([
    ['provider: opnai, model: m', 'unknown_provider', /unknown provider "opnai" \| did you mean "openai"\?/],
    [
      'url: "http://h", dialect: openai-chatt',
      'unknown_dialect',
      /unknown dialect .*did you mean "openai-chat"\?/,
    ],
    ['model: m', 'scenario_invalid', /has neither provider nor url \| add provider or url/],
    ['provider: sse', 'scenario_invalid', /provider sse has no default URL \| add url/],
    ['provider: ollama', 'scenario_invalid', /provider ollama needs a model \| add model/],
    ['provider: ollama, model: m, profile: p', 'scenario_invalid', /profile needs provider: simulator/],
    [
      'provider: ollama, model: m, apiKey: $OPENAI_API_KEY',
      'scenario_invalid',
      /expected the key, or \$\{env:NAME\}/,
    ],
    ['provider: ollama, model: m, headers: { a: "b\\nc" }', 'scenario_invalid', /expected one line of text/],
  ])('checks what a target is made of: %s', (fields, code, problem) => {
    const text = `version: 1\nname: n\ntargets:\n  - { name: t, ${fields} }\nprompts:\n  - { name: p, text: x }\n`;
    const error = userError(() => load(text));
    expect(problems(text)).toEqual([expect.stringMatching(problem)]);
    expect(error.code).toBe(code);
    expect(error.problems[0]?.place?.line).toBe(4);
  });

  it('never shows a key or a header, even when it is wrong', () => {
    const text = yaml().replace(
      'model: m',
      'apiKey: $sk_secret_value\n    headers: { x: "sk_other\\nsecret" }',
    );
    const error = userError(() => load(text));
    expect(error.problems).toHaveLength(2);
    expect(error.message).not.toMatch(/sk_/);
  });

  it('gives later checks the place of each part', () => {
    const { placeOf } = load(yaml('thresholds:\n  - ttft.p95 < 2s\n  - errors.rate < 1%\n'));
    expect(placeOf(['thresholds', 1])).toEqual({ file: 's.yaml', line: 12, column: 5 });
  });
});

describe('the hash', () => {
  const hash = (text: string, readText?: () => string) => load(text, readText ? { readText } : {}).hash;

  it('ignores comments, formatting, quotes and the order of keys', () => {
    const plain = yaml('load: { requests: 5, rounds: 2 }\n');
    const other = `# a comment\n${yaml('load:\n  rounds: 2 # fewer\n  requests: 5\n').replace('name: small', 'name: "small"')}`;
    expect(hash(plain)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(other)).toBe(hash(plain));
    expect(hash(JSON.stringify(load(plain).document))).toBe(hash(plain));
  });

  it('changes with any value, with the order of a list, and with a prompt file', () => {
    const file = yaml().replace('text: hello', 'file: p.txt');
    const hashes = [
      hash(yaml()),
      hash(yaml('seed: 2\n')),
      hash(yaml('load: { concurrency: [1, 2] }\n')),
      hash(yaml('load: { concurrency: [2, 1] }\n')),
      hash(file, () => 'one'),
      hash(file, () => 'two'),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('does not depend on the price of a target', () => {
    const priced = (price: string) => hash(yaml().replace('model: m', `model: m\n    price: ${price}`));
    expect(priced('{ input: 0.15, output: 0.6 }')).toBe(hash(yaml()));
    expect(priced('{ input: 2.5, cachedInput: 1, output: 10, currency: EUR }')).toBe(hash(yaml()));
  });

  it('does not depend on the value of a variable or of a key', () => {
    const text = yaml().replace('model: m', 'apiKey: KEY\n    model: m');
    expect(hash(text.replace('KEY', 'first-key-123'))).toBe(hash(text.replace('KEY', 'second-key-456')));
    const referring = text.replace('KEY', `\${env:KEY}`);
    expect(load(referring, { env: { KEY: 'aaaaaaa' } }).hash).toBe(
      load(referring, { env: { KEY: 'bbbbbbb' } }).hash,
    );
  });
});
