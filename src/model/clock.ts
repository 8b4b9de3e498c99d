/**
 * The clock is an argument everywhere; this is the one place that reads the real one.
 *
 * All times are milliseconds with a fraction. `monotonicClock` counts from an origin that is the same in every
 * thread and process of one machine (the kernel's monotonic clock), so stamps taken by a worker or by the
 * simulator can be compared with the client's without conversion.
 */
export interface Clock {
  /** Milliseconds, monotonic, never jumping with the wall clock. */
  now(): number;
  /** The wall clock, for names and dates only: never subtract two of these. */
  wallTime(): Date;
}

// performance.now() costs about a fifth of hrtime() and has the same source; the offset ties it to the
// machine-wide origin once. The tightest of several readings keeps the tie within a microsecond or so.
function machineOffset(): number {
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
