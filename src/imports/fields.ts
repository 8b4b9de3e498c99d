import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';
import type { Json } from './source-file.ts';

/** Where a value stands, for errors. */
export interface FieldPlace {
  file: string;
  line?: number;
  /** The tool, as in `AIPerf`. */
  tool: string;
}

/** The error for a value that a tool's file lacks, or holds in another form. */
export function unexpected({ file, line, tool }: FieldPlace, message: string): UserError {
  return new UserError('results_invalid', {
    message,
    place: { file, line },
    hint: `the file may be of a version of ${tool} that streambench does not read; docs/other-tools.md lists those that it reads`,
  });
}

/** The object of that name. */
export function objectAt(value: Json, name: string, place: FieldPlace): Json {
  const found = value[name];
  if (isObject(found)) return found;
  throw unexpected(place, `"${name}" is ${kindOf(found)}, not an object`);
}

/** The list of that name. */
export function listAt(value: Json, name: string, place: FieldPlace): unknown[] {
  const found = value[name];
  if (Array.isArray(found)) return found;
  throw unexpected(place, `"${name}" is ${kindOf(found)}, not a list`);
}

/** The number of that name. */
export function numberAt(value: Json, name: string, place: FieldPlace): number {
  const found = optionalNumber(value, name, place);
  if (found !== undefined) return found;
  throw unexpected(place, `"${name}" is missing`);
}

/** The number of that name; undefined where it is absent or null. */
export function optionalNumber(value: Json, name: string, place: FieldPlace): number | undefined {
  const found = value[name];
  if (found === undefined || found === null) return undefined;
  if (typeof found === 'number' && Number.isFinite(found)) return found;
  throw unexpected(place, `"${name}" is ${kindOf(found)}, not a number`);
}

/** A list of numbers. */
export function numbersIn(values: unknown, name: string, place: FieldPlace): number[] {
  if (!Array.isArray(values)) throw unexpected(place, `"${name}" is ${kindOf(values)}, not a list`);
  const wrong = values.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value));
  if (wrong === -1) return values as number[];
  throw unexpected(place, `"${name}" has ${kindOf(values[wrong])} at position ${wrong}, not a number`);
}

/** The object; an error where it is another value. */
export function asObject(value: unknown, what: string, place: FieldPlace): Json {
  if (isObject(value)) return value;
  throw unexpected(place, `${what} is ${kindOf(value)}, not an object`);
}

/** The text of that name; undefined without one. */
export function optionalText(value: Json, name: string): string | undefined {
  const found = value[name];
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
