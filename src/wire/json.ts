import type { ErrorEvent, UnknownEvent } from '../model/events.ts';
import { isObject } from '../model/json-object.ts';
import type { Frame } from './framing/frame.ts';

/**
 * `target` with `patch` applied as a JSON Merge Patch (RFC 7396): objects are merged at any depth, `null` removes a field,
 * and any other value, lists included, replaces it. Fields whose value is undefined are skipped.
 */
export function mergePatch(target: Json, patch: Json): Json {
  return merge(target, patch, false);
}

/** One patch with the effect of applying `first`, then `second`. Nulls are kept: they still remove fields. */
export function joinPatches(first: Json | undefined, second: Json | undefined): Json | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return merge(first, second, true);
}

function merge(target: Json, patch: Json, keepNulls: boolean): Json {
  // A Map, so that `__proto__` is an ordinary key.
  const merged = new Map<string, unknown>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const inner = asObject(value);
    if (value === undefined) continue;
    if (value === null && !keepNulls) merged.delete(key);
    else if (inner === undefined) merged.set(key, value);
    // Nulls inside a nested object also remove, even if the target has no such object.
    else merged.set(key, merge(asObject(merged.get(key)) ?? {}, inner, keepNulls));
  }
  return Object.fromEntries(merged);
}

/**
 * The deepest JSON nesting that is parsed. `JSON.parse` accepts any depth, but `JSON.stringify`, `structuredClone` and
 * recursive functions overflow the stack above some 1,000 levels. Real answers have fewer than 20 levels.
 */
export const MAX_JSON_DEPTH = 512;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** True if brackets and braces outside strings are nested deeper than `MAX_JSON_DEPTH`. Linear time, no recursion. */
export function isTooDeep(text: string): boolean {
  // HOT PATH: a level takes at least two characters, so typical events are not scanned.
  if (text.length <= 2 * MAX_JSON_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
  }
  return false;
}

/** Index of the quote that closes the string starting at `start`; the text's length if it is not closed. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

// Reading JSON of unknown shape: each function takes any value and returns the type in its name, or undefined.

/** A JSON object of unknown shape. */
export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json | undefined {
  return isObject(value) ? value : undefined;
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A string that is not empty. Providers send `""` and `null` for missing values. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A whole number from 0 to 2^53 - 1, such as a token count or an index. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A finite number of any kind. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Tool arguments as JSON text: a string is returned unchanged, any other value is encoded. */
export function asArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : encodeJson(value);
}

/** Encodes a value as JSON. Never throws: `JSON.stringify` does for values that `JSON.parse` can return, if nested deeply. */
export function encodeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deeply to show)';
  }
}

/**
 * The parsed value; undefined if `text` is not JSON, or is nested deeper than `MAX_JSON_DEPTH`. Recursive readers of the
 * value need no depth limit of their own. JSON has no undefined, so the result is unambiguous.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The event for a payload that cannot be decoded: truncated at the end of the stream, or malformed. */
export function unreadable(frame: Frame, expected: string): ErrorEvent | UnknownEvent {
  if (frame.incomplete) return { type: 'unknown', name: 'incomplete', data: frame.data };
  const what = isTooDeep(frame.data)
    ? `the JSON is nested deeper than ${MAX_JSON_DEPTH} levels`
    : `expected ${expected}, got`;
  return { type: 'error', malformed: true, message: `${what}: ${excerpt(frame.data)}` };
}

/** The start of a text, on one line, for use in a message. */
export function excerpt(text: string, length = 120): string {
  const line = text.slice(0, length).replaceAll(/\s+/g, ' ').trim();
  return text.length > length ? `${line}…` : line;
}

/** A copy without the fields whose value is undefined, for spreading over defaults. */
export function definedFields<T extends object>(object: T): T {
  const copy = {} as T;
  for (const key in object) if (object[key] !== undefined) copy[key] = object[key];
  return copy;
}

/** Splits a path such as `choices.0.delta.content` into its keys. */
export function pathKeys(path: string): string[] {
  return path.split('.').filter((key) => key !== '');
}

/** The value at a path of object keys and array indexes; undefined if there is none. */
export function atPath(value: unknown, keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Json)[key];
  }
  return at;
}

/** The smallest value with `leaf` at that path. Numbers in the path create arrays. */
export function withPath(keys: readonly string[], leaf: unknown): unknown {
  return keys.reduceRight((inner, key) => {
    if (!/^\d+$/.test(key)) return { [key]: inner };
    const list: unknown[] = Array.from({ length: Number(key) + 1 }, () => null);
    list[Number(key)] = inner;
    return list;
  }, leaf);
}
