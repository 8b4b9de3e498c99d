import * as z from 'zod';
import type { ErrorCode } from '../../model/errors.ts';
import { DURATION_PATTERN, MAX_DURATION_MS, parseDuration } from '../size-and-duration.ts';

/**
 * The kinds of scenario fields. The error text of each says what is expected ("a whole number of at least 1");
 * `problems.ts` adds the place and the value found.
 */

/** Further details of an issue; an empty object if there are none. */
export interface CheckParams {
  /** What the user can do. */
  hint?: string;
  /** The known names, if the value is an unknown name. */
  names?: readonly string[];
  code?: ErrorCode;
}

/** The part of zod's context that a check uses. */
export interface IssueSink {
  addIssue(issue: { code: 'custom'; message: string; path?: PropertyKey[]; params: CheckParams }): void;
}

/** Runs a check also on a value whose parts have problems, so that all problems are reported together. */
export const ALWAYS = { when: () => true };

/** A non-empty text. */
export function text(expects = 'text') {
  return z.string({ error: expects }).min(1, { error: `${expects} that is not empty` });
}

/** A whole number of at least `min`. */
export function whole(min: number, max?: number) {
  const error =
    max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`;
  const field = z.int({ error }).min(min, { error });
  return max === undefined ? field : field.max(max, { error });
}

/** A whole number, also a negative one. */
export function integer() {
  return z.int({ error: 'a whole number' });
}

/** A share such as `35%`, parsed to a number from 0 to 1. */
export function share() {
  const error = 'a share from 0% to 100%, such as 35%';
  return z
    .string({ error })
    .regex(/^(100(\.0+)?|\d{1,2}(\.\d+)?)\s*%$/, { error })
    .transform((value) => Number.parseFloat(value) / 100);
}

/** A number of at least `min`, and at most `max` where one is given. */
export function number(min: number, max?: number) {
  const error = max === undefined ? `a number of at least ${min}` : `a number from ${min} to ${max}`;
  const field = z.number({ error }).min(min, { error });
  return max === undefined ? field : field.max(max, { error });
}

/** A number above 0. */
export function positive() {
  const error = 'a number above 0';
  return z.number({ error }).positive({ error });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** One of some words. */
export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` });
}

/** The expected value of a duration. Problems with this text get a hint to add a unit. */
export const A_DURATION = 'a duration such as 250ms, 10s or 1m30s';

/** A duration, parsed to milliseconds. `zero` allows 0. */
export function duration({ zero = false }: { zero?: boolean } = {}) {
  const limits = `a duration ${zero ? 'of' : 'of more than 0 and'} at most 24h`;
  return z
    .string({ error: A_DURATION })
    .refine(
      (value) => {
        const ms = parseDuration(value);
        return ms !== undefined && ms <= MAX_DURATION_MS && (zero || ms > 0);
      },
      { error: ({ input }) => (parseDuration(String(input)) === undefined ? A_DURATION : limits) },
    )
    .meta({ pattern: DURATION_PATTERN })
    .transform((value) => parseDuration(value) ?? Number.NaN);
}

/** A mapping with these keys and no others. For an unknown key, the issue's message is the list of known ones. */
export function mapping<T extends z.core.$ZodLooseShape>(shape: T) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys : `a mapping (${keys})`),
  });
}

/** A list with at least one item. */
export function list<T extends z.ZodType>(item: T, expects: string) {
  return z.array(item, { error: expects }).min(1, { error: `${expects}, with at least one item` });
}

/** A check for mappings: `max` is not less than `min`. */
export function boundsInOrder(value: unknown, context: IssueSink): void {
  const { min, max } = (value ?? {}) as { min?: unknown; max?: unknown };
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    context.addIssue({ code: 'custom', path: ['max'], message: 'max is less than min', params: {} });
  }
}

/** A check for lists: no two items have the same name. `what` says what the items are. */
export function distinctNames(what: string) {
  return (items: unknown, context: IssueSink) => {
    if (!Array.isArray(items)) return;
    const names = items.map((item: unknown) => (item as { name?: unknown } | null | undefined)?.name);
    for (const index of repeated(names)) {
      const message = `two ${what} have the name ${JSON.stringify(names[index])}`;
      context.addIssue({ code: 'custom', path: [index, 'name'], message, params: {} });
    }
  };
}

/** A check for lists: no item occurs twice. */
export function distinct(items: readonly unknown[], context: IssueSink): void {
  for (const index of repeated(items)) {
    const message = `${JSON.stringify(items[index])} occurs twice`;
    context.addIssue({ code: 'custom', path: [index], message, params: {} });
  }
}

function repeated(values: readonly unknown[]): number[] {
  return [...values.keys()].filter((index) => {
    const value = values[index];
    return value !== undefined && values.indexOf(value) < index;
  });
}
