import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { OUTCOME_KINDS, type OutcomeKind, type RequestRecord } from '../model/record.ts';
import type { Manifest } from '../model/report.ts';
import { MANIFEST_FILE, MANIFEST_SCHEMA, RECORD_SCHEMA, RECORDS_FILE } from './layout.ts';

/** A run on disk. */
export interface StoredRun {
  manifest: Manifest;
  /**
   * The records in the order in which they were written, read as they are asked for. Throws a `UserError`
   * (`results_invalid`) with file and line at one that cannot be read.
   */
  records: AsyncIterable<RequestRecord>;
  /** What was out of order but could be passed over; complete once the records have been read to the end. */
  warnings: readonly string[];
  /** Says that the file holds other records than its run wrote; undefined until the records have been read to the end. */
  truncation(): string | undefined;
}

/**
 * Opens a run's folder. Throws a `UserError`: `results_not_found` when there is no such folder or it holds no run,
 * `results_invalid` when it was written by another version or cannot be read.
 */
export async function readRun(folder: string): Promise<StoredRun> {
  const manifest = await readManifest(folder);
  const path = join(folder, RECORDS_FILE);
  if (!(await stat(path).catch(() => undefined))?.isFile()) {
    throw new UserError('results_invalid', {
      message: `${path} is missing`,
      hint: 'the run cannot be reported without its records',
    });
  }
  const warnings: string[] = [];
  let truncation: string | undefined;
  async function* records() {
    let count = 0;
    for await (const record of readRecords(path, warnings)) {
      count += 1;
      yield record;
    }
    const { records: written = count } = manifest;
    if (written === count) return;
    truncation = `${path} holds ${count} of the ${written} records that its run wrote`;
    warnings.push(truncation);
  }
  return {
    manifest,
    warnings,
    records: { [Symbol.asyncIterator]: records },
    truncation: () => truncation,
  };
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_FILE);
  const text = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    throw await missing(folder, path, error);
  });
  const value = parse(text);
  if (!isObject(value)) throw invalid(path, undefined, 'is not JSON');
  if (value.schema !== MANIFEST_SCHEMA) throw otherVersion(path, undefined, value.schema, MANIFEST_SCHEMA);
  const { run, environment, scenario, cells, stallMs } = value;
  const whole = isObject(run) && isObject(environment) && isObject(scenario) && Array.isArray(cells);
  if (!whole || typeof stallMs !== 'number') throw invalid(path, undefined, 'is not a complete manifest');
  return value as unknown as Manifest;
}

async function missing(folder: string, path: string, error: NodeJS.ErrnoException): Promise<UserError> {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return new UserError('results_invalid', { message: `cannot read ${path}: ${error.code}` });
  }
  const found = await stat(folder).catch(() => undefined);
  if (!found) {
    return new UserError('results_not_found', {
      message: `there is no run at ${folder}`,
      hint: 'give the folder of a run, such as results/2026-11-21T03-31-58-demo-3f2a',
    });
  }
  return new UserError('results_not_found', {
    message: `${folder} is not the folder of a run: it has no ${MANIFEST_FILE}`,
    hint: `a run's folder holds ${MANIFEST_FILE} and ${RECORDS_FILE}`,
  });
}

async function* readRecords(path: string, warnings: string[]): AsyncGenerator<RequestRecord> {
  let line = 0;
  let pieces: string[] = [];
  for await (const chunk of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
    let from = 0;
    for (let to = chunk.indexOf('\n'); to !== -1; to = chunk.indexOf('\n', from)) {
      pieces.push(chunk.slice(from, to));
      line += 1;
      const text = pieces.join('');
      pieces = [];
      from = to + 1;
      if (text.trim() !== '') yield readRecord(text, path, line);
    }
    if (from < chunk.length) pieces.push(chunk.slice(from));
  }
  // Only a line without a line feed can have been cut by a crash, and it may be whole all the same.
  const last = pieces.join('');
  if (last.trim() === '') return;
  if (parse(last) === undefined) {
    warnings.push(`${path}:${line + 1}: the last record was cut off and is left out`);
    return;
  }
  yield readRecord(last, path, line + 1);
}

function readRecord(text: string, path: string, line: number): RequestRecord {
  const value = parse(text);
  if (!isObject(value)) throw invalid(path, line, 'this line is not a JSON object');
  if (value.schema !== RECORD_SCHEMA) throw otherVersion(path, line, value.schema, RECORD_SCHEMA);
  const wrong = wrongField(value);
  if (wrong) throw invalid(path, line, `this record has no valid "${wrong}"`);
  return value as unknown as RequestRecord;
}

/** The first field that the report could not do without and that is not what it should be. */
function wrongField(record: Record<string, unknown>): string | undefined {
  const { target, prompt, concurrency, rate, mode, round, outcome, marks, gaps, tokens } = record;
  if (typeof target !== 'string') return 'target';
  if (typeof prompt !== 'string') return 'prompt';
  if (typeof concurrency !== 'number') return 'concurrency';
  if (rate !== undefined && typeof rate !== 'number') return 'rate';
  if (typeof round !== 'number') return 'round';
  if (mode !== 'streaming' && mode !== 'non-streaming') return 'mode';
  if (!isObject(outcome) || !OUTCOME_KINDS.includes(outcome.kind as OutcomeKind)) return 'outcome';
  if (!isObject(marks) || typeof marks.started !== 'number') return 'marks';
  if (!Array.isArray(gaps)) return 'gaps';
  if (!isObject(tokens)) return 'tokens';
  for (const name of ['contentEvents', 'coalesced', 'bytes']) {
    if (typeof record[name] !== 'number') return name;
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(file: string, line: number | undefined, message: string): UserError {
  return new UserError('results_invalid', {
    message,
    place: line === undefined ? { file } : { file, line },
    hint: 'the file was changed or damaged after the run',
  });
}

function otherVersion(file: string, line: number | undefined, schema: unknown, ours: string): UserError {
  const theirs = typeof schema === 'string' ? `"${schema}"` : 'no schema';
  return new UserError('results_invalid', {
    message: `written with ${theirs}, but this streambench reads "${ours}"`,
    place: line === undefined ? { file } : { file, line },
    hint: 'read it with the version of streambench that wrote it (manifest.json: environment.streambench)',
  });
}
