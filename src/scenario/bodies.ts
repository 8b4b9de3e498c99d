import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { mapScalars, valueAt } from './paths.ts';
import type { Finding } from './problems.ts';
import { nearbyFiles } from './prompts.ts';
import type { ScenarioTarget } from './target-schema.ts';

/** Request bodies that a scenario writes by hand: where their text is. */

/** The largest file that a body may come from. */
export const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

/** A body as the command line has it (`--body`): a file's path begins where the user is, not where the scenario is. */
export function bodyFlag(text: string): string {
  const file = fileOf(text);
  return file === undefined ? text : `@${resolve(file)}`;
}

/** What reading the bodies' files gave. */
export interface BodyFiles {
  /** By the body as the scenario gives it, such as `@body.json`. */
  texts: ReadonlyMap<string, string>;
  findings: Finding[];
}

/** Reads the file of every target in a document whose body is one; `folder` is where relative paths begin. */
export function readBodies(document: unknown, folder: string): BodyFiles {
  const texts = new Map<string, string>();
  const findings: Finding[] = [];
  const targets = valueAt(document, ['targets']);
  for (const index of Array.isArray(targets) ? targets.keys() : []) {
    const body = valueAt(targets, [index, 'body']);
    const file = typeof body === 'string' ? fileOf(body) : undefined;
    if (file === undefined || texts.has(body as string)) continue;
    const read = readBody(resolve(folder, file));
    if ('text' in read) texts.set(body as string, read.text);
    else findings.push({ path: ['targets', index, 'body'], at: 'value', ...read });
  }
  return { texts, findings };
}

/** The body itself, where a target has it in a file. */
export function withBody(target: ScenarioTarget, texts: ReadonlyMap<string, string>): ScenarioTarget {
  const { body } = target;
  return body === undefined ? target : { ...target, body: texts.get(body) ?? body };
}

/** The document with its bodies in place of their files' names: what is sent counts, not where it was kept. */
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

function readBody(path: string): { text: string } | { message: string; hint?: string } {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return { message: `the body file ${path} is not a regular file` };
    if (stat.size > BODY_LIMIT_BYTES) {
      return { message: `the body file ${path} is larger than ${BODY_LIMIT_BYTES / 2 ** 20} MiB` };
    }
    // As it is, byte-order mark included: a byte that is not UTF-8 would be sent as another one.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
    return text === '' ? { message: `the body file ${path} is empty` } : { text };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      const near = nearbyFiles(path);
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : undefined;
      return { message: `there is no body file ${path}`, hint };
    }
    if (error instanceof TypeError) return { message: `the body file ${path} is not UTF-8 text` };
    return { message: `cannot read the body file ${path} (${code ?? error})` };
  }
}
