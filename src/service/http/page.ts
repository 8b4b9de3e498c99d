import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The page at `/`: one document, with its style and its scripts in it. */
export interface Page {
  html: string;
  /** Its content security policy: its own style and scripts, requests to its own origin, and nothing else. */
  policy: string;
}

const FOLDER = new URL('../page/', import.meta.url);

/** Reads the page from `service/page/`. */
export function readPage(): Page {
  const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
  const style = read('page.css');
  const html = read('page.html').replace(
    '<link rel="stylesheet" href="page.css">',
    // By a function: a text would have its `$` replaced.
    () => `<style>${style}</style>`,
  );
  const scripts: string[] = [];
  return {
    html: html.replaceAll(/<script src="([\w.]+)"><\/script>/g, (_, name: string) => {
      const script = read(name);
      scripts.push(script);
      return `<script>${script}</script>`;
    }),
    policy: [
      "default-src 'none'",
      `style-src ${hash(style)}`,
      `script-src ${scripts.map(hash).join(' ')}`,
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
