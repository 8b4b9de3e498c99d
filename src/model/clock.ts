/**
 * A clock, passed as an argument. Only this file reads the machine's clock.
 *
 * All times are milliseconds with a fraction. `monotonicClock` has the same origin in every thread and process of one
 * machine (the kernel's monotonic clock), so timestamps of a worker or of the simulator can be compared with the client's
 * without conversion.
 */
export interface Clock {
  /** Milliseconds, monotonic. Changes of the wall clock have no effect. */
  now(): number;
  /** The wall clock, for names and dates only: never subtract two of these. */
  wallTime(): Date;
}

// performance.now() takes about a fifth of the time of hrtime() and has the same source. The offset to the machine-wide
// origin is measured once. The reading with the least delay is accurate to about a microsecond.
function machineOffset(): number {
  // Browsers and workers have one clock, which starts with the page.
  if (typeof process === 'undefined' || process.hrtime?.bigint === undefined) return 0;
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    const machine = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before < best) {
      best = after - before;
      offset = machine - (before + after) / 2;
    }
  }
  return offset;
}

const OFFSET_MS = machineOffset();

/** The machine's monotonic clock. */
export const monotonicClock: Clock = {
  now: () => performance.now() + OFFSET_MS,
  wallTime: () => new Date(),
};
