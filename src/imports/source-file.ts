import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';

/** A JSON object, as a file holds it. */
export type Json = Record<string, unknown>;

/** A file with one JSON document, or with one per line. */
export interface SourceFile {
  path: string;
  /** The documents, with the line that each begins on. At least one. */
  documents: { value: unknown; line: number }[];
  /** When it was last written, in ms since 1970. */
  modifiedMs: number;
}

// Node has no longer strings.
const MAX_BYTES = 500 * 2 ** 20;

/**
 * The JSON files at a path: the file itself, or all `.json` and `.jsonl` files of a folder. Throws a `UserError`:
 * `results_not_found` if no file is there, `results_invalid` where one is not JSON.
 */
export async function readSources(path: string): Promise<SourceFile[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new UserError('results_not_found', {
      message: `no file or folder at ${path}`,
      hint: 'give the result file of the tool, or the folder that it wrote',
    });
  }
  if (!found.isDirectory()) return [await readSource(path)];
  const names = (await readdir(path)).filter((name) => /\.jsonl?$/i.test(name)).sort();
  if (names.length === 0) {
    throw new UserError('results_not_found', {
      message: `${path} contains no .json or .jsonl file`,
      hint: 'give the result file of the tool, or the folder that it wrote',
    });
  }
  return Promise.all(names.map((name) => readSource(join(path, name))));
}

async function readSource(path: string): Promise<SourceFile> {
  const { size, mtimeMs } = await stat(path);
  if (size > MAX_BYTES) {
    throw new UserError('results_invalid', {
      message: `the file has ${Math.round(size / 2 ** 20)} MiB; up to 500 MiB can be read`,
      place: { file: path },
      hint: 'leave out the texts of requests and responses where the tool can, or import a part of the run',
    });
  }
  const text = await readFile(path, 'utf8');
  if (text.trim() === '') throw notJson(path, 'the file is empty');
  const documents = jsonDocument(text) ?? jsonLines(path, text);
  return { path, documents, modifiedMs: mtimeMs };
}

function jsonDocument(text: string): SourceFile['documents'] | undefined {
  try {
    return [{ value: JSON.parse(text), line: 1 }];
  } catch {
    return undefined;
  }
}

/** One document per line; or the error of a damaged file. */
function jsonLines(path: string, text: string): SourceFile['documents'] {
  const documents: SourceFile['documents'] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parsed(line);
    if (value !== undefined) {
      documents.push({ value, line: index + 1 });
      continue;
    }
    // Without a document before it, the file is one document over several lines.
    if (documents.length === 0) throw syntaxError(path, text, 1);
    throw syntaxError(path, line, index + 1);
  }
  return documents;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error for a text that is not JSON. `firstLine`: the line of the file that it begins on. */
function syntaxError(path: string, text: string, firstLine: number): UserError {
  const valid = validLength(text);
  const before = text.slice(0, valid).split('\n');
  const isCut = text.slice(valid).trim() === '';
  const message = isCut ? 'the JSON ends before it is complete' : 'this is not valid JSON';
  return notJson(path, message, firstLine + before.length - 1, (before.at(-1) ?? '').length + 1);
}

/** How many characters a longer text could begin with and be JSON. Node names the place of only some errors. */
function validLength(text: string): number {
  let [valid, invalid] = [0, text.length + 1];
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (couldContinue(text.slice(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function couldContinue(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const position = /at position (\d+)/.exec(message)?.[1];
    return position === undefined ? /end of JSON/.test(message) : Number(position) >= text.length;
  }
}

function notJson(file: string, message: string, line?: number, column?: number): UserError {
  return new UserError('results_invalid', {
    message,
    place: { file, line, column },
    hint: 'the file was cut or changed after the tool wrote it, or the tool did not finish: copy it again, or repeat the run',
  });
}

/** The first document, where it is an object. */
export function firstObject({ documents }: SourceFile): Json | undefined {
  const value = documents[0]?.value;
  return isObject(value) ? value : undefined;
}
