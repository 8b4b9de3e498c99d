import type { Unit } from '../model/units.ts';

/** How numbers are written for people: the one place that decides on digits and units. */

/** Stands for "no value", so that nothing missing is ever shown as 0. */
export const DASH = '—';

// No-break, so that a wrapped line cannot cut a number in two.
const GROUP = '\u202f';

interface Quantity {
  figure: string;
  unit: string;
}

/** A whole number, in groups of three from 10 000 on. */
export function formatCount(count: number): string {
  const digits = String(Math.round(count));
  return digits.length < 5 ? digits : digits.replaceAll(/\B(?=(\d{3})+$)/g, GROUP);
}

// Two digits that mean something, and no more than the measurement is worth.
function figure(value: number): string {
  if (value === 0) return '0';
  if (value < 0.005) return '<0.01';
  if (value < 0.995) return value.toFixed(2);
  if (value < 9.95) return value.toFixed(1);
  return formatCount(value);
}

function duration(ms: number): Quantity {
  if (ms < 9_999.5) return { figure: figure(ms), unit: 'ms' };
  const seconds = ms / 1000;
  return { figure: seconds < 99.95 ? seconds.toFixed(1) : formatCount(seconds), unit: 's' };
}

function bytes(count: number): Quantity {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let index = 0;
  while (value >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return { figure: index === 0 ? formatCount(value) : figure(value), unit: units[index]! };
}

function quantity(value: number, unit: Unit): Quantity {
  switch (unit) {
    case 'ms':
      return duration(value);
    case '1/s':
      return { figure: figure(value), unit: '' };
    case 'count':
      return { figure: Number.isInteger(value) ? formatCount(value) : figure(value), unit: '' };
    case 'bytes':
      return bytes(value);
    case 'ratio':
      return { figure: value.toFixed(2), unit: '' };
    default:
      return unit satisfies never;
  }
}

function join({ figure, unit }: Quantity): string {
  return unit === '' ? figure : `${figure} ${unit}`;
}

/** A value of a metric with its unit (`182 ms`, `15.6 s`, `1.2 kB`); rates go without. Null gives an em dash. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  return value === null || value === undefined ? DASH : join(quantity(value, unit));
}

/** Two values as `182 / 240 ms`; the unit is said twice only where it differs. Two nulls give one em dash. */
export function formatPair(first: number | null, second: number | null, unit: Unit): string {
  if (first === null && second === null) return DASH;
  if (first === null || second === null) return `${formatValue(first, unit)} / ${formatValue(second, unit)}`;
  const [a, b] = [quantity(first, unit), quantity(second, unit)];
  return a.unit === b.unit ? `${a.figure} / ${join(b)}` : `${join(a)} / ${join(b)}`;
}

/** A stretch of time as people say it: `0.4 s`, `42 s`, `3 min 12 s`, `1 h 4 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A share (0..1) as a percentage: `0.4 %`, `35 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** Memory, in the binary units that machines are sold by: `15.6 GiB`. */
export function formatMemory(byteCount: number): string {
  return `${(byteCount / 2 ** 30).toFixed(1)} GiB`;
}

/** How many times sooner something comes: `46× sooner`, `1.2× later`, `the same` within 5 %. */
export function formatSooner(times: number | null): string {
  if (times === null) return DASH;
  if (times > 0.95 && times < 1.05) return 'the same';
  return times > 1 ? `${figure(times)}× sooner` : `${figure(1 / times)}× later`;
}
