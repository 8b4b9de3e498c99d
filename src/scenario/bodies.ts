import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggest } from '../model/names.ts';
import { PLACEHOLDERS, unknownPlaceholders, writtenPlaceholders } from '../wire/template.ts';
import { mapScalars, type Path, valueAt } from './paths.ts';
import type { Finding } from './problems.ts';
import { nearbyFiles } from './prompts.ts';
import type { Scenario } from './schema.ts';
import { type ScenarioTarget, targetSchema } from './target-schema.ts';
import { sendsPrompt } from './unique.ts';

/** Request bodies that a scenario writes by hand: their files, and whether they can be filled. */

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

/** What is wrong with the placeholders of each target that can be read, whatever is wrong with the others. */
export function placeholderFindings(document: unknown, texts: ReadonlyMap<string, string>): Finding[] {
  const targets = valueAt(document, ['targets']);
  return (Array.isArray(targets) ? targets : []).flatMap((raw, index) => {
    const target = targetSchema.safeParse(raw);
    if (!target.success) return [];
    const unquoted = unquotedIn(valueAt(raw, ['body']), index);
    if (unquoted.length > 0) return unquoted;
    return unknownIn(raw, withBody(target.data, texts)).map(
      ({ path, name, where }): Finding => ({
        path: ['targets', index, ...path],
        at: 'value',
        message: `unknown placeholder {{${name}}}${where}`,
        hint: suggest(name, PLACEHOLDERS),
      }),
    );
  });
}

/** Placeholders of a mapping that were written without quotes: YAML takes `{{name}}` for a mapping that is a key. */
function unquotedIn(body: unknown, index: number): Finding[] {
  const found: Finding[] = [];
  mapScalars(body, (value, path) => {
    const at = path.findIndex((part) => /^\{ \w+ \}$/.test(String(part)));
    if (at !== -1) {
      const name = String(path[at]).slice(2, -2);
      found.push({
        path: ['targets', index, 'body', ...path.slice(0, at)],
        at: 'value',
        message: `the placeholder {{${name}}} has no quotes`,
        hint: `write "{{${name}}}": a value that is not text is sent without the quotes`,
      });
    }
    return value;
  });
  return found;
}

interface Unknown {
  path: Path;
  name: string;
  where: string;
}

function unknownIn(raw: unknown, { url = '', body = '' }: ScenarioTarget): Unknown[] {
  const found: Unknown[] = unknownPlaceholders(url).map((name) => ({ path: ['url'], name, where: '' }));
  const written = valueAt(raw, ['body']);
  if (typeof written === 'string') {
    const where = written === body ? '' : ` in ${written.slice(1)}`;
    found.push(...unknownPlaceholders(body).map((name) => ({ path: ['body'], name, where })));
  } else {
    mapScalars(written, (value, path) => {
      const names = unknownPlaceholders(String(value));
      found.push(...names.map((name) => ({ path: ['body', ...path], name, where: '' })));
      return value;
    });
  }
  return found;
}

/** What does not fit between the targets' own bodies and queries, and the prompts. The scenario's parts are valid. */
export function templateFindings({ targets, prompts }: Scenario): Finding[] {
  return targets.flatMap((target, index) =>
    problemsOf(target, prompts).map(
      ({ key, ...found }): Finding => ({
        path: ['targets', index, ...(target[key] === undefined ? [] : [key])],
        at: 'value',
        ...found,
      }),
    ),
  );
}

interface TargetProblem {
  /** The field where it can be mended. */
  key: 'body' | 'url' | 'method' | 'extra';
  message: string;
  hint: string;
}

function problemsOf(target: ScenarioTarget, prompts: Scenario['prompts']): TargetProblem[] {
  const { name, url = '', body, method, model, profile } = target;
  const found: TargetProblem[] = [];
  if (url.split('?', 1)[0]!.includes('{{')) {
    found.push({
      key: 'url',
      message: 'a placeholder before the query of the URL',
      hint: 'placeholders of a URL go behind the ?, such as ?q={{prompt}}',
    });
  }
  const alike = alikeOf(target, prompts);
  if (alike !== undefined) {
    const [first, second] = alike.map((prompt) => JSON.stringify(prompt.name));
    found.push({
      ...REMEDIES[method === 'GET' ? 'get' : body === undefined ? 'extra' : 'body'],
      message: `prompts ${first} and ${second} send the same request to target ${JSON.stringify(name)}`,
    });
  }
  const written = writtenPlaceholders(target);
  const key = body === undefined || method === 'GET' ? 'url' : 'body';
  const endless = prompts.find(({ maxTokens }) => maxTokens === undefined);
  if (written.has('maxTokens') && endless !== undefined) {
    found.push({
      key,
      message: `{{maxTokens}} has no value for prompt ${JSON.stringify(endless.name)}`,
      hint: 'give the prompt maxTokens, or write a number instead of the placeholder',
    });
  }
  if (written.has('model') && model === undefined && profile === undefined) {
    found.push({
      key,
      message: '{{model}} has no value, because the target has no model',
      hint: 'give the target a model, or write its name instead of the placeholder',
    });
  }
  return found;
}

const REMEDIES = {
  get: {
    key: 'method',
    hint: 'a GET sends no body: put {{prompt}} in the query, such as ?q={{prompt}}, or leave one prompt',
  },
  body: { key: 'body', hint: 'put {{prompt}} or {{messages}} in the body, or leave one prompt' },
  extra: { key: 'extra', hint: 'take out of extra what replaces the prompt, or leave one prompt' },
} as const;

/** The first two prompts of which a target sends the same, because it sends none of their words. */
function alikeOf(target: ScenarioTarget, prompts: Scenario['prompts']): Scenario['prompts'] | undefined {
  if (prompts.length < 2 || sendsPrompt(target)) return undefined;
  const ownBody = target.body === undefined && target.method !== 'GET';
  const limited = ownBody || writtenPlaceholders(target).has('maxTokens');
  for (const [index, prompt] of prompts.entries()) {
    const other = prompts
      .slice(index + 1)
      .find(({ maxTokens }) => !limited || maxTokens === prompt.maxTokens);
    if (other !== undefined) return [prompt, other];
  }
  return undefined;
}
