// Builds dist/: compiles the sources, copies the page of the service, and bundles the packages that are not installed with the program.

import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

process.chdir(resolve(import.meta.dirname, '..'));
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
removePrivateTypes();
copyPage();
for (const name of ['packages', 'prom-client']) await bundlePackages(`dist/service/${name}.js`);

/** Removes the declarations that no entry point reaches. Nothing can import them, and they take 1 MB. */
function removePrivateTypes() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const entries = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(types)]));
  const reached = new Set(entries);
  // A set also visits what is added while it is read.
  for (const file of reached) {
    const text = readFileSync(file, 'utf8');
    for (const [, specifier] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)\.(?:ts|js)['"]/g)) {
      reached.add(join(dirname(file), `${specifier}.d.ts`));
    }
  }
  for (const name of readdirSync('dist', { recursive: true })) {
    const file = join('dist', name);
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

function copyPage() {
  for (const name of ['page.html', 'page.css', 'pane.js', 'readers.js', 'page.js']) {
    cpSync(join('src/service/page', name), join('dist/service/page', name));
  }
}

/** Replaces a module that re-exports packages by one that contains them, and puts their licences next to it. */
async function bundlePackages(file) {
  const { metafile } = await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    metafile: true,
    logLevel: 'warning',
    // The CommonJS packages call `require` for modules of Node.js.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
  });
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder !== undefined) folders.add(folder);
  }
  writeFileSync(file.replace(/js$/, 'LICENSES.txt'), [...folders].sort().map(notice).join('\n'));
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (text === undefined) throw new Error(`${name} has no licence file (license: ${license})`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, text), 'utf8').trim()}\n\n${'-'.repeat(80)}\n`;
}
