import type { ErrorEvent, UnknownEvent } from '../model/events.ts';
import type { Frame } from './framing.ts';

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

/** A whole number of at least 0, such as a token count or an index. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** The text of a JSON value as tool arguments travel: text stays, an object is written as JSON. */
export function asArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** The parsed value, or undefined when `text` is not JSON. (JSON has no undefined, so the two cannot be mixed up.) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The event for a payload that cannot be read: cut off at the end of the stream, or broken. */
export function unreadable(frame: Frame, expected: string): ErrorEvent | UnknownEvent {
  if (frame.incomplete) return { type: 'unknown', name: 'incomplete', data: frame.data };
  return { type: 'error', malformed: true, message: `expected ${expected}, got: ${excerpt(frame.data)}` };
}

/** The beginning of a text, on one line, for a message. */
export function excerpt(text: string, length = 120): string {
  const line = text.slice(0, length).replaceAll(/\s+/g, ' ').trim();
  return text.length > length ? `${line}…` : line;
}

/** A copy without the keys whose value is undefined. */
export function compact<T extends object>(object: T): T {
  const copy = { ...object };
  for (const key of Object.keys(copy) as (keyof T)[]) {
    if (copy[key] === undefined) delete copy[key];
  }
  return copy;
}
