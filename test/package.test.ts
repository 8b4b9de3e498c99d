import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './support/program.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
};

describe('the package', () => {
  let files: { path: string; size: number }[];
  beforeAll(() => {
    // Without scripts: the package is built already, and another build would remove the files that other tests run.
    const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    [{ files }] = JSON.parse(out);
  });

  test('holds what it needs and nothing else', () => {
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
        'dist/service/packages.LICENSES.txt',
        'dist/service/prom-client.LICENSES.txt',
        'dist/service/page/page.css',
        'dist/service/page/page.html',
        'dist/service/page/page.js',
        'dist/service/page/pane.js',
        'dist/service/page/readers.js',
        'schema/scenario.schema.json',
        'scenarios/demo.yaml',
        'scenarios/prompts/long.txt',
      ]),
    );
    expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
  });

  test('imports only what a production install has, in its code and in its types', () => {
    const installed = new Set(Object.keys(manifest.dependencies));
    const imported = new Map<string, string>();
    for (const { path } of files.filter(({ path }) => /^dist\/.*\.(js|d\.ts)$/.test(path))) {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const statics = text.matchAll(/^(?:import|export)\b[^'"`;]*?\bfrom ['"]([^'"]+)['"]/gms);
      const dynamics = text.matchAll(/\bimport\(['"]([^'"]+)['"]\)/g);
      for (const [, specifier = ''] of [...statics, ...dynamics]) {
        if (/^(?:\.|node:)/.test(specifier) || builtinModules.includes(specifier)) continue;
        imported.set(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'), path);
      }
    }
    expect(imported.size).toBeGreaterThan(5);
    expect([...imported].filter(([name]) => !installed.has(name))).toEqual([]);
  });

  test('takes at most 20 MB with its dependencies', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; peer?: boolean; optional?: boolean }>;
    };
    const folders = Object.entries(lock.packages).flatMap(([path, { dev, peer, optional }]) =>
      path === '' || dev || peer || optional ? [] : [path],
    );
    expect(folders).toContain('node_modules/zod');
    const own = files.map(({ size }) => size);
    // A package inside another one's node_modules has an entry of its own.
    const theirs = folders.flatMap((folder) => fileSizes(join(ROOT, folder)));
    const blocks = [...own, ...theirs].reduce((sum, size) => sum + Math.ceil(size / 4096), 0);
    expect((blocks * 4096) / 1024 ** 2).toBeLessThan(20);
  });

  test('has optional peers only: nothing more is needed at the start', () => {
    const { peerDependencies, peerDependenciesMeta } = manifest;
    expect(Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)).toEqual([]);
  });
});

/** Sizes of the files of a package in bytes, without those of packages inside it. */
function fileSizes(folder: string): number[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : fileSizes(path);
    return [statSync(path).size];
  });
}

test('the lock file names no registry, so that any mirror serves it', () => {
  expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
});
