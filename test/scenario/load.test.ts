import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScenario } from '../../src/scenario/load.ts';
import { userError, yaml } from './helpers.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'streambench-scenario-'));
  mkdirSync(join(folder, 'prompts'));
  writeFileSync(join(folder, 'prompts', 'long.txt'), 'a long story\n');
  writeFileSync(join(folder, 'demo.yaml'), yaml('  - { name: long, file: prompts/long.txt }\n'));
  writeFileSync(join(folder, 'lost.yaml'), yaml('  - { name: long, file: prompts/lnog.txt }\n'));
  writeFileSync(join(folder, 'notes.md'), '');
});

afterAll(() => rmSync(folder, { recursive: true }));

const load = (name: string) => loadScenario(join(folder, name), { env: {} });

describe('loadScenario', () => {
  it('reads a file and the prompt files in its folder', () => {
    const loaded = load('demo.yaml');
    expect(loaded.file).toBe(join(folder, 'demo.yaml'));
    expect([...loaded.promptInputs.texts]).toEqual([['prompts/long.txt', 'a long story']]);
  });

  it('places a prompt file that is not there, and names one that is like it', () => {
    const [problem, ...others] = userError(() => load('lost.yaml')).problems;
    expect(others).toEqual([]);
    expect(problem).toEqual({
      message: `prompt file not found: ${join(folder, 'prompts/lnog.txt')}`,
      place: { file: join(folder, 'lost.yaml'), line: 10, column: 25 },
      hint: 'did you mean long.txt?',
    });
  });

  it.each([
    ['dmeo.yaml', /scenario file not found\n {2}did you mean .*demo\.yaml\?/],
    ['demo', /did you mean .*demo\.yaml\?/],
    ['zzzzzzzz.yaml', /available: .*demo\.yaml, .*lost\.yaml/],
    ['', /this is a folder, not a scenario file\n {2}it contains: .*demo\.yaml/],
  ])('suggests similar names for a missing file: %j', (name, message) => {
    const error = userError(() => load(name));
    expect(error.code).toBe('scenario_not_found');
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('notes.md');
  });
});
