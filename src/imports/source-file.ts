import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { isObject } from '../results/check-record.ts';

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
 * `results_not_found` where there is none, `results_invalid` where one is not JSON.
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
      message: `${path} holds no .json or .jsonl file`,
      hint: 'give the result file of the tool, or the folder that it wrote',
    });
  }
  return Promise.all(names.map((name) => readSource(join(path, name))));
}

async function readSource(path: string): Promise<SourceFile> {
  const { size, mtimeMs } = await stat(path);
  if (size > MAX_BYTES) {
    throw new UserError('results_invalid', {
      message: `has ${Math.round(size / 2 ** 20)} MiB; up to 500 MiB can be read`,
      place: { file: path },
      hint: 'leave out the texts of requests and responses where the tool can, or import a part of the run',
    });
  }
  const text = await readFile(path, 'utf8');
  if (text.trim() === '') throw notJson(path, 'is empty', 1);
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

/** One document per line. What is not that is reported as the one document that it was probably meant to be. */
function jsonLines(path: string, text: string): SourceFile['documents'] {
  const documents: SourceFile['documents'] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      documents.push({ value: JSON.parse(line), line: index + 1 });
    } catch (error) {
      if (documents.length > 0 || !text.trimEnd().includes('\n'))
        throw syntaxError(path, line, error, index + 1);
      throw wholeSyntaxError(path, text);
    }
  }
  return documents;
}

function wholeSyntaxError(path: string, text: string): UserError {
  try {
    JSON.parse(text);
  } catch (error) {
    const position = Math.min(positionOf(error) ?? text.length, text.length);
    const before = text.slice(0, position).split('\n');
    return syntaxError(path, before.at(-1) ?? '', error, before.length, text.length - position < 2);
  }
  return notJson(path, 'is not JSON', 1);
}

function syntaxError(path: string, line: string, error: unknown, number: number, atEnd?: boolean): UserError {
  const column = positionOf(error);
  const isCut = atEnd ?? (column === undefined || column >= line.trimEnd().length - 1);
  const what = isCut ? 'the JSON ends before it is complete' : 'this is not valid JSON';
  return notJson(path, what, number, atEnd === undefined ? column : line.length);
}

function notJson(file: string, message: string, line: number, column?: number): UserError {
  return new UserError('results_invalid', {
    message,
    place: { file, line, column: column === undefined ? undefined : column + 1 },
    hint: 'the file was cut or changed after the tool wrote it, or the tool did not finish: copy it again, or repeat the run',
  });
}

/** Where the parser of Node found the error, in characters from 0. It names no place for an early end. */
function positionOf(error: unknown): number | undefined {
  const found = /at position (\d+)/.exec(error instanceof Error ? error.message : '');
  return found === null ? undefined : Number(found[1]);
}

/** The first document, where it is an object. */
export function firstObject({ documents }: SourceFile): Json | undefined {
  const value = documents[0]?.value;
  return isObject(value) ? value : undefined;
}
