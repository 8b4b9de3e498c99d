import { extname } from 'node:path';
import type { Problem } from '../model/errors.ts';
import type { MediaPart } from '../model/request.ts';
import { MAX_TEXT_BYTES, type ReadNamedFile } from './files.ts';
import type { Finding } from './problems.ts';
import { type Path, valueAt } from './value-paths.ts';

/** The files that prompts refer to, except datasets: texts, values of variables, images and recordings. */

/** The contents of the files, by the path in the scenario. */
export interface PromptFiles {
  /** Without a byte order mark and the final line break. */
  texts: ReadonlyMap<string, string>;
  media: ReadonlyMap<string, MediaPart>;
  findings: Finding[];
}

const MAX_MEDIA_BYTES = 20 * 1024 * 1024;

const MEDIA_TYPES: Readonly<Record<MediaPart['kind'], Readonly<Record<string, string>>>> = {
  image: {
    '.png': 'image/png',
    '.jpg': 'image/jpeg',
    '.jpeg': 'image/jpeg',
    '.gif': 'image/gif',
    '.webp': 'image/webp',
  },
  audio: { '.wav': 'audio/wav', '.mp3': 'audio/mpeg' },
};

/** The places of all prompts in a document: the scenario's, and those of mixes. */
export function promptPaths(document: unknown): Path[] {
  return indexes(document, ['prompts']).flatMap((path) => [path, ...indexes(document, [...path, 'mix'])]);
}

function indexes(document: unknown, path: Path): Path[] {
  const list = valueAt(document, path);
  return Array.isArray(list) ? Array.from(list.keys(), (index) => [...path, index]) : [];
}

/** Reads the files of all prompts in a document. */
export function readPromptFiles(document: unknown, read: ReadNamedFile): PromptFiles {
  const texts = new Map<string, string>();
  const media = new Map<string, MediaPart>();
  const findings: Finding[] = [];
  const add = <T>(at: Path, into: Map<string, T>, load: (file: string) => T | Problem) => {
    const file = valueAt(document, at);
    if (typeof file !== 'string' || file === '' || into.has(file)) return;
    const content = load(file);
    if (isProblem(content)) findings.push({ path: at, at: 'value', ...content });
    else into.set(file, content);
  };
  for (const path of promptPaths(document)) {
    const file: Path = [...path, 'file'];
    add(file, texts, (name) => readText(read, file, name, 'prompt file'));
    const variables = valueAt(document, [...path, 'variables']);
    for (const name of Object.keys((typeof variables === 'object' && variables) || {})) {
      const values: Path = [...path, 'variables', name, 'file'];
      add(values, texts, (named) => readText(read, values, named, 'file of values'));
    }
    for (const place of [path, ...indexes(document, [...path, 'messages'])]) {
      for (const [key, kind] of [
        ['images', 'image'],
        ['audio', 'audio'],
      ] as const) {
        for (const at of indexes(document, [...place, key])) {
          add(at, media, (named) => readMedia(read, at, named, kind));
        }
      }
    }
  }
  return { texts, media, findings };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'message' in value;
}

function readText(read: ReadNamedFile, at: Path, file: string, what: string): string | Problem {
  const content = read({ at, file, what, maxBytes: MAX_TEXT_BYTES });
  if (!Buffer.isBuffer(content)) return { message: content.message, hint: content.hint };
  // The final line feed, which editors add, is not sent.
  const text = content
    .toString()
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '');
  return text === '' ? { message: `the ${what} ${file} is empty` } : text;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/;

function readMedia(
  read: ReadNamedFile,
  at: Path,
  file: string,
  kind: MediaPart['kind'],
): MediaPart | Problem {
  const types = MEDIA_TYPES[kind];
  const known = `use a file that ends in ${Object.keys(types).join(', ')}, or a data: URL`;
  if (file.startsWith('data:')) {
    const [, mediaType, data] = DATA_URL.exec(file) ?? [];
    if (mediaType?.startsWith(`${kind}/`) && data !== undefined) return { kind, mediaType, data };
    return {
      message: `not a data: URL of ${kind} data in base64`,
      hint: `data:${Object.values(types)[0]};base64,...`,
    };
  }
  const mediaType = types[extname(file).toLowerCase()];
  if (mediaType === undefined) return { message: `unknown type of ${kind} file: ${file}`, hint: known };
  const content = read({ at, file, what: `${kind} file`, maxBytes: MAX_MEDIA_BYTES });
  if (!Buffer.isBuffer(content)) return { message: content.message, hint: content.hint };
  if (content.length === 0) return { message: `the ${kind} file ${file} is empty` };
  return { kind, mediaType, data: content.toString('base64') };
}
