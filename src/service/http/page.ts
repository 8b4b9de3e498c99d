import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The page at `/`: one document, with its style and its script in it. */
export interface Page {
  html: string;
  /** Its content security policy: its own style and script, requests to its own origin, and nothing else. */
  policy: string;
}

const FOLDER = new URL('../page/', import.meta.url);

/** Reads the page from `service/page/`. */
export function readPage(): Page {
  const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
  const style = read('page.css');
  const script = read('page.js');
  return {
    // By functions: a text would have its `$` replaced.
    html: read('page.html')
      .replace('<link rel="stylesheet" href="page.css">', () => `<style>${style}</style>`)
      .replace('<script src="page.js"></script>', () => `<script>${script}</script>`),
    policy: [
      "default-src 'none'",
      `style-src ${hash(style)}`,
      `script-src ${hash(script)}`,
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
