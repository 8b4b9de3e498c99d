/** Writes numbers for people. Every sentence and every table uses these functions, so a value reads the same in both. */

/** The unit of a metric's values. Times are in ms, rates are per second, ratios are shares from 0 to 1. */
export type Unit = 'ms' | '1/s' | 'count' | 'bytes' | 'ratio';

/** Shown for a missing value, which must not read as 0. */
export const DASH = '—';

// A no-break space, so that a line break never splits a number.
const GROUP = '\u202f';

interface Quantity {
  number: string;
  /** Includes the space before it, if any. */
  unit: string;
}

/** A whole number, with digits grouped by three from 10 000 on. */
export function formatCount(count: number): string {
  const digits = String(Math.round(count));
  return digits.replace('-', '').length < 5 ? digits : digits.replaceAll(/\B(?=(\d{3})+$)/g, GROUP);
}

/** A count with its noun: `1 read`, `26 reads`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A number without a unit, to two significant digits below 10 and to whole numbers above: `0.42`, `4.2`, `54`. */
export function formatNumber(value: number): string {
  if (value < 0) return `−${formatNumber(-value)}`;
  if (value === 0) return '0';
  if (value < 0.005) return '<0.01';
  if (value < 0.995) return value.toFixed(2);
  if (value < 9.95) return value.toFixed(1);
  return formatCount(value);
}

function duration(ms: number): Quantity {
  if (ms < 9_999.5) return { number: formatNumber(ms), unit: ' ms' };
  const seconds = ms / 1000;
  return { number: seconds < 99.95 ? seconds.toFixed(1) : formatCount(seconds), unit: ' s' };
}

function bytes(count: number): Quantity {
  const larger = ['kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 'B';
  for (const next of larger) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return { number: unit === 'B' ? formatCount(value) : formatNumber(value), unit: ` ${unit}` };
}

function quantity(value: number, unit: Unit): Quantity {
  if (value < 0) {
    const positive = quantity(-value, unit);
    return { ...positive, number: `−${positive.number}` };
  }
  switch (unit) {
    case 'ms':
      return duration(value);
    case '1/s':
      return { number: formatNumber(value), unit: '/s' };
    case 'count':
      return { number: Number.isInteger(value) ? formatCount(value) : formatNumber(value), unit: '' };
    case 'bytes':
      return bytes(value);
    case 'ratio': {
      const percent = value * 100;
      return {
        number: percent > 0 && percent < 9.95 ? percent.toFixed(1) : formatCount(percent),
        unit: ' %',
      };
    }
    default:
      return unit satisfies never;
  }
}

/** A value with its unit: `182 ms`, `15.6 s`, `54/s`, `1.2 kB`, `35 %`. Null gives a dash. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return DASH;
  const { number, unit: sign } = quantity(value, unit);
  return `${number}${sign}`;
}

/** Two values: `182 / 240 ms`, or `980 ms / 12.1 s` when their units differ. Two nulls give one dash. */
export function formatPair(first: number | null, second: number | null, unit: Unit): string {
  return formatValues([first, second], unit);
}

/** Several values: `182 / 240 / 310 ms`; each with its unit when units differ or one is missing. Only nulls give one dash. */
export function formatValues(values: readonly (number | null)[], unit: Unit): string {
  if (values.every((value) => value === null)) return DASH;
  const parts = values.map((value) => (value === null ? undefined : quantity(value, unit)));
  const sign = parts[0]?.unit;
  return parts.every((part) => part !== undefined && part.unit === sign)
    ? `${parts.map((part) => part?.number).join(' / ')}${sign}`
    : values.map((value) => formatValue(value, unit)).join(' / ');
}

/** A share (0..1) as a percentage: `0.4 %`, `35 %`. */
export function formatShare(share: number): string {
  return formatValue(share, 'ratio');
}

/** A mean of counts, to one decimal below 100: `15.6`. */
export function formatMean(mean: number): string {
  return mean < 99.95 ? mean.toFixed(1) : formatCount(mean);
}

/** A factor: `2.7x`, `46x`; two decimals within 20 % of 1, where one would hide the difference. */
export function formatFactor(factor: number): string {
  return `${Math.abs(factor - 1) < 0.195 ? factor.toFixed(2) : formatNumber(factor)}x`;
}

/** How many times faster something is: `46x faster`, `1.2x slower`, `the same` within 5 %. Null gives a dash. */
export function formatSpeedup(times: number | null): string {
  if (times === null) return DASH;
  if (times > 0.95 && times < 1.05) return 'the same';
  return times > 1 ? `${formatFactor(times)} faster` : `${formatFactor(1 / times)} slower`;
}

/** The change that a ratio of two values is: `+12 %`, `−3.0 %`. */
export function formatChange(ratio: number): string {
  return `${ratio > 1 ? '+' : ''}${formatShare(ratio - 1)}`;
}

/** A difference of two shares in percentage points: `+1.5`, `−0.2`, `0`. */
export function formatPoints(difference: number): string {
  const points = Math.abs(difference * 100).toFixed(1);
  if (points === '0.0') return '0';
  return `${difference > 0 ? '+' : '−'}${points}`;
}

/** A time in its largest unit, from ns to s, rounded to a whole number: `52 ns`, `10 µs`, `100 ms`. */
export function formatFineTime(ms: number): string {
  if (ms < 0.001) return `${Math.round(ms * 1e6)} ns`;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}

/** Elapsed time: `0.4 s`, `42 s`, `3 min 12 s`, `1 h 4 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time limit as it was configured, unrounded: `500 ms`, `1.5 s`. */
export function formatTimeLimit(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

const LIMIT_UNITS: readonly [string, number][] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['kB', 1e3],
];

/** A size limit as it was configured, unrounded where a unit allows it: `16 MiB`, `64 kB`, `200 B`. */
export function formatSizeLimit(limitBytes: number): string {
  const exact = LIMIT_UNITS.find(([, size]) => limitBytes >= size && limitBytes % size === 0);
  return exact === undefined ? formatValue(limitBytes, 'bytes') : `${limitBytes / exact[1]} ${exact[0]}`;
}

/** Memory of a machine, in binary units: `15.6 GiB`. */
export function formatMemory(byteCount: number): string {
  return `${(byteCount / 2 ** 30).toFixed(1)} GiB`;
}
