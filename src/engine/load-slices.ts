import type { LoadSlice } from '../model/load-report.ts';

/** Collects the slices of a window in bounded memory: neighbours that are alike become one. */
export interface Slices {
  add(slice: LoadSlice): void;
  /** The slices so far, rounded as they are stored. */
  all(): LoadSlice[];
}

// Some 4 KB in the manifest for each thread and block.
const MOST = 300;

/**
 * An empty collection of at most `most` slices. Two are alike when they differ by at most 15 points of utilization, and in
 * lateness by half a millisecond or a quarter; where that leaves too many, these limits double. A merged slice has the mean of
 * both, by length.
 */
export function createSlices(most: number = MOST): Slices {
  let slices: LoadSlice[] = [];
  let coarse = 1;
  const append = (to: LoadSlice[], slice: LoadSlice) => {
    const last = to.at(-1);
    if (last !== undefined && alike(last, slice, coarse)) to[to.length - 1] = merged(last, slice);
    else to.push(slice);
  };
  return {
    add(slice) {
      if (slice[0] <= 0) return;
      append(slices, slice);
      while (slices.length > most) {
        coarse *= 2;
        const finer = slices;
        slices = [];
        for (const one of finer) append(slices, one);
      }
    },
    all: () => slices.map(([lengthMs, busy, lateMs]) => [tenths(lengthMs), Math.round(busy), tenths(lateMs)]),
  };
}

function alike([, busyA, lateA]: LoadSlice, [, busyB, lateB]: LoadSlice, coarse: number): boolean {
  const differs = Math.abs(lateA - lateB);
  return (
    Math.abs(busyA - busyB) <= 15 * coarse && differs <= Math.max(0.5, Math.max(lateA, lateB) / 4) * coarse
  );
}

function merged([lengthA, busyA, lateA]: LoadSlice, [lengthB, busyB, lateB]: LoadSlice): LoadSlice {
  const length = lengthA + lengthB;
  const mean = (a: number, b: number) => (a * lengthA + b * lengthB) / length;
  return [length, mean(busyA, busyB), mean(lateA, lateB)];
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
