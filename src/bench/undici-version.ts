import { readFileSync } from 'node:fs';

/** The version of undici that sends the requests. The build replaces this module by the version that it bundles. */
export function undiciVersion(): string {
  // undici does not export its package.json: resolve its entry instead.
  const text = readFileSync(new URL('./package.json', import.meta.resolve('undici')), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
