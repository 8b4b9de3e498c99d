import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';
import type { RequestRecord } from '../model/record.ts';
import type { Manifest } from '../model/report.ts';
import { newReadResult, type ReadResult, readRecords } from './read-records.ts';
import { MANIFEST_FILE, MANIFEST_SCHEMA, RECORDS_FILE } from './run-folder.ts';

/** A run on disk. */
export interface StoredRun {
  manifest: Manifest;
  /**
   * The records in the order in which they were written, in batches, read on demand. Each batch can be iterated once. Invalid lines
   * are skipped and counted in `found`.
   */
  batches: AsyncIterable<Iterable<RequestRecord>>;
  /** The result of the last reading of `batches`; complete after the last one. */
  found(): Readonly<ReadResult>;
}

/**
 * Opens a run's folder. Throws a `UserError`: `results_not_found` where the folder does not exist or holds no run,
 * `results_invalid` where it was written by another version or cannot be read.
 */
export async function readRun(folder: string): Promise<StoredRun> {
  const manifest = await readManifest(folder);
  const path = join(folder, RECORDS_FILE);
  if (!(await stat(path).catch(() => undefined))?.isFile()) {
    throw new UserError('results_invalid', {
      message: `${path} is missing`,
      hint: 'a report needs the records of its run',
    });
  }
  let found = newReadResult();
  return {
    manifest,
    found: () => found,
    batches: {
      [Symbol.asyncIterator]() {
        found = newReadResult();
        return readRecords(path, manifest.cells, found);
      },
    },
  };
}

/** Warnings after reading a run's records: unreadable lines and missing records, one sentence each. */
export function readWarnings({ manifest, found }: StoredRun, folder: string): string[] {
  const { records, unreadable, cut } = found();
  const path = join(folder, RECORDS_FILE);
  const warnings = cut === undefined ? [] : [cut];
  const { lines, examples } = unreadable;
  if (lines > 0) {
    const more = lines > examples.length ? [`and ${lines - examples.length} more`] : [];
    warnings.push(
      `${path}: ${lines} of ${lines + records} lines could not be read and ${lines === 1 ? 'is' : 'are'} skipped:\n  ${[...examples, ...more].join('\n  ')}`,
    );
  }
  const { records: written = records } = manifest;
  if (written !== records) {
    warnings.push(`${path} holds ${records} of the ${written} records that its run wrote`);
  }
  return warnings;
}

/** Reads only a run's manifest. Throws like `readRun`. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_FILE);
  const text = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    throw await missing(folder, path, error);
  });
  const value = parse(text);
  if (!isObject(value)) throw invalid(path, 'is not JSON');
  if (value.schema !== MANIFEST_SCHEMA) throw otherVersion(path, value.schema);
  const { run, environment, scenario, cells, stallMs } = value;
  const isComplete = isObject(run) && isObject(environment) && isObject(scenario) && Array.isArray(cells);
  if (!isComplete || typeof stallMs !== 'number') throw invalid(path, 'is not a complete manifest');
  const manifest = value as unknown as Manifest;
  // Comparisons of versions before report@3 had another form. `streambench compare` makes them again.
  return Array.isArray(manifest.baseline?.summaries) ? manifest : { ...manifest, baseline: undefined };
}

async function missing(folder: string, path: string, error: NodeJS.ErrnoException): Promise<UserError> {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return new UserError('results_invalid', { message: `cannot read ${path}: ${error.code}` });
  }
  const found = await stat(folder).catch(() => undefined);
  if (!found) {
    return new UserError('results_not_found', {
      message: `no run at ${folder}`,
      hint: 'give the folder of a run, such as results/2026-11-21T03-31-58-demo-3f2a',
    });
  }
  return new UserError('results_not_found', {
    message: `${folder} is not the folder of a run: it has no ${MANIFEST_FILE}`,
    hint: `a run's folder holds ${MANIFEST_FILE} and ${RECORDS_FILE}`,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(file: string, message: string): UserError {
  return new UserError('results_invalid', {
    message,
    place: { file },
    hint: 'the file was changed or damaged after the run',
  });
}

function otherVersion(file: string, schema: unknown): UserError {
  const theirs = typeof schema === 'string' ? `"${schema}"` : 'no schema';
  return new UserError('results_invalid', {
    message: `written with ${theirs}, but this streambench reads "${MANIFEST_SCHEMA}"`,
    place: { file },
    hint: 'read it with the version of streambench that wrote it (manifest.json: environment.streambench)',
  });
}
