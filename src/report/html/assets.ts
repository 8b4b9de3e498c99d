import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The style and the scripts of every page. */
export interface Assets {
  style: string;
  /** In the order in which they run. */
  scripts: string[];
  /** The page's content security policy: its own style and scripts, and no request at all. */
  policy: string;
}

const FOLDER = fileURLToPath(new URL('page/', import.meta.url));
const STYLES = ['page.css'];
const SCRIPTS = ['palette.js', 'plot.js', 'marks.js', 'distribution.js', 'raster.js', 'page.js'];

/** The files of the chart library. scripts/build.mjs copies them, so that users do not install the package. */
const LIBRARY = { script: 'uPlot.iife.min.js', style: 'uPlot.min.css', license: 'LICENSE' } as const;

/** Reads the assets. Under 1 ms: they are about 80 kB. */
export function readAssets(): Assets {
  const library = libraryFolders();
  const own = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
  const license = `/*\n${readFileSync(join(library.root, LIBRARY.license), 'utf8').trim()}\n*/\n`;
  const style = [readFileSync(join(library.dist, LIBRARY.style), 'utf8'), ...STYLES.map(own)].join('\n');
  const scripts = [
    license + readFileSync(join(library.dist, LIBRARY.script), 'utf8'),
    SCRIPTS.map(own).join('\n'),
  ];
  return {
    style,
    scripts,
    policy: [
      "default-src 'none'",
      `style-src ${hash(style)}`,
      `script-src ${scripts.map(hash).join(' ')}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; '),
  };
}

/** Next to the page's own files in the built program; in a checkout those of the package. */
function libraryFolders(): { root: string; dist: string } {
  const copied = join(FOLDER, 'uplot');
  if (existsSync(copied)) return { root: copied, dist: copied };
  const root = fileURLToPath(new URL('../../../node_modules/uplot/', import.meta.url));
  return { root, dist: join(root, 'dist') };
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
