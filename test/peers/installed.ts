import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of this project: it has a package.json of its own, so that the main install stays small. */
export const PEERS_FOLDER = import.meta.dirname;

interface Lock {
  packages: Record<string, { version?: string; optional?: boolean }>;
}

function readLock(path: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** True when every package of the lock file is there in its version. `found` is what npm noted of its last install. */
export function isInstalled(wanted: Lock | undefined, found: Lock | undefined): boolean {
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted.packages).every(
    ([path, { version, optional }]) => path === '' || optional || found.packages[path]?.version === version,
  );
}

/** Whether the peers are there, by a look at two small files. */
export function peersInstalled(folder = PEERS_FOLDER): boolean {
  const found = readLock(join(folder, 'node_modules/.package-lock.json'));
  return isInstalled(readLock(join(folder, 'package-lock.json')), found);
}

/** What to say where they are not. */
export const NOT_INSTALLED = 'the peers are not installed: npm run peers';
