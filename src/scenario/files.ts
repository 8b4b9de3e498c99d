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

/** The files that a scenario names: which it may read, and how much of them. */

/** The most that is read of a scenario, of a prompt's file and of a file of variables, in bytes. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;
/** The most that is read of a file of certificates, in bytes. */
export const MAX_CERTIFICATES_BYTES = 4 * 1024 * 1024;

/** Why a file is not read, beside the reasons of the system. */
type FileRefusal = 'NOT_REGULAR' | 'TOO_LARGE';

/**
 * The content of a regular file of at most `maxBytes`. Throws the system's error, or one with the code `EISDIR`,
 * `NOT_REGULAR` (a device, a pipe, a socket) or `TOO_LARGE`. Never waits for a writer, and reads no more than the limit.
 */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  // Looked at before it is opened: to open a device can have effects.
  refuseOther(statSync(path));
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    refuseOther(fstatSync(file));
    // Files of the system, such as those under /proc, have more in them than their size says.
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

function refuseOther(stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isDirectory()) throw failure('EISDIR');
  if (!stats.isFile()) throw failure('NOT_REGULAR');
}

function failure(code: FileRefusal | 'EISDIR'): Error {
  return Object.assign(new Error(code), { code });
}

/** What is wrong with a file that `readRegularFile` threw for. `what` is what the file was to be. */
export function fileProblem(path: string, error: unknown, what: string, maxBytes: number): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code as FileRefusal | 'ENOENT' | 'EISDIR' | undefined) {
    case 'ENOENT': {
      const near = nearbyFiles(path);
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined;
      return { message: `there is no ${what} ${path}`, hint };
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

/** Names of files beside `path` that are like its own. */
function nearbyFiles(path: string): string[] {
  try {
    return nearNames(basename(path), readdirSync(dirname(path)));
  } catch {
    return []; // No such folder: there is nothing to suggest.
  }
}

/** A file that a scenario names. */
interface NamedFile {
  /** Where the document names it. */
  at: Path;
  /** As it is written there. */
  file: string;
  /** What it is to be, for messages. */
  what: string;
  maxBytes: number;
}

/** Reads a file that a scenario names, or says why it is not read. */
export type ReadNamedFile = (file: NamedFile) => Buffer | Problem;

/** What decides which files a scenario may read. */
interface FileRules {
  /** The scenario's folder, where relative paths begin. */
  folder: string;
  /** Files, and folders with all that is in them, that it may read as well: `--allow-file`. */
  allowed: readonly string[];
  /** True where the command line named the file, which is the user's own choice. */
  isUsersOwn(at: Path): boolean;
}

/** A reader that lets a scenario read regular files below its own folder, and what the rules allow beside them. */
export function namedFiles({ folder, allowed, isUsersOwn }: FileRules): ReadNamedFile {
  const roots = [folder, ...allowed].map((path) => resolve(path));
  return ({ at, file, what, maxBytes }) => {
    const path = resolve(folder, file);
    const outside = {
      message: `the ${what} ${path} is not in the scenario's folder`,
      hint: `move it below ${resolve(folder)}, or allow it: --allow-file ${path}`,
    };
    const free = isUsersOwn(at);
    // By its name first, so that what is outside is not even looked at.
    if (!free && !roots.some((root) => isBelow(path, root))) return outside;
    try {
      const real = realpathSync(path);
      if (!free && !roots.some((root) => isBelow(real, realOf(root)))) return outside;
      return readRegularFile(real, maxBytes);
    } catch (error) {
      return fileProblem(path, error, what, maxBytes);
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
