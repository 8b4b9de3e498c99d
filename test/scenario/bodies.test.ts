import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bodyFlag } from '../../src/scenario/bodies.ts';
import { planScenario, planSummary } from '../../src/scenario/plan.ts';
import { scratch } from '../support/program.ts';
import { load, problems } from './helpers.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const allowed = { allowFiles: [folder.path] };

function write(name: string, text: string | Uint8Array): string {
  writeFileSync(join(folder.path, name), text);
  return `@${join(folder.path, name)}`;
}

/** A scenario whose one target has these fields, one a line, and which asks these prompts. */
function scenario(fields: string, prompts = '{ name: p, text: hi }', more = ''): string {
  const lines = fields.split('\n').map((line) => `    ${line}`);
  return `version: 1\nname: s\ntargets:\n  - name: t\n${lines.join('\n')}\nprompts: [${prompts}]\n${more}`;
}

const PLAIN = 'url: http://127.0.0.1:9/x\ndialect: sse';
const TWO = '{ name: a, text: one }, { name: b, text: two }';

function bodyOf(text: string): string | undefined {
  return planScenario(load(text, allowed)).targets[0]!.body;
}

describe('a body', () => {
  test('is a text, a JSON object, or a file', () => {
    expect(bodyOf(scenario(`${PLAIN}\nbody: "q={{prompt}}"`))).toBe('q={{prompt}}');
    expect(bodyOf(scenario(`${PLAIN}\nbody: { q: "{{prompt}}", n: 1, list: [true, null] }`))).toBe(
      '{"q":"{{prompt}}","n":1,"list":[true,null]}',
    );
    const file = write('body.json', '{ "q": "{{prompt}}" }\n');
    expect(bodyOf(scenario(`${PLAIN}\nbody: "${file}"`))).toBe('{ "q": "{{prompt}}" }\n');
  });

  test('of the same text gives the same scenario hash, in any file', () => {
    const [one, two, other] = [
      write('one.txt', 'x {{prompt}}'),
      write('two.txt', 'x {{prompt}}'),
      write('other.txt', 'y {{prompt}}'),
    ];
    const hash = (body: string) => load(scenario(`${PLAIN}\nbody: "${body}"`), allowed).hash;
    expect(hash(one)).toBe(hash(two));
    expect(hash(one)).toBe(hash('x {{prompt}}'));
    expect(hash(one)).not.toBe(hash(other));
  });

  test.each([
    ['is not there', '@nowhere.json', /body file not found: .*nowhere\.json$/],
    ['is empty', () => write('empty', ''), /the body file .*empty is empty$/],
    ['is no text', () => write('bytes', new Uint8Array([0x7b, 0xff, 0x7d])), /is not UTF-8 text$/],
    [
      'is a folder',
      () => {
        mkdirSync(join(folder.path, 'dir'));
        return `@${folder.path}/dir`;
      },
      /the body file .*dir is a folder$/,
    ],
    [
      'is a pipe',
      () => {
        execFileSync('mkfifo', [join(folder.path, 'pipe')]);
        return `@${folder.path}/pipe`;
      },
      /is not a regular file \|/,
    ],
    [
      'is too large',
      () => {
        const file = write('large', 'x');
        truncateSync(file.slice(1), 10 * 1024 * 1024 + 1);
        return file;
      },
      /is larger than 10 MiB \|/,
    ],
  ])('in a file that %s is a problem at its place', (_, body, message) => {
    const file = typeof body === 'string' ? body : body();
    const [problem, ...others] = problems(scenario(`${PLAIN}\nbody: "${file}"`), allowed);
    expect(problem).toMatch(/^7:11 /);
    expect(problem).toMatch(message);
    expect(others).toEqual([]);
  });

  test('on the command line is relative to the working directory', () => {
    expect(bodyFlag('@a/b.json')).toBe(`@${join(process.cwd(), 'a/b.json')}`);
    expect([bodyFlag('@'), bodyFlag('{"a":1}')]).toEqual(['@', '{"a":1}']);
  });
});

describe('a placeholder', () => {
  test('that is unknown is reported with its place and the known ones', () => {
    const file = write('typo.json', '{"q":"{{promt}}"}');
    expect(problems(scenario(`${PLAIN}\nbody: { a: { b: ["x {{promt}}"] } }`))).toEqual([
      '7:22 unknown placeholder {{promt}} | did you mean "prompt"?',
    ]);
    expect(problems(scenario(`${PLAIN}\nbody: "{{max_tokens}}"`))[0]).toMatch(
      /^7:11 unknown placeholder \{\{max_tokens\}\} \| .*maxTokens/,
    );
    expect(problems(scenario(`${PLAIN}\nbody: "${file}"`), allowed)[0]).toContain(
      'unknown placeholder {{promt}} in ',
    );
    expect(problems(scenario('url: "http://127.0.0.1:9/x?q={{what}}"\ndialect: sse'))[0]).toMatch(
      /^5:10 unknown placeholder \{\{what\}\} \| known: prompt, messages, maxTokens, model, nonce, stream$/,
    );
  });

  test('in a YAML mapping needs quotes', () => {
    expect(problems(scenario(`${PLAIN}\nbody:\n  max: {{maxTokens}}`))).toEqual([
      expect.stringMatching(
        /^8:12 the placeholder \{\{maxTokens\}\} needs quotes \| use "\{\{maxTokens\}\}"/,
      ),
    ]);
  });

  test('is allowed in the query of a URL, not before it', () => {
    const url = (text: string) => scenario(`url: "${text}"\ndialect: sse\nmethod: GET`, TWO);
    expect(planScenario(load(url('http://127.0.0.1:9/x?max_tokens=5&q={{prompt}}'))).same).toEqual([]);
    expect(problems(url('http://127.0.0.1:9/{{model}}/x?q={{prompt}}'))[0]).toContain(
      'a placeholder outside the query of the URL',
    );
  });

  test('in a parameter with the name of a key is not a secret', () => {
    const { document, secrets } = load(
      scenario(
        'url: "http://127.0.0.1:9/?q={{prompt}}&max_tokens={{maxTokens}}&key=abc"\ndialect: sse',
        '{ name: p, text: x, maxTokens: 5 }',
      ),
    );
    expect(JSON.stringify(document)).toContain('?q={{prompt}}&max_tokens={{maxTokens}}&key=[secret]');
    expect(secrets.map(({ value }) => value)).toEqual(['abc']);
  });

  test('must have a value for every prompt', () => {
    expect(problems(scenario(`${PLAIN}\nbody: { q: "{{prompt}}", max: "{{maxTokens}}" }`))).toEqual([
      '7:11 {{maxTokens}} has no value for prompt "p" | add maxTokens to the prompt, or replace the placeholder by a number',
    ]);
    expect(problems(scenario(`${PLAIN}\nbody: { q: "{{prompt}}", model: "{{model}}" }`))[0]).toContain(
      '7:11 {{model}} has no value',
    );
  });
});

describe('several prompts', () => {
  const refused = (fields: string, prompts = TWO) => problems(scenario(fields, prompts));

  test('that would send identical requests are refused with place and remedy', () => {
    expect(refused(`${PLAIN}\nbody: '{"q": "fixed"}'`)).toEqual([
      '7:11 prompts "a" and "b" send the same request to target "t" | put {{prompt}} or {{messages}} in the body, or keep one prompt',
    ]);
    expect(refused(`${PLAIN}\nmethod: GET`)[0]).toMatch(
      /^7:13 prompts "a" and "b" send the same request.*\?q=\{\{prompt\}\}/,
    );
    expect(refused(`${PLAIN}\nbody: '{"n": "{{nonce}}", "m": {{stream}}}'`)[0]).toContain(
      'send the same request',
    );
    expect(
      refused(
        'url: http://127.0.0.1:9/v1\ndialect: openai-chat\nextra: { messages: [{ role: user, content: x }] }',
      )[0],
    ).toMatch(/^7:12 prompts "a" and "b" send the same request.*remove from extra/);
    expect(refused('url: http://127.0.0.1:9/v1\ndialect: openai-chat\nmodel: m\nbody: "{}"')[0]).toContain(
      'send the same request',
    );
  });

  test('may differ in their length alone, where the body says it', () => {
    const body = `${PLAIN}\nbody: '{"max": {{maxTokens}}}'`;
    const [a, b, c] = [16, 64, 64].map((max, i) => `{ name: p${i}, text: x, maxTokens: ${max} }`);
    expect(() => load(scenario(body, `${a}, ${b}`))).not.toThrow();
    expect(refused(body, `${a}, ${b}, ${c}`)[0]).toContain('prompts "p1" and "p2" send the same request');
  });

  test('are no problem for a dialect that sends them, nor is one prompt for a fixed body', () => {
    expect(() => load(scenario(PLAIN, TWO))).not.toThrow();
    expect(() => load(scenario(`${PLAIN}\nbody: "fixed"`))).not.toThrow();
    expect(() => load(scenario(`${PLAIN}\nbody: { m: "{{messages}}" }`, TWO))).not.toThrow();
  });
});

test('a body that starts like JSON but is invalid is a warning', () => {
  const warnings = (body: string) =>
    planSummary(planScenario(load(scenario(`${PLAIN}\nbody: '${body}'`)))).warnings;
  expect(warnings('{"q": "{{prompt}}",}')).toEqual([
    'the body of target "t" starts like JSON but is not valid JSON; it is sent as plain text',
  ]);
  for (const good of ['{"q": {{prompt}}}', '[{{messages}}]', '{{prompt}}', 'q={{prompt}}']) {
    expect(warnings(good)).toEqual([]);
  }
});

test('a body that is the same for both modes is a warning', () => {
  const both = 'modes: [streaming, non-streaming]\n';
  const warnings = (body: string) =>
    planSummary(
      planScenario(load(scenario(`${PLAIN.replace('sse', 'openai-chat')}\nbody: ${body}`, undefined, both))),
    ).warnings;
  expect(warnings('"x {{prompt}}"')).toEqual([
    'target "t" gets the same body for streaming and non-streaming; add {{stream}} if the server selects the mode by the body',
  ]);
  expect(warnings('{ q: "{{prompt}}", stream: "{{stream}}" }')).toEqual([]);
});
