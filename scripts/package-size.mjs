// The size of programs that use parts of the library, bundled and minified without undici: `npm run package:size`. Fails where
// one is larger than its limit, so that growth is seen in review.

import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a program imports, and its limit in KB (1,000 bytes). */
const PROGRAMS = [
  ['event types and isContent', `export { isContent } from 'streambench';`, 1],
  ['framings', `export { FRAMINGS } from 'streambench';`, 20],
  ['server adapters', `export * from 'streambench/adapters';`, 5],
  ['re-encoding, all dialects', `export { transcode } from 'streambench';`, 120],
  ['client, all dialects', `export { createClient } from 'streambench';`, 200],
  ['whole root entry', `export * from 'streambench';`, 240],
];

let failed = false;
console.log('| program | minified | gzip | limit |\n| --- | --- | --- | --- |');
for (const [name, contents, limit] of PROGRAMS) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: resolve(import.meta.dirname, '..') },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['undici'],
    write: false,
  });
  const [{ contents: bytes }] = outputFiles;
  const size = (count) => `${(count / 1000).toFixed(1)} KB`;
  const isOver = bytes.length > limit * 1000;
  failed ||= isOver;
  console.log(
    `| ${name} | ${size(bytes.length)} | ${size(gzipSync(bytes).length)} | ${limit} KB${isOver ? ' exceeded' : ''} |`,
  );
}
process.exitCode = failed ? 1 : 0;
