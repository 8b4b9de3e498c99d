/** Durations as people write them: `250ms`, `10s`, `1m30s`. Inside the program they are milliseconds. */

const NUMBER = String.raw`\d+(?:\.\d+)?`;

/** What a duration looks like, as the source of a regular expression: hours, minutes, seconds, milliseconds, in that order. */
export const DURATION_PATTERN = `^(?=\\d)(?:${NUMBER}h)?(?:${NUMBER}m(?!s))?(?:${NUMBER}s)?(?:${NUMBER}ms)?$`;

/** The longest duration that is accepted, in ms: a day. Timers of the platform overflow at 24.8 days. */
export const MAX_DURATION_MS = 86_400_000;

const SHAPE = new RegExp(DURATION_PATTERN);
const PART = /(\d+(?:\.\d+)?)(ms|h|m|s)/g;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration such as `250ms`, `10s` or `1m30s`; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(PART)) sum += Number(amount) * UNIT_MS[unit!]!;
  return sum;
}
