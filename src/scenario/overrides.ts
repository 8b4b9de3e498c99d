import { parse } from 'yaml';
import { type Problem, UserError } from '../model/errors.ts';
import { suggest } from '../model/suggestions.ts';
import { cycleIn } from './scenario-source.ts';
import { formatPath, isWithin, mapScalars, type Path, valueAt } from './value-paths.ts';

/** A change that a flag makes to the document before it is checked. */
export interface Override {
  /**
   * Keys joined by dots, such as `load.concurrency`. A list item is given by its index or its name
   * (`targets.flash.model`); `*` means every item, `+` a new one. A key with dots is put in double quotes.
   */
  path: string;
  /** `undefined` removes the value. */
  value: unknown;
  /** The argument, such as `--set load.requests=40`: the place of problems with the value. */
  from: string;
}

/** An applied override, with its resolved path. */
export interface AppliedOverride {
  path: Path;
  from: string;
}

/** Parses `--set path=value`. The value is parsed as YAML. Throws a `UserError` (`usage`). */
export function parseOverride(text: string): Override {
  const at = text.indexOf('=');
  // The value may be a secret, so the place contains only the path.
  const from = `--set ${/apiKey|headers|url|proxy/.test(text) ? text.slice(0, at) : text}`;
  if (at < 1) {
    const hint = 'use path=value, such as load.requests=40';
    throw new UserError('usage', { message: 'the value is missing', place: { file: from }, hint });
  }
  const written = text.slice(at + 1);
  let value: unknown = written;
  try {
    const parsed: unknown = parse(written);
    // A YAML alias inside its own anchor would be an infinite value.
    if (cycleIn(parsed) === undefined) value = parsed;
  } catch {
    // Not valid YAML, such as a prompt with a colon: used as text.
  }
  return { path: text.slice(0, at), value, from };
}

/** Applies the overrides in order to a copy of the document. Adds failures to `problems`. */
export function applyOverrides(
  document: unknown,
  overrides: readonly Override[],
  problems: Problem[],
): { document: unknown; applied: AppliedOverride[] } {
  const root: Container = { '': mapScalars(document, (value) => value) ?? {} };
  const applied: AppliedOverride[] = [];
  const each = overrides.flatMap(({ path, ...rest }) =>
    everyItem(root[''], splitPath(path)).map((parts) => ({ ...rest, parts })),
  );
  for (const { parts, value, from } of each) {
    const spot = locate(root, parts);
    if ('message' in spot) {
      problems.push({ ...spot, place: { file: from } });
      continue;
    }
    if (value === undefined) {
      delete spot.holder[spot.key];
      continue;
    }
    spot.holder[spot.key] = mapScalars(value, (scalar) => scalar);
    applied.push({ path: spot.path, from });
  }
  return { document: root[''], applied };
}

// Expands `*` to one path for each item of the list.
function everyItem(root: unknown, parts: readonly string[]): (readonly string[])[] {
  const star = parts.indexOf('*');
  const list = star === -1 ? undefined : valueAt(root, parts.slice(0, star));
  if (!Array.isArray(list)) return [parts];
  return list.flatMap((_, index) =>
    everyItem(root, [...parts.slice(0, star), String(index), ...parts.slice(star + 1)]),
  );
}

type Container = Record<string | number, unknown>;

interface Spot {
  holder: Container;
  /** The last key of the path. */
  key: string | number;
  /** Names are resolved to indexes. */
  path: Path;
}

// The container of the last key, created if missing.
function locate(root: Container, parts: readonly string[]): Spot | Problem {
  if (parts.length === 0) return { message: 'the path is empty' };
  // Never a valid key; following it would modify object prototypes.
  if (parts.includes('__proto__')) return { message: 'unknown key __proto__' };
  const path: (string | number)[] = [];
  let holder = root;
  let last: string | number = '';
  for (const part of parts) {
    if (!Object.hasOwn(holder, last) || holder[last] === null) holder[last] = part === '+' ? [] : {};
    const inner: unknown = holder[last];
    if (typeof inner !== 'object' || inner === null) {
      return { message: `${formatPath(path)} is a single value and has no field ${part}` };
    }
    const key: string | number | undefined = Array.isArray(inner) ? itemIndex(inner, part) : part;
    if (key === undefined) {
      const names = (inner as unknown[]).map(nameOf).filter((name) => name !== undefined);
      return { message: `${formatPath(path)} has no item "${part}"`, hint: suggest(part, names) };
    }
    holder = inner as Container;
    last = key;
    path.push(key);
  }
  return { holder, key: last, path };
}

/** The last override that set the value at `path` or a value around it. */
export function overrideOf(path: Path, applied: readonly AppliedOverride[]): AppliedOverride | undefined {
  return applied.findLast((one) => isWithin(path, one.path));
}

function splitPath(path: string): string[] {
  return Array.from(path.matchAll(/"([^"]*)"|[^.[\]"]+/g), ([part, quoted]) => quoted ?? part);
}

function nameOf(item: unknown): string | undefined {
  const name = (item as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : undefined;
}

// The index after the last item is allowed; it adds an item.
function itemIndex(items: readonly unknown[], part: string): number | undefined {
  if (part === '+') return items.length;
  const named = items.findIndex((item) => nameOf(item) === part);
  if (named !== -1) return named;
  return /^\d+$/.test(part) && Number(part) <= items.length ? Number(part) : undefined;
}
