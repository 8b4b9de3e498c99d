import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { MAX_TEXT_BYTES, readRegularFile } from '../../src/scenario/files.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { CA, CA_FILE } from '../support/chat-server.ts';
import { userError } from './helpers.ts';

const root = mkdtempSync(join(tmpdir(), 'sb-files-'));
afterAll(() => rmSync(root, { recursive: true }));
const folder = join(root, 'scenario');
const outside = join(root, 'outside');
mkdirSync(join(folder, 'prompts'), { recursive: true });
mkdirSync(outside);
writeFileSync(join(folder, 'prompts/a.txt'), 'inside');
writeFileSync(join(outside, 'b.txt'), 'outside');
writeFileSync(join(root, 'scenario-like.txt'), 'beside');
symlinkSync(join(outside, 'b.txt'), join(folder, 'link.txt'));
symlinkSync(join(folder, 'prompts/a.txt'), join(folder, 'own-link.txt'));
writeFileSync(join(folder, 'huge.txt'), '');
truncateSync(join(folder, 'huge.txt'), MAX_TEXT_BYTES + 1);
execFileSync('mkfifo', [join(folder, 'pipe')]);

const scenario = (file: string) =>
  `version: 1\nname: n\ntargets:\n  - { name: t, url: "http://127.0.0.1:9", dialect: sse }\nprompts:\n  - { name: p, file: "${file}" }\n`;

function read(file: string, allowFiles?: string[]): string | undefined {
  return parseScenario(scenario(file), join(folder, 's.yaml'), {
    env: {},
    allowFiles,
  }).promptInputs.texts.get(file);
}

const refusal = (file: string, allowFiles?: string[]) => {
  const { code, problems } = userError(() => read(file, allowFiles));
  expect(code).toBe('scenario_invalid');
  expect(problems[0]!.place).toMatchObject({ line: 6 });
  return `${problems[0]!.message} | ${problems[0]!.hint}`;
};

describe('a file that a scenario names', () => {
  test.each(['prompts/a.txt', './prompts/../prompts/a.txt', 'own-link.txt', join(folder, 'prompts/a.txt')])(
    'is read below its folder: %s',
    (file) => expect(read(file)).toBe('inside'),
  );

  test.each([
    '/etc/passwd',
    '/dev/zero',
    '../outside/b.txt',
    'prompts/../../outside/b.txt',
    '../scenario-like.txt',
    'link.txt',
    '/etc/there-is-no-such-file',
  ])('is not read elsewhere: %s', (file) => {
    expect(refusal(file)).toMatch(/^the prompt file .* is not in the scenario's folder \| .*--allow-file \//);
  });

  test.each([
    ['the file itself', [join(outside, 'b.txt')]],
    ['a folder around it', [outside]],
  ])('is read elsewhere where the user allows %s', (_name, allowed) => {
    expect(read('../outside/b.txt', allowed)).toBe('outside');
    expect(read('link.txt', allowed)).toBe('outside');
    expect(refusal('../scenario-like.txt', allowed)).toContain("is not in the scenario's folder");
  });

  test('is a regular file, also where it is allowed', () => {
    expect(refusal('pipe')).toMatch(/pipe is not a regular file/);
    expect(refusal('/dev/zero', ['/dev/zero'])).toMatch(/zero is not a regular file/);
    expect(refusal('prompts')).toMatch(/prompts is a folder/);
  });

  test('is not larger than the limit', () => {
    expect(refusal('huge.txt')).toMatch(/huge\.txt is larger than 8 MiB/);
    // Its size is 0 until it is read.
    expect(() => readRegularFile('/proc/self/maps', 100)).toThrow('TOO_LARGE');
  });

  test('is the user’s own choice where the command line names it', () => {
    const loaded = parseScenario(scenario('prompts/a.txt'), join(folder, 's.yaml'), {
      env: {},
      overrides: [{ path: 'prompts.0.file', value: '../outside/b.txt', from: '--set prompts.0.file=...' }],
    });
    expect(loaded.promptInputs.texts.get('../outside/b.txt')).toBe('outside');
  });

  test('cannot be read elsewhere through the environment', () => {
    const text = scenario('${env:FILE}');
    const parse = () => parseScenario(text, join(folder, 's.yaml'), { env: { FILE: '/etc/passwd' } });
    expect(userError(parse).message).toContain("is not in the scenario's folder");
  });
});

describe('a file of certificates', () => {
  const withCa = (allowFiles?: string[]) =>
    parseScenario(
      scenario('prompts/a.txt').replace('dialect: sse', `dialect: sse, ca: "${CA_FILE}"`),
      join(folder, 's.yaml'),
      { env: {}, allowFiles },
    );

  test('follows the same rules', () => {
    expect(userError(withCa).message).toMatch(/is not in the scenario's folder[\s\S]*--allow-file/);
    expect(withCa([CA_FILE]).authorities.get(CA_FILE)).toBe(CA);
  });
});

test.each([
  [join(folder, 'pipe'), /not a regular file/],
  ['/dev/zero', /not a regular file/],
  [join(folder, 'huge.txt'), /larger than 8 MiB/],
])('a scenario itself is a regular file of limited size: %s', (file, message) => {
  const error = userError(() => loadScenario(file, { env: {} }));
  expect(error.code).toBe('scenario_not_found');
  expect(error.message).toMatch(message);
});
