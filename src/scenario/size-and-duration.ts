/** Sizes as people write them: `16MB`, `64KiB`, `1500B`. Inside the program they are bytes. */

/** What a size looks like, as the source of a regular expression. */
export const SIZE_PATTERN = '^\\d+(?:\\.\\d+)?(?:B|kB|KB|MB|GB|KiB|MiB|GiB)$';

const SIZE = new RegExp(SIZE_PATTERN);
const UNIT_BYTES: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
};

/** Bytes of a size such as `16MB` or `64KiB`; undefined when the text is none. */
export function parseSize(text: string): number | undefined {
  if (!SIZE.test(text)) return undefined;
  const unit = text.replace(/^[\d.]+/, '');
  return Math.round(Number.parseFloat(text) * UNIT_BYTES[unit]!);
}

/** Durations as people write them: `250ms`, `10s`, `1m30s`. Inside the program they are milliseconds. */

const NUMBER = String.raw`\d+(?:\.\d+)?`;

/** What a duration looks like, as the source of a regular expression: hours, minutes, seconds, milliseconds, in that order. */
export const DURATION_PATTERN = `^(?=\\d)(?:${NUMBER}h)?(?:${NUMBER}m(?!s))?(?:${NUMBER}s)?(?:${NUMBER}ms)?$`;

/** The longest duration that is accepted, in ms: a day. Timers of the platform overflow at 24.8 days. */
export const MAX_DURATION_MS = 86_400_000;

const DURATION = new RegExp(DURATION_PATTERN);
const PART = /(\d+(?:\.\d+)?)(ms|h|m|s)/g;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration such as `250ms`, `10s` or `1m30s`; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(PART)) sum += Number(amount) * UNIT_MS[unit!]!;
  return sum;
}
