import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { Problem } from '../model/errors.ts';
import { formatSizeLimit } from '../model/format.ts';
import { nearNames } from '../model/suggestions.ts';
import type { Path } from './value-paths.ts';

/** The files that a scenario refers to: which ones it may read, and up to which size. */

/** Maximum size of a scenario, a prompt file and an environment file, in bytes. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;
/** Maximum size of a certificate file, in bytes. */
export const MAX_CERTIFICATES_BYTES = 4 * 1024 * 1024;

/** Why a file is not read, in addition to system errors. */
type FileRefusal = 'NOT_REGULAR' | 'TOO_LARGE';

/**
 * The content of a regular file of at most `maxBytes`. Throws the system's error, or one with the code `EISDIR`,
 * `NOT_REGULAR` (a device, a pipe, a socket) or `TOO_LARGE`. Never blocks on a pipe, and reads at most the limit.
 */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  const file = openRegularFile(path);
  try {
    // System files, such as those in /proc, may contain more than their size.
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(Math.min(65_536, maxBytes + 1 - total));
      const read = readSync(file, chunk, 0, chunk.byteLength, null);
      if (read === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, read));
      total += read;
      if (total > maxBytes) throw failure('TOO_LARGE');
    }
  } finally {
    closeSync(file);
  }
}

/** Opens a regular file for reading. Throws like `readRegularFile`. */
export function openRegularFile(path: string): number {
  // Checked before opening, because opening a device can have side effects.
  refuseOther(statSync(path));
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    refuseOther(fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function refuseOther(stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isDirectory()) throw failure('EISDIR');
  if (!stats.isFile()) throw failure('NOT_REGULAR');
}

function failure(code: FileRefusal | 'EISDIR'): Error {
  return Object.assign(new Error(code), { code });
}

/** The problem for an error of `readRegularFile`. `what` is the kind of file, for the message. */
export function fileProblem(path: string, error: unknown, what: string, maxBytes: number): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code as FileRefusal | 'ENOENT' | 'EISDIR' | undefined) {
    case 'ENOENT': {
      const near = nearbyFiles(path);
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined;
      return { message: `${what} not found: ${path}`, hint };
    }
    case 'EISDIR':
      return { message: `the ${what} ${path} is a folder` };
    case 'NOT_REGULAR':
      return {
        message: `the ${what} ${path} is not a regular file`,
        hint: 'devices, pipes and sockets are not read',
      };
    case 'TOO_LARGE':
      return {
        message: `the ${what} ${path} is larger than ${formatSizeLimit(maxBytes)}`,
        hint: `use a smaller ${what}`,
      };
    default:
      return { message: `cannot read the ${what} ${path} (${code ?? message})` };
  }
}

/** Similar file names in the folder of `path`. */
function nearbyFiles(path: string): string[] {
  try {
    return nearNames(basename(path), readdirSync(dirname(path)));
  } catch {
    return []; // The folder does not exist.
  }
}

/** A file that a scenario refers to. */
interface NamedFile {
  /** The place of the reference in the document. */
  at: Path;
  /** As written there. */
  file: string;
  /** The kind of file, for messages. */
  what: string;
  maxBytes: number;
}

/** Reads a file that a scenario refers to, or returns the problem. */
export type ReadNamedFile = (file: NamedFile) => Buffer | Problem;

/** The rules for the files that a scenario may read. */
export interface FileRules {
  /** The scenario's folder, where relative paths start. */
  folder: string;
  /** Additional files and folders: `--allow-file`. */
  allowed: readonly string[];
  /** True if the file was named on the command line, so that the user chose it. */
  isUsersOwn(at: Path): boolean;
  /** Called with each file that may be read, as written in the document. */
  onFile?(file: string): void;
}

/** The real path of a file or folder that a scenario refers to, if it may be read; or the problem. */
export type LocateNamedFile = (file: Omit<NamedFile, 'maxBytes'>) => { path: string } | Problem;

/** Allows files and folders below the scenario's folder, and what the rules also allow. */
export function permittedFiles({ folder, allowed, isUsersOwn, onFile }: FileRules): LocateNamedFile {
  const roots = [folder, ...allowed].map((path) => resolve(path));
  return ({ at, file, what }) => {
    const path = resolve(folder, file);
    const outside = {
      message: `the ${what} ${path} is not in the scenario's folder`,
      hint: `move it into ${resolve(folder)}, or allow it with --allow-file ${path}`,
    };
    const free = isUsersOwn(at);
    // By its name first, so that a file outside is not even examined.
    if (!free && !roots.some((root) => isBelow(path, root))) return outside;
    try {
      const real = realpathSync(path);
      if (!free && !roots.some((root) => isBelow(real, realOf(root)))) return outside;
      // A folder is not read itself.
      if (!statSync(real).isDirectory()) onFile?.(file);
      return { path: real };
    } catch (error) {
      return fileProblem(path, error, what, Number.POSITIVE_INFINITY);
    }
  };
}

/** A reader for the regular files that a scenario may read. */
export function namedFiles(rules: FileRules): ReadNamedFile {
  const locate = permittedFiles(rules);
  return ({ maxBytes, ...named }) => {
    const located = locate(named);
    if (!('path' in located)) return located;
    try {
      return readRegularFile(located.path, maxBytes);
    } catch (error) {
      return fileProblem(resolve(rules.folder, named.file), error, named.what, maxBytes);
    }
  };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
