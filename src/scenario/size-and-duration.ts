/** Sizes and durations in scenarios and flags. Internally they are bytes and milliseconds. */

/** The syntax of a size, as the source of a regular expression. */
export const SIZE_PATTERN = '^\\d+(?:\\.\\d+)?(?:B|kB|KB|MB|GB|KiB|MiB|GiB)$';

const SIZE = new RegExp(SIZE_PATTERN);
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes of a size such as `16MB` or `64KiB`; undefined for other texts. */
export function parseSize(text: string): number | undefined {
  if (!SIZE.test(text)) return undefined;
  const unit = UNIT_BYTES[text.replace(/^[\d.]+/, '')];
  return unit === undefined ? undefined : Math.round(Number.parseFloat(text) * unit);
}

const NUMBER = String.raw`\d+(?:\.\d+)?`;

/** The syntax of a duration, as the source of a regular expression: hours, minutes, seconds, milliseconds, in this order. */
export const DURATION_PATTERN = `^(?=\\d)(?:${NUMBER}h)?(?:${NUMBER}m(?!s))?(?:${NUMBER}s)?(?:${NUMBER}ms)?$`;

/** The maximum duration, in ms: a day. Node's timers overflow at 24.8 days. */
export const MAX_DURATION_MS = 86_400_000;

const DURATION = new RegExp(DURATION_PATTERN);
const PART = /(\d+(?:\.\d+)?)(ms|h|m|s)/g;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration such as `250ms`, `10s` or `1m30s`; undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(PART)) {
    // `!`: the expression allows only these units.
    sum += Number(amount) * UNIT_MS[unit]!;
  }
  return sum;
}
