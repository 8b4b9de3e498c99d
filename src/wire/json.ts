import type { ErrorEvent, UnknownEvent } from '../model/events.ts';
import type { Frame } from './framing/frame.ts';

/**
 * `target` with `patch` applied as a JSON Merge Patch (RFC 7396): objects are merged at any depth, `null` removes what is
 * there, and anything else, lists included, takes its place.
 */
export function mergePatch(target: Json, patch: Json): Json {
  return merge(target, patch, false);
}

/** One patch that does what `first` and then `second` would do. Its nulls stay: they still remove. */
export function joinPatches(first: Json | undefined, second: Json | undefined): Json | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return merge(first, second, true);
}

function merge(target: Json, patch: Json, keepNulls: boolean): Json {
  // A map, because a key named __proto__ must stay a key.
  const merged = new Map<string, unknown>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const inner = asObject(value);
    if (value === null && !keepNulls) merged.delete(key);
    else if (inner === undefined) merged.set(key, value);
    // An object in the patch may hold nulls of its own, also where it meets nothing to merge with.
    else merged.set(key, merge(asObject(merged.get(key)) ?? {}, inner, keepNulls));
  }
  return Object.fromEntries(merged);
}

/**
 * The deepest nesting of JSON that is read. `JSON.parse` takes any depth, but `JSON.stringify`, `structuredClone` and
 * every recursive reader overflow the stack somewhere above 1,000 levels. Real answers are nested less than 20 deep.
 */
export const MAX_JSON_DEPTH = 512;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** True when brackets and braces outside of strings are nested deeper than `MAX_JSON_DEPTH`. Linear, no recursion. */
export function isTooDeep(text: string): boolean {
  // HOT PATH: every level takes two characters, so an ordinary event is not looked at.
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

/** The place of the quote that ends the string which begins at `start`; the length of the text where none does. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

/** Reading other people's JSON: each function takes anything and answers with the type it names, or undefined. */

/** A JSON object of unknown shape. */
export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A string that is not empty. Providers send `""` and `null` for "nothing here". */
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

/** The text of a JSON value as tool arguments travel: text stays, an object is written as JSON. */
export function asArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : jsonText(value);
}

/** A decoded value as JSON again. `JSON.parse` reads any depth, `JSON.stringify` only as deep as the stack is. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deeply to show)';
  }
}

/**
 * The parsed value, or undefined when `text` is not JSON, or is nested deeper than `MAX_JSON_DEPTH`: whoever walks a value
 * from here needs no limit of its own. (JSON has no undefined, so the two cannot be mixed up.)
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The event for a payload that cannot be read: cut off at the end of the stream, or broken. */
export function unreadable(frame: Frame, expected: string): ErrorEvent | UnknownEvent {
  if (frame.incomplete) return { type: 'unknown', name: 'incomplete', data: frame.data };
  const what = isTooDeep(frame.data)
    ? `the JSON is nested deeper than ${MAX_JSON_DEPTH} levels`
    : `expected ${expected}, got`;
  return { type: 'error', malformed: true, message: `${what}: ${excerpt(frame.data)}` };
}

/** The beginning of a text, on one line, for a message. */
export function excerpt(text: string, length = 120): string {
  const line = text.slice(0, length).replaceAll(/\s+/g, ' ').trim();
  return text.length > length ? `${line}…` : line;
}

/** A copy without the keys whose value is undefined. Adding keys keeps objects fast; deleting them would not. */
export function compact<T extends object>(object: T): T {
  const copy = {} as T;
  for (const key in object) if (object[key] !== undefined) copy[key] = object[key];
  return copy;
}

/** A path such as `choices.0.delta.content` as its keys. */
export function pathKeys(path: string): string[] {
  return path.split('.').filter((key) => key !== '');
}

/** The value at a path of object keys and array indexes; undefined where the path leads nowhere. */
export function atPath(value: unknown, keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Json)[key];
  }
  return at;
}

/** The smallest value that has `leaf` at that path: numbers in the path make arrays. */
export function withPath(keys: readonly string[], leaf: unknown): unknown {
  return keys.reduceRight((inner, key) => {
    if (!/^\d+$/.test(key)) return { [key]: inner };
    const list: unknown[] = Array.from({ length: Number(key) + 1 }, () => null);
    list[Number(key)] = inner;
    return list;
  }, leaf);
}
