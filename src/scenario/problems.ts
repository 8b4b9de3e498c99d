import { basename } from 'node:path';
import type * as z from 'zod';
import type { ErrorCode, Place, Problem } from '../model/errors.ts';
import { nearNames, suggest } from '../model/suggestions.ts';
import type { BrokenFile } from '../prompts/entry-bounds.ts';
import { excerpt } from '../wire/json.ts';
import { maskUrl } from './document.ts';
import { A_DURATION, type CheckParams } from './schema/fields.ts';
import { NESTED_KEYS } from './schema/scenario.ts';
import { formatPath, type Path, valueAt } from './value-paths.ts';

/** A problem at a path of the document, before it has a place in a file. */
export interface Finding {
  path: Path;
  /** Whether the place is that of the key or of the value. */
  at: 'key' | 'value';
  message: string;
  hint?: string;
  /** Where the problem is, if it is in another file than the scenario. */
  place?: Place;
  /** The code of the error, if all findings have the same one. */
  code?: ErrorCode;
}

/** A finding with its place. */
export type PlacedProblem = Problem & { code?: ErrorCode };

type Issue = z.core.$ZodIssue;

/** The text in place of a value from the environment; undefined for other values. */
type Show = (path: Path) => string | undefined;

/** A file that a scenario names: where, and how its entries are called. */
interface NamedEntries {
  at: Path;
  file: string;
  what: 'dataset' | 'trace';
  entries: readonly [one: string, many: string];
}

/** The listed problems of a file that a scenario names, and the number of the others. */
export function brokenFileFindings(
  { problems, more }: { problems: readonly BrokenFile[]; more: number },
  { at, file, what, entries: [one, many] }: NamedEntries,
): Finding[] {
  const found = problems.map(
    ({ cause, remedy, line }): Finding => ({
      path: at,
      at: 'value',
      message: line === undefined ? `the ${what} ${file}: ${cause}` : cause,
      hint: remedy,
      place: line === undefined ? undefined : { file, line },
    }),
  );
  if (more > 0) {
    const others = more === 1 ? `1 more ${one} is` : `${more} more ${many} are`;
    found.push({ path: at, at: 'value', message: `the ${what} ${basename(file)}: ${others} broken` });
  }
  return found;
}

/** Converts zod's issues to findings. `written` gives the text in place of a value that must not be shown. */
export function findingsOf(issues: readonly Issue[], root: unknown, written: Show): Finding[] {
  return issues.flatMap((issue) => findings(issue, [], root, written));
}

function findings(issue: Issue, prefix: Path, root: unknown, written: Show): Finding[] {
  const path: Path = [...prefix, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], issue.message.split(', ')));
    case 'invalid_union': {
      // Reports the issues of the only branch whose type matches.
      const meant = issue.errors.filter(
        (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
      );
      const [branch] = meant;
      if (meant.length === 1 && branch !== undefined) {
        return branch.flatMap((inner) => findings(inner, path, root, written));
      }
      return [unexpected(path, issue.message, root, written)];
    }
    case 'invalid_key': {
      const expects = issue.issues[0]?.message ?? issue.message;
      const key = JSON.stringify(path.at(-1));
      return [
        { path, at: 'key', message: `${formatPath(path.slice(0, -1))}: expected ${expects}, got ${key}` },
      ];
    }
    case 'custom':
      return [custom(path, issue, root, written)];
    case 'invalid_value':
      return [unexpected(path, issue.message, root, written, issue.values.map(String))];
    case 'invalid_type':
    case 'too_big':
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
      return [unexpected(path, issue.message, root, written)];
    default:
      return issue satisfies never;
  }
}

function unknownKey(path: Path, known: readonly string[]): Finding {
  const key = String(path.at(-1));
  const home = path.length === 1 && Object.keys(NESTED_KEYS).find((name) => NESTED_KEYS[name]?.includes(key));
  const hint = home ? `it belongs under ${home}` : suggest(key, known);
  return { path, at: 'key', message: `unknown key ${formatPath(path)}`, hint };
}

function custom(path: Path, issue: Issue & { code: 'custom' }, root: unknown, written: Show): Finding {
  // The message of a check without parameters says what is expected, as those of the types do.
  if (issue.params === undefined) return unexpected(path, issue.message, root, written);
  const { hint, names, code } = issue.params as CheckParams;
  if (names === undefined) {
    const message = `${path.length === 0 ? '' : `${formatPath(path)}: `}${issue.message}`;
    return { path, at: 'value', message, hint };
  }
  return {
    path,
    at: 'value',
    message: `${formatPath(path)}: ${issue.message} ${shown(path, root, written)}`,
    hint:
      written(path) === undefined
        ? suggest(String(valueAt(root, path)), names)
        : `known: ${names.join(', ')}`,
    code,
  };
}

function unexpected(path: Path, expects: string, root: unknown, written: Show, words?: string[]): Finding {
  const value = valueAt(root, path);
  const label = formatPath(path) || 'the scenario';
  if (value === undefined) {
    const parent = path.slice(0, -1);
    const message = `${formatPath(parent) || 'the scenario'} has no ${path.at(-1)}`;
    return { path: parent, at: 'key', message, hint: `expected ${path.at(-1)}: ${expects}` };
  }
  const message = `${label}: expected ${expects}, got ${shown(path, root, written)}`;
  return { path, at: 'value', message, hint: advice(value, expects, written(path), words) };
}

function advice(value: unknown, expects: string, written?: string, words?: string[]): string | undefined {
  if (written !== undefined) return undefined;
  if (value === null) return 'add a value, or remove the key';
  if (typeof value === 'number' && expects.startsWith(A_DURATION)) {
    return `add a unit: ${value}s or ${value}ms`;
  }
  if (typeof value === 'string' && words !== undefined) {
    const near = nearNames(value, words);
    return near.length === 0 ? undefined : `did you mean ${near.map((word) => `"${word}"`).join(' or ')}?`;
  }
  if ((typeof value === 'number' || typeof value === 'boolean') && /^(text|the key|a URL)/.test(expects)) {
    return 'use quotes to make it text';
  }
  return undefined;
}

// Keys and header values are never shown.
function isHidden(path: Path): boolean {
  return path[0] === 'targets' && (path.at(-1) === 'apiKey' || path[2] === 'headers');
}

function shown(path: Path, root: unknown, written: Show): string {
  const value = valueAt(root, path);
  const reference = written(path);
  if (reference !== undefined) return `the value of ${reference}`;
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (isHidden(path) && value !== '') {
    return typeof value === 'string' ? 'another text' : `a ${typeof value}`;
  }
  return typeof value === 'string' ? JSON.stringify(excerpt(maskUrl(value), 60)) : String(value);
}
