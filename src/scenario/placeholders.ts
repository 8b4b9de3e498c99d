import { suggest } from '../model/suggestions.ts';
import { PLACEHOLDERS, unknownPlaceholders, writtenPlaceholders } from '../wire/template.ts';
import { withBody } from './bodies.ts';
import type { Finding } from './problems.ts';
import type { Scenario } from './schema/scenario.ts';
import { type ScenarioTarget, targetSchema } from './schema/target.ts';
import { sendsPrompt } from './unique.ts';
import { mapScalars, type Path, valueAt } from './value-paths.ts';

/** Checks the placeholders in bodies and queries. */

/** The problems of the placeholders in each valid target, also if other targets are invalid. */
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

/** Unquoted placeholders in a mapping: YAML reads `{{name}}` as a mapping with a mapping as key. */
function unquotedIn(body: unknown, index: number): Finding[] {
  const found: Finding[] = [];
  mapScalars(body, (value, path) => {
    const at = path.findIndex((part) => /^\{ \w+ \}$/.test(String(part)));
    if (at !== -1) {
      const name = String(path[at]).slice(2, -2);
      found.push({
        path: ['targets', index, 'body', ...path.slice(0, at)],
        at: 'value',
        message: `the placeholder {{${name}}} needs quotes`,
        hint: `use "{{${name}}}"; a value that is not text is sent without quotes`,
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

/** Conflicts between the targets' bodies and queries and the prompts. The parts of the scenario are valid. */
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
  /** The field to change. */
  key: 'body' | 'url' | 'method' | 'extra';
  message: string;
  hint: string;
}

function problemsOf(target: ScenarioTarget, prompts: Scenario['prompts']): TargetProblem[] {
  const { name, url = '', body, method, model, profile } = target;
  const found: TargetProblem[] = [];
  if (/^[^?]*\{\{/.test(url)) {
    found.push({
      key: 'url',
      message: 'a placeholder outside the query of the URL',
      hint: 'use placeholders after the ? only, such as ?q={{prompt}}',
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
  const endless = prompts.find((prompt) => !hasLimit(prompt));
  if (written.has('maxTokens') && endless !== undefined) {
    found.push({
      key,
      message: `{{maxTokens}} has no value for prompt ${JSON.stringify(endless.name)}`,
      hint: 'add maxTokens to the prompt, or replace the placeholder by a number',
    });
  }
  if (written.has('model') && model === undefined && profile === undefined) {
    found.push({
      key,
      message: '{{model}} has no value, because the target has no model',
      hint: 'add a model to the target, or replace the placeholder by its name',
    });
  }
  return found;
}

/** True if every request of the prompt has a limit for its answer. The entries of a dataset need not have one. */
function hasLimit({ maxTokens, synthetic, mix = [] }: Scenario['prompts'][number]): boolean {
  if (maxTokens !== undefined || synthetic?.output !== undefined) return true;
  return (
    mix.length > 0 &&
    mix.every((part) => part.maxTokens !== undefined || part.synthetic?.output !== undefined)
  );
}

const REMEDIES = {
  get: {
    key: 'method',
    hint: 'a GET has no body: put {{prompt}} in the query, such as ?q={{prompt}}, or keep one prompt',
  },
  body: { key: 'body', hint: 'put {{prompt}} or {{messages}} in the body, or keep one prompt' },
  extra: { key: 'extra', hint: 'remove from extra what replaces the prompt, or keep one prompt' },
} as const;

/** The first two prompts that give the same request, because the target does not send their text. */
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
