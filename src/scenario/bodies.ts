import { resolve } from 'node:path';
import type { Problem } from '../model/errors.ts';
import type { ReadNamedFile } from './files.ts';
import type { Finding } from './problems.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { mapScalars, type Path, valueAt } from './value-paths.ts';

/** The request bodies of targets, and the files that contain them. */

/** Maximum size of a body file. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

/** The value of `--body`. A relative file path starts at the working directory, not at the scenario's folder. */
export function bodyFlag(text: string): string {
  const file = fileOf(text);
  return file === undefined ? text : `@${resolve(file)}`;
}

/** The body files of the targets. */
interface BodyFiles {
  /** By the body in the scenario, such as `@body.json`. */
  texts: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the body files of all targets in a document. */
export function readBodies(document: unknown, read: ReadNamedFile): BodyFiles {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const targets = valueAt(document, ['targets']);
  for (const index of Array.isArray(targets) ? targets.keys() : []) {
    const at: Path = ['targets', index, 'body'];
    const body = valueAt(document, at);
    const file = typeof body === 'string' ? fileOf(body) : undefined;
    if (file === undefined || texts.has(body as string)) continue;
    const content = read({ at, file, what: 'body file', maxBytes: BODY_LIMIT_BYTES });
    const text = Buffer.isBuffer(content) ? bodyText(content, file) : content;
    if (typeof text === 'string') texts.set(body as string, text);
    else findings.push({ path: at, at: 'value', message: text.message, hint: text.hint });
  }
  return { texts, findings };
}

/** The target, with the text of its body file. */
export function withBody(target: ScenarioTarget, texts: ReadonlyMap<string, string>): ScenarioTarget {
  const { body } = target;
  return body === undefined ? target : { ...target, body: texts.get(body) ?? body };
}

/** The document with the texts of its body files, so that its hash depends on what is sent. */
export function withBodyTexts(document: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (texts.size === 0) return document;
  return mapScalars(document, (value, path) =>
    path[0] === 'targets' && path[2] === 'body' && path.length === 3
      ? (texts.get(String(value)) ?? value)
      : value,
  );
}

function fileOf(body: string): string | undefined {
  return body.startsWith('@') && body.length > 1 ? body.slice(1) : undefined;
}

// Unchanged, including a byte-order mark. Invalid UTF-8 is an error, because it would be sent as other bytes.
function bodyText(content: Buffer, file: string): string | Problem {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    return text === '' ? { message: `the body file ${file} is empty` } : text;
  } catch {
    return { message: `the body file ${file} is not UTF-8 text` };
  }
}
