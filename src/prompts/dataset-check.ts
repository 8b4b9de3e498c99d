import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import type { Dataset, DatasetOrder } from '../model/prompt.ts';
import { createRandom, shuffledIndexes } from '../model/seeded-random.ts';
import { csvRecord } from './csv.ts';
import {
  type BrokenEntry,
  type DatasetEntry,
  type EntryRules,
  isBroken,
  readEntry,
} from './dataset-entry.ts';
import { INDEX_FIELDS, MAX_ENTRY_BYTES, textAt, textOf } from './dataset-reader.ts';
import { type BrokenFile, type EntryBounds, findEntries } from './entry-bounds.ts';

/** Which entries of a dataset are used, and how they are read. */
export interface DatasetOptions extends Omit<EntryRules, 'format' | 'column'> {
  /** Of CSV, the name of the column; of JSON, the field of the prompt. */
  column?: string;
  order: DatasetOrder;
  /** Limits of the prompt's length in characters. */
  minChars?: number;
  maxChars?: number;
  /** At most this many entries: drawn by the seed, or with `sequential` the first. */
  maxCount?: number;
  seed: number;
}

/** A dataset in which every entry was read, or what is wrong with it. */
export type CheckedDataset =
  | { dataset: Dataset; first: DatasetEntry; digest: string }
  | { problems: readonly BrokenFile[]; more: number };

/** Problems of a dataset that are listed. */
const MAX_PROBLEMS = 10;

/** Collects the entries of a dataset. */
class EntryCollector {
  readonly problems: BrokenFile[] = [];
  brokenCount = 0;
  count = 0;
  available = 0;
  first: DatasetEntry | undefined;
  hasSystem = false;
  hasToolResults = false;
  private fields = new Uint32Array(INDEX_FIELDS * 256);
  private readonly options: DatasetOptions;

  constructor(options: DatasetOptions) {
    this.options = options;
  }

  /** Adds an entry that is at `from` in its file and has this number or line. */
  add(entry: DatasetEntry | BrokenEntry, { from, length, number, line }: EntryPlace): void {
    if (isBroken(entry)) {
      this.fail({ ...entry, line });
      return;
    }
    this.available += 1;
    const chars = entry.messages.reduce((sum, { content }) => sum + content.length, 0);
    const { minChars = 0, maxChars = Number.POSITIVE_INFINITY } = this.options;
    if (chars < minChars || chars > maxChars) return;
    this.first ??= entry;
    this.hasToolResults ||= entry.messages.some(({ role }) => role === 'tool');
    this.hasSystem ||= entry.messages.some(({ role }) => role === 'system');
    const at = this.count++ * INDEX_FIELDS;
    if (at === this.fields.length) {
      const larger = new Uint32Array(2 * this.fields.length);
      larger.set(this.fields);
      this.fields = larger;
    }
    this.fields.set([from % 2 ** 32, Math.floor(from / 2 ** 32), length, number], at);
  }

  fail(problem: BrokenFile): void {
    this.brokenCount += 1;
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }

  /** The index of the entries that are used. */
  index(): { index: SharedArrayBuffer; count: number } {
    const { maxCount = this.count, order, seed } = this.options;
    const count = Math.min(maxCount, this.count);
    const index = new SharedArrayBuffer(count * INDEX_FIELDS * Uint32Array.BYTES_PER_ELEMENT);
    const used = new Uint32Array(index);
    const all =
      count < this.count && order === 'shuffle' ? shuffledIndexes(this.count, createRandom(seed)) : undefined;
    for (let i = 0; i < count; i++) {
      const from = (all?.[i] ?? i) * INDEX_FIELDS;
      used.set(this.fields.subarray(from, from + INDEX_FIELDS), i * INDEX_FIELDS);
    }
    return { index, count };
  }
}

interface EntryPlace {
  from: number;
  length: number;
  /** Stored in the index: the line, or the number of the entry. */
  number: number;
  line?: number;
}

/** Reads every entry of an open dataset file once. The file is not kept in memory. */
export function checkDatasetFile(
  file: number,
  path: string,
  format: 'jsonl' | 'json' | 'csv',
  options: DatasetOptions,
): CheckedDataset {
  const { size, mtimeMs } = fstatSync(file);
  const digest = createHash('sha256');
  const entries = new EntryCollector(options);
  const rules: EntryRules = {
    format,
    history: options.history,
    conversations: options.conversations,
    column: options.column,
  };
  let header = format === 'csv';
  let number = 0;
  const found = (bounds: EntryBounds) => {
    const text = entryText(file, bounds, format);
    if (text === undefined) return;
    number += 1;
    const { from, to, line } = bounds;
    if (header) {
      header = false;
      const column = typeof text === 'string' ? columnOf(text, options.column) : text;
      if (typeof column === 'object') entries.fail({ ...column, line });
      else rules.column = column;
      return;
    }
    // Without its header, no record of a CSV file can be read.
    if (format === 'csv' && typeof rules.column !== 'number') return;
    const place = { from, length: to - from, line, number: format === 'json' ? number : line };
    entries.add(typeof text === 'string' ? readEntry(text, rules) : text, place);
  };
  const broken = findEntries(file, format, found, (bytes) => digest.update(bytes));
  if (broken !== undefined) entries.fail(broken);
  return result(entries, { path, sizeBytes: size, changedAtMs: mtimeMs, ...rules }, digest.digest('hex'));
}

/** Reads every file of a folder once. `read` returns the content of one of them, or why it cannot be read. */
export function checkDatasetFolder(
  path: string,
  files: readonly string[],
  read: (name: string) => Buffer | BrokenEntry,
  options: DatasetOptions,
): CheckedDataset {
  const digest = createHash('sha256');
  const entries = new EntryCollector(options);
  const rules: EntryRules = { format: 'text', history: options.history };
  for (const [index, name] of files.entries()) {
    const content = read(name);
    const text = Buffer.isBuffer(content) ? textOf(content) : content;
    const entry = typeof text === 'string' ? readEntry(text, rules) : text;
    if (typeof text === 'string') digest.update(`${name}\0${text}\0`);
    const named = isBroken(entry) ? { ...entry, cause: `${name}: ${entry.cause}` } : entry;
    entries.add(named, { from: 0, length: 0, number: index + 1 });
  }
  return result(entries, { path, files, sizeBytes: 0, changedAtMs: 0, ...rules }, digest.digest('hex'));
}

function result(
  entries: EntryCollector,
  rest: Omit<Dataset, 'index' | 'count' | 'available' | 'hasSystem' | 'hasToolResults'>,
  digest: string,
): CheckedDataset {
  const { problems, brokenCount, first, available, hasSystem, hasToolResults } = entries;
  if (brokenCount > 0) return { problems, more: brokenCount - problems.length };
  if (first === undefined) {
    const problem =
      available === 0
        ? { cause: 'the dataset has no prompts', remedy: 'add an entry, or name another file' }
        : {
            cause: `none of the ${available} prompts is within minChars and maxChars`,
            remedy: 'the limits are in characters: widen them',
          };
    return { problems: [problem], more: 0 };
  }
  return { dataset: { ...rest, ...entries.index(), available, hasSystem, hasToolResults }, first, digest };
}

const BLANK = /^\s*$/;

// Undefined for an empty line.
function entryText(
  file: number,
  { from, to }: EntryBounds,
  format: 'jsonl' | 'json' | 'csv',
): string | BrokenEntry | undefined {
  if (to - from > MAX_ENTRY_BYTES) {
    return { cause: 'the entry is larger than 8 MiB', remedy: 'shorten it, or remove it' };
  }
  const text = textAt(file, from, to - from);
  if (typeof text !== 'string') return text;
  return format !== 'json' && BLANK.test(text) ? undefined : text;
}

function columnOf(header: string, wanted: string | undefined): number | BrokenEntry {
  const record = csvRecord(withoutEnds(header));
  if ('cause' in record) return record;
  const names = record.fields.map((name) => name.trim());
  const known = `columns: ${names.join(', ')}`;
  if (wanted === undefined && names.length === 1) return 0;
  const at = names.indexOf(wanted ?? 'prompt');
  if (at !== -1) return at;
  return wanted === undefined
    ? { cause: 'the header has no column "prompt"', remedy: `set column to one of the ${known}` }
    : { cause: `the header has no column ${JSON.stringify(wanted)}`, remedy: known };
}

function withoutEnds(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r$/, '');
}
