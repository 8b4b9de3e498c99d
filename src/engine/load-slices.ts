import type { LoadSlice } from '../model/load-report.ts';

/** Collects the slices of a window in bounded memory: similar neighbours are merged. */
export interface Slices {
  add(slice: LoadSlice): void;
  /** The slices so far, rounded as they are stored. */
  all(): LoadSlice[];
}

// About 4 KB in the manifest per thread and block.
const MAX_SLICES = 300;

/**
 * An empty collection of at most `maxSlices` slices. Two slices are similar if they differ by at most 15 percentage points of
 * utilization, and in lateness by at most half a millisecond or a quarter. If too many remain, these limits double. A merged
 * slice has the mean of both, weighted by length.
 */
export function createSlices(maxSlices: number = MAX_SLICES): Slices {
  let slices: LoadSlice[] = [];
  let coarse = 1;
  const append = (to: LoadSlice[], slice: LoadSlice) => {
    const last = to.at(-1);
    if (last !== undefined && areSimilar(last, slice, coarse)) to[to.length - 1] = merged(last, slice);
    else to.push(slice);
  };
  return {
    add(slice) {
      if (slice[0] <= 0) return;
      append(slices, slice);
      while (slices.length > maxSlices) {
        coarse *= 2;
        const finer = slices;
        slices = [];
        for (const one of finer) append(slices, one);
      }
    },
    all: () => slices.map(([lengthMs, busy, lateMs]) => [tenths(lengthMs), Math.round(busy), tenths(lateMs)]),
  };
}

function areSimilar([, busyA, lateA]: LoadSlice, [, busyB, lateB]: LoadSlice, coarse: number): boolean {
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
