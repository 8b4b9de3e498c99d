import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../model/prompt.ts';
import { type BrokenEntry, type DatasetEntry, isBroken, readEntry } from './dataset-entry.ts';

/** Numbers of an entry in the index of a dataset. */
export const INDEX_FIELDS = 4;

/** The largest entry of a dataset. */
export const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

/** Reads entries of a dataset from disk. */
export interface DatasetReader {
  /** The entry with this index. Throws if the file was changed since it was checked. */
  entry(index: number): DatasetEntry & { id: string };
  close(): void;
}

/**
 * Opens a checked dataset. Only the entry that is read is in memory. Throws if the file was changed since it was checked, or the
 * system's error.
 */
export function openDataset(dataset: Dataset): DatasetReader {
  const { path, format, files = [] } = dataset;
  const fields = new Uint32Array(dataset.index);
  const changed = () => new Error(`the dataset ${path} was changed while it was in use`);
  const file =
    format === 'text' ? undefined : openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (file !== undefined) {
    const { size, mtimeMs } = fstatSync(file);
    if (size !== dataset.sizeBytes || mtimeMs !== dataset.changedAtMs) throw changed();
  }
  return {
    entry(index) {
      // `!`: the index has INDEX_FIELDS numbers for each entry.
      const at = index * INDEX_FIELDS;
      const [low, high, length, number] = [fields[at]!, fields[at + 1]!, fields[at + 2]!, fields[at + 3]!];
      const name = files[number - 1];
      const text =
        file === undefined
          ? textOf(readFileSync(join(path, name ?? '')))
          : textAt(file, high * 2 ** 32 + low, length);
      const entry = typeof text === 'string' ? readEntry(text, dataset) : text;
      if (isBroken(entry)) throw changed();
      return { ...entry, id: entry.id ?? name ?? String(number) };
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** The text at a place in a file, or why it is not text. */
export function textAt(file: number, offset: number, length: number): string | BrokenEntry {
  const bytes = Buffer.allocUnsafe(length);
  return textOf(bytes.subarray(0, readSync(file, bytes, 0, length, offset)));
}

/** Bytes as text, or why they are not text. */
export function textOf(bytes: Buffer): string | BrokenEntry {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return { cause: 'not UTF-8 text', remedy: 'convert the file to UTF-8' };
}
