import { join, resolve } from 'node:path';

/** The results that other tools wrote. */
export const IMPORTS = resolve(import.meta.dirname, '../fixtures/imports');

/** A file of theirs. */
export const importFile = (...path: string[]) => join(IMPORTS, ...path);
