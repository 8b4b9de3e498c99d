import { join, resolve } from 'node:path';

const IMPORTS = resolve(import.meta.dirname, '../fixtures/imports');

/** A file of theirs. */
export const importFile = (...path: string[]) => join(IMPORTS, ...path);
