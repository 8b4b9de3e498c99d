import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedPackage, type Project } from '../support/installed-package.ts';
import { ROOT } from '../support/program.ts';
import { blocksOf, DOCUMENTS } from './documents.ts';

// The samples of the documentation and the programs of examples/, in a project that has the packed package installed.

const samples = DOCUMENTS.flatMap((document) => blocksOf(document, 'ts'))
  // Declarations that were taken from the sources.
  .filter(({ code }) => code.includes("from 'streambench"))
  .map(({ path, line, code }) => ({
    name: `${path}:${line}`,
    code,
    file: `${path}-${line}`.replaceAll(/\W/g, '-'),
  }));

const EXAMPLES = [
  'stream-with-marks',
  'event-model',
  'own-endpoint',
  'gate',
  'embed-service',
  'gateway',
  'measured-service',
];

const STRICT = {
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
  module: 'nodenext',
  strict: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
  allowJs: true,
  checkJs: true,
};

let project: Project;
beforeAll(() => {
  project = installedPackage();
  for (const folder of ['examples', 'results', 'scenarios', 'schema'])
    cpSync(join(ROOT, folder), join(project.path, folder), {
      recursive: true,
      filter: (path) => !/results\/(?!sample|README|make)[^/]+$/.test(path),
    });
  for (const { file, code } of samples) project.write(`samples/${file}.ts`, code);
}, 60_000);
afterAll(() => project.dispose());

test('the search finds samples', () => {
  expect(samples.length).toBeGreaterThan(5);
});

test('samples and examples compile under strict', { timeout: 60_000 }, () => {
  const tsconfig = { compilerOptions: { ...STRICT, outDir: 'out' }, include: ['samples', 'examples'] };
  project.write('tsconfig.json', JSON.stringify(tsconfig));
  expect(project.run('tsc')).toBe('');
});

describe('after they are compiled', () => {
  test.each(samples)('$name runs', { timeout: 60_000 }, ({ file }) => {
    expect(() => project.run('node', `out/samples/${file}.js`)).not.toThrow();
  });
});

describe('the examples', () => {
  test.each(EXAMPLES)('%s runs', { timeout: 60_000 }, (name) => {
    expect(project.run('node', `examples/${name}.mjs`)).not.toBe('');
  });

  test('simulator.test runs in vitest', { timeout: 60_000 }, () => {
    expect(project.run('vitest', 'run', '--root', 'examples')).toContain('2 passed');
  });
});
