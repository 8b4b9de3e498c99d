// Builds dist/: compiles the sources, copies the pages, and bundles the packages that are not installed with the program.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const OPTIONS = {
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
};

/** Of some packages only a part is used. */
const PARTS = {
  name: 'parts',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^(undici|hdr-histogram-js)$/ }, ({ path }) => ({
      path: resolve(`scripts/bundled/${path}.mjs`),
    }));
    // The messages of zod in 50 languages.
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

/** What is started: the command line, threads and processes. */
const PROGRAM = [
  'cli/main.js',
  'cli/failures.js',
  'engine/worker.js',
  'engine/alarm-worker.js',
  'bench/telemetry/telemetry-worker.js',
  'bench/server-metrics/server-worker.js',
  'bench/doctor/calibrate-child.js',
  'simulator/worker.js',
  'service/process.js',
];

process.chdir(resolve(import.meta.dirname, '..'));
const { exports: EXPORTS, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
removePrivateTypes();
copyPages();
await bundleProgram();
removePrivateModules();
for (const name of ['service/packages', 'service/prom-client', 'metrics/histogram'])
  await bundlePackages(`dist/${name}.js`);

/** Removes the declarations that no entry point reaches. Nothing can import them, and they take 1 MB. */
function removePrivateTypes() {
  const entries = Object.values(EXPORTS).flatMap(({ types }) => (types === undefined ? [] : [join(types)]));
  removeOthers('.d.ts', reachedFrom(entries, /(?:from |import\()['"](\.[^'"]+)\.(?:ts|js)['"]/g, '.d.ts'));
}

/** Removes the modules that only the bundled program used. */
function removePrivateModules() {
  const entries = Object.values(EXPORTS).flatMap((entry) =>
    entry.default === undefined ? [] : [join(entry.default)],
  );
  entries.push(...PROGRAM.map((file) => join('dist', file)));
  const kept = reachedFrom(entries, /(?:from |import ?|import\(|URL\()['"](\.[^'"]+)\.js['"]/g, '.js');
  removeOthers('.js', kept);
}

/** The files that these files name, directly or through others. */
function reachedFrom(entries, specifiers, extension) {
  const reached = new Set(entries);
  // A set also visits what is added while it is read.
  for (const file of reached) {
    // Bundles are kept whole.
    if (!existsSync(file) || file.startsWith('dist/program/')) continue;
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(specifiers))
      reached.add(join(dirname(file), `${specifier}${extension}`));
  }
  return reached;
}

function removeOthers(extension, kept) {
  for (const name of readdirSync('dist', { recursive: true })) {
    const file = join('dist', name);
    if (
      file.endsWith(extension) &&
      !kept.has(file) &&
      !/^(program|service\/page|report\/html\/page)\//.test(name)
    )
      rmSync(file);
  }
}

/** Copies what is not TypeScript: the files of the pages, and the chart library with its licence. */
function copyPages() {
  for (const folder of ['service/page', 'report/html/page']) {
    for (const name of readdirSync(join('src', folder))) {
      if (/\.(html|css|js)$/.test(name)) cpSync(join('src', folder, name), join('dist', folder, name));
    }
  }
  for (const name of ['dist/uPlot.iife.min.js', 'dist/uPlot.min.css', 'LICENSE']) {
    cpSync(join('node_modules/uplot', name), join('dist/report/html/page/uplot', basename(name)));
  }
}

/**
 * Bundles the command line and the code of its threads and processes, with their packages, into dist/cli: loading a few hundred small
 * modules took most of the time before the first request. The other entry points stay separate modules, for programs that import
 * them.
 */
async function bundleProgram() {
  const nameOf = (file) => file.replace(/\.js$/, '').replaceAll('/', '-');
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: Object.fromEntries(PROGRAM.map((file) => [nameOf(file), join('dist', file)])),
    outdir: 'dist/program',
    splitting: true,
    // Names of functions stay, for stack traces.
    minify: true,
    external: Object.keys(peerDependencies).flatMap((name) => [name, `${name}/*`]),
    plugins: [PARTS, placesOf('dist/program')],
  });
  writeFileSync('dist/program/LICENSES.txt', notices(metafile));
  for (const file of PROGRAM)
    writeFileSync(
      join('dist', file),
      `export * from '${relative(dirname(file), `program/${nameOf(file)}.js`)}';\n`,
    );
}

/** Keeps what modules know about their place in dist/ and about their packages right after they moved to a bundle in `folder`. */
function placesOf(folder) {
  return {
    name: 'places',
    setup({ onLoad, onResolve }) {
      // Bundles of their own.
      onResolve({ filter: /^\.\.?\/(packages|prom-client)\.js$/ }, ({ path, resolveDir }) => ({
        path: relative(resolve(folder), join(resolveDir, path)),
        external: true,
      }));
      onLoad({ filter: /undici-version\.js$/ }, () => {
        const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
        return { contents: `export const undiciVersion = () => ${JSON.stringify(version)};` };
      });
      onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replaceAll(
          'import.meta.url',
          `new URL(${JSON.stringify(`${relative(resolve(folder), dirname(path))}/`)}, import.meta.url).href`,
        ),
      }));
    },
  };
}

/** Replaces a module that imports packages by one that contains them, and puts their licences next to it. */
async function bundlePackages(file) {
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    plugins: [PARTS, modulesStay(resolve(file))],
  });
  writeFileSync(file.replace(/js$/, 'LICENSES.txt'), notices(metafile));
}

/** Other modules of dist/ stay modules: two copies of a class are two classes. */
function modulesStay(entry) {
  return {
    name: 'modules-stay',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, importer }) =>
        importer === entry ? { path, external: true } : undefined,
      );
    },
  };
}

/** The licences of the packages in a bundle. */
function notices({ inputs }) {
  const folders = new Set();
  for (const input of Object.keys(inputs)) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder !== undefined) folders.add(folder);
  }
  return [...folders].sort().map(notice).join('\n');
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (license === undefined) throw new Error(`${name} names no license`);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined
      ? 'The package holds no text of its licence.'
      : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n\n${'-'.repeat(80)}\n`;
}
