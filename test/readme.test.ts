import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../src/metrics/definitions.ts';
import { EXIT_MEANING } from '../src/model/errors.ts';
import { FORMAT_NAMES } from '../src/report/formats/names.ts';
import { parseScenario } from '../src/scenario/load.ts';
import { DIALECT_NAMES } from '../src/wire/dialects/index.ts';
import { PROVIDERS } from '../src/wire/providers.ts';
import { blocksOf, DOCUMENTS } from './docs/documents.ts';
import { ROOT } from './support/program.ts';

// What README and docs/ say about the program, compared with the program. Generated parts, commands, samples and links have
// tests of their own in test/docs.

const page = (path: string) => DOCUMENTS.find((document) => document.path === path)?.text ?? '';
const readme = page('README.md');
const MAX_LINES = 250;

/** The names in the first column of the table that begins with this header. */
function firstColumn(text: string, header: string): string[] {
  const table = text.slice(text.indexOf(header)).split('\n\n')[0] ?? '';
  return (
    table
      .split('\n')
      .slice(2)
      // A generated table ends with a comment.
      .filter((row) => row.startsWith('|'))
      .flatMap((row) => (row.split('|')[1] ?? '').split(','))
      .map((name) => name.trim().replaceAll('`', ''))
  );
}

describe('the README', () => {
  test(`has at most ${MAX_LINES} lines`, () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(MAX_LINES);
  });

  test('counts dialects and providers as they are', () => {
    expect(readme).toContain(`${DIALECT_NAMES.length} dialects`);
    expect(page('CHANGELOG.md')).toContain(
      `${DIALECT_NAMES.length} dialects and ${PROVIDERS.length} providers`,
    );
  });

  test('links every page of docs/', () => {
    const pages = DOCUMENTS.filter(({ path }) => path.startsWith('docs/')).map(({ path }) => path);
    for (const path of pages) expect(readme).toContain(`(${path})`);
  });
});

describe('the documentation', () => {
  test('shows scenarios that are valid', () => {
    const scenarios = DOCUMENTS.flatMap((document) => blocksOf(document, 'yaml')).filter(({ code }) =>
      code.includes('version: 1'),
    );
    expect(scenarios.length).toBeGreaterThan(0);
    for (const { path, code } of scenarios) {
      const env = { ZHIPU_API_KEY: 'k.s' };
      const { scenario } = parseScenario(code, path, { env, readText: () => 'text' });
      expect(scenario.targets.length).toBeGreaterThan(0);
    }
  });

  test('names metrics that exist', () => {
    const named = [
      ...firstColumn(readme, '| name | meaning |'),
      ...firstColumn(page('docs/measuring.md'), '| metric | meaning |'),
    ];
    const known = [...METRICS.map(({ name }) => name), 'goodput', 'goodput.rate'];
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('names every format, and only formats that exist', () => {
    const formats = FORMAT_NAMES;
    expect(new Set(firstColumn(page('docs/ci.md'), '| format |'))).toEqual(new Set(formats));
    const used = DOCUMENTS.flatMap(({ text }) =>
      [...text.matchAll(/ -f ([a-z-]+)/g)].map(([, name]) => name),
    );
    expect(used.filter((name) => !formats.some((format) => format === name))).toEqual([]);
  });

  test('names every exit code', () => {
    expect(new Set(firstColumn(page('docs/ci.md'), '| exit code |'))).toEqual(
      new Set(Object.keys(EXIT_MEANING)),
    );
  });

  test('calls the action with inputs that it has, in YAML that can be read', () => {
    const { inputs } = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as { inputs: object };
    const documents = DOCUMENTS.flatMap((document) => blocksOf(document, 'yml')).map(
      ({ code }) => parse(code) as unknown,
    );
    const steps = documents.flatMap((one) =>
      Array.isArray(one) ? (one as { uses?: string; with?: object }[]) : [],
    );
    const own = steps.filter(({ uses }) => uses?.includes('/streambench@'));
    expect(own.length).toBeGreaterThan(0);
    for (const { with: given = {} } of own)
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
  });
});
