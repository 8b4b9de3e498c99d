import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../model/errors.ts';

/**
 * Writes a file atomically: to a temporary file in the same folder, synced to disk, then renamed. Throws a `UserError`
 * (`output_unwritable`).
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  // In the same folder, because a rename across file systems fails.
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  }
  await syncFolder(dirname(path));
}

// The rename is durable only after the folder is synced. Windows cannot open a folder; the file is complete there anyway.
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'choose a folder that you may write to: -o FOLDER',
  EPERM: 'choose a folder that you may write to: -o FOLDER',
  EROFS: 'the file system is read-only; choose another folder: -o FOLDER',
  ENOSPC: 'the disk is full; free some space or choose another folder: -o FOLDER',
  EDQUOT: 'the disk quota is used up; free some space or choose another folder: -o FOLDER',
  ENOTDIR: 'part of the path is a file; choose another folder: -o FOLDER',
  EEXIST: 'the path already exists; choose another folder: -o FOLDER',
  EMFILE: 'the limit on open files is reached: raise it with ulimit -n, or lower the concurrency',
  ENFILE: 'the machine has too many open files: stop other programs, or raise fs.file-max',
  ENAMETOOLONG: 'choose a shorter path: -o FOLDER',
};

/** Converts an error of the file system to a `UserError`. */
export function unwritable(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new UserError('output_unwritable', {
    message: `cannot write ${path}: ${code ?? message}`,
    hint: (code && REMEDIES[code]) || 'choose another folder: -o FOLDER',
  });
}
