import { parse } from 'yaml';
import { type Problem, UserError } from '../model/errors.ts';
import { suggest } from '../model/suggestions.ts';
import { cycleIn } from './scenario-source.ts';
import { formatPath, isWithin, mapScalars, type Path, valueAt } from './value-paths.ts';

/** An edit of the document, made by a flag before the document is checked. */
export interface Override {
  /**
   * Where: keys joined by dots, such as `load.concurrency`. An item of a list is named by its index or, where it
   * has one, by its name: `targets.flash.model`; `*` means every item, `+` one more. A key that holds dots goes in double quotes.
   */
  path: string;
  /** `undefined` takes away what is there. */
  value: unknown;
  /** What the user wrote, such as `--set load.requests=40`: the place of any problem with the value. */
  from: string;
}

/** An override that was carried out: the path that it meant. */
export interface AppliedOverride {
  path: Path;
  from: string;
}

/** The override that `--set path=value` asks for. The value is read as YAML. Throws a `UserError` (`usage`). */
export function parseOverride(text: string): Override {
  const at = text.indexOf('=');
  // What is set may be a key: then the place names the path alone.
  const from = `--set ${/apiKey|headers|url|proxy/.test(text) ? text.slice(0, at) : text}`;
  if (at < 1) {
    const hint = 'write path=value, such as load.requests=40';
    throw new UserError('usage', { message: 'this sets nothing', place: { file: from }, hint });
  }
  const written = text.slice(at + 1);
  let value: unknown = written;
  try {
    const parsed: unknown = parse(written);
    // An alias inside of its own anchor: such a value has no end.
    if (cycleIn(parsed) === undefined) value = parsed;
  } catch {
    // Not YAML, such as a prompt with a colon in it: the text as it stands.
  }
  return { path: text.slice(0, at), value, from };
}

/** A copy of the document with the overrides carried out, later ones last. What cannot be goes to `problems`. */
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
      delete spot.holder[spot.path.at(-1)!];
      continue;
    }
    spot.holder[spot.path.at(-1)!] = mapScalars(value, (scalar) => scalar);
    applied.push({ path: spot.path, from });
  }
  return { document: root[''], applied };
}

// `*` stands for every item of a list: the path is carried out once for each.
function everyItem(root: unknown, parts: readonly string[]): (readonly string[])[] {
  const star = parts.indexOf('*');
  const list = star === -1 ? undefined : valueAt(root, parts.slice(0, star));
  if (!Array.isArray(list)) return [parts];
  return list.flatMap((_, index) =>
    everyItem(root, [...parts.slice(0, star), String(index), ...parts.slice(star + 1)]),
  );
}

type Container = Record<string | number, unknown>;

// The container that a path ends in, made where it was missing, and the path with names turned into indexes.
function locate(root: Container, parts: readonly string[]): { holder: Container; path: Path } | Problem {
  if (parts.length === 0) return { message: 'the path is empty' };
  // Not a key of any document, and on the way there it would lead out of this one.
  if (parts.includes('__proto__')) return { message: 'unknown key __proto__' };
  const path: (string | number)[] = [];
  let holder = root;
  let last: string | number = '';
  for (const part of parts) {
    if (!Object.hasOwn(holder, last) || holder[last] === null) holder[last] = part === '+' ? [] : {};
    const inner: unknown = holder[last];
    if (typeof inner !== 'object' || inner === null) {
      return { message: `${formatPath(path)} is a single value, so there is no ${part} in it` };
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
  return { holder, path };
}

/** The last override that gave, or made room for, what is at `path`. */
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

// The index just behind the last item is good too: that is how one is added.
function itemIndex(items: readonly unknown[], part: string): number | undefined {
  if (part === '+') return items.length;
  const named = items.findIndex((item) => nameOf(item) === part);
  if (named !== -1) return named;
  return /^\d+$/.test(part) && Number(part) <= items.length ? Number(part) : undefined;
}
