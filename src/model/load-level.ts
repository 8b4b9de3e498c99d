import type { Cell, LoadLevel } from './plan.ts';

/** The load alone, of whatever has one. */
export function levelOf({ concurrency, rate }: LoadLevel): LoadLevel {
  return rate === undefined ? { concurrency } : { concurrency, rate };
}

/** The cell alone, of whatever belongs to one. */
export function cellOf({ target, prompt, mode, ...load }: Cell): Cell {
  return { target, prompt, ...levelOf(load), mode };
}

/** True for two of the same load. */
export function sameLevel(a: LoadLevel, b: LoadLevel): boolean {
  return a.concurrency === b.concurrency && a.rate === b.rate;
}

/** `4 streams`; in an open loop `20 requests/s`. */
export function levelInWords({ concurrency, rate }: LoadLevel): string {
  if (rate !== undefined) return `${rate} ${rate === 1 ? 'request' : 'requests'}/s`;
  return `${concurrency} ${concurrency === 1 ? 'stream' : 'streams'}`;
}

/** One text for each cell, for use as a key. */
export function cellKey({ target, prompt, concurrency, rate, mode }: Cell): string {
  // By length, as names may hold any character; not as JSON, because every record of a run is asked for its key.
  return `${target.length}:${target}${prompt.length}:${prompt}${mode} ${concurrency} ${rate}`;
}
