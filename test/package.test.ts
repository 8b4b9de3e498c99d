import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './support/program.ts';

test('the package holds what it needs and nothing else', () => {
  // Without scripts: the build is there, and making it anew would pull it from under the other tests.
  const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(out) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => !/^(bin|dist|schema|scenarios)\//.test(path)).sort()).toEqual([
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  expect(paths).toEqual(
    expect.arrayContaining([
      'bin/streambench.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'schema/scenario.schema.json',
      'scenarios/demo.yaml',
      'scenarios/prompts/long.txt',
    ]),
  );
  expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
});

test('the lock file names no registry, so that any mirror serves it', () => {
  expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
});
