import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedPackage, type Project } from './support/installed-package.ts';

// The packed package, as users of each kind of project import it.

const ENTRIES = `
import { createClient, type StreamEvent } from 'streambench';
import { runScenario, type Report } from 'streambench/bench';
import { createSimulator } from 'streambench/simulator';
import { createService } from 'streambench/service';
export const all = [createClient, runScenario, createSimulator, createService];
export type Both = StreamEvent | Report;
// @ts-expect-error Types are there: without them this would be any.
createClient({ baseUrl: 1 });
`;

const BASE = {
  target: 'es2022',
  lib: ['es2022'],
  strict: true,
  noEmit: true,
  types: ['node'],
  skipLibCheck: false,
};

let project: Project;
beforeAll(() => {
  project = installedPackage();
}, 60_000);
afterAll(() => project.dispose());

describe('types resolve', () => {
  test.each([
    ['node16', 'node16', 'node16'],
    ['nodenext', 'nodenext', 'nodenext'],
    ['bundler', 'esnext', 'bundler'],
    ['bundler, preserve', 'preserve', 'bundler'],
  ])('under %s', { timeout: 60_000 }, (name, module, moduleResolution) => {
    const file = `${name.replaceAll(/\W/g, '-')}.ts`;
    project.write(file, ENTRIES);
    const config = { compilerOptions: { ...BASE, module, moduleResolution }, files: [file] };
    project.write('tsconfig.json', JSON.stringify(config));
    expect(project.run('tsc')).toBe('');
  });

  test('in a CommonJS file by import()', { timeout: 60_000 }, () => {
    project.write(
      'common.cts',
      "export const client = async () => (await import('streambench')).createClient({ provider: 'ollama' });\n",
    );
    const config = {
      compilerOptions: { ...BASE, module: 'nodenext', moduleResolution: 'nodenext' },
      files: ['common.cts'],
    };
    project.write('tsconfig.json', JSON.stringify(config));
    expect(project.run('tsc')).toBe('');
  });
});

describe('a CommonJS program', () => {
  const rest = "createClient({ provider: 'ollama' }).close(); console.log('made')";

  test('imports the package', { timeout: 60_000 }, () => {
    project.write('import.cjs', `import('streambench').then(({ createClient }) => { ${rest} })`);
    expect(project.run('node', 'import.cjs')).toBe('made\n');
  });

  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const requiresEsm = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

  test.runIf(requiresEsm)('requires it, where Node.js can', { timeout: 60_000 }, () => {
    for (const entry of ['streambench', 'streambench/bench', 'streambench/simulator', 'streambench/service'])
      project.write(`${entry.replace('/', '-')}.cjs`, `require('${entry}'); console.log('made')`);
    for (const entry of ['streambench', 'streambench-bench', 'streambench-simulator', 'streambench-service'])
      expect(project.run('node', `${entry}.cjs`)).toBe('made\n');
  });
});
