/** What a metric's values are measured in. Times are ms, rates are per second. */
export type Unit = 'ms' | '1/s' | 'count' | 'bytes' | 'ratio';

const UNITS: readonly [string, number][] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** A number of bytes for a person to read: `16 MiB`, `1.5 KiB`, `200 bytes`. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of UNITS) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  }
  return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
