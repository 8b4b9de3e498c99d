/** When requests were in flight, and what follows from it. Times in ms. */

/** One request's stay at the service. */
export interface Life {
  startedMs: number;
  endMs: number;
}

/** Requests in flight during one stretch of time. */
export interface InFlight {
  /** Integral over time: the mean is this over the length. */
  areaMs: number;
  max: number;
}

/** The stretch of a closed loop's round in which all slots were in use. */
export interface FullWindow {
  fromMs: number;
  toMs: number;
}

/** How many were in flight between two moments. */
export function inFlightBetween(lives: readonly Life[], fromMs: number, toMs: number): InFlight {
  let areaMs = 0;
  for (const { startedMs, endMs } of lives) {
    areaMs += Math.max(0, Math.min(endMs, toMs) - Math.max(startedMs, fromMs));
  }
  let max = 0;
  sweep(lives, (_atMs, open) => {
    max = Math.max(max, open);
  });
  return { areaMs, max };
}

// Between two requests a slot is empty for a fraction of a millisecond: of many slots one or the other always is.
const NEARLY = 0.95;

/**
 * The time in which all `slots` were in use; null where they never were. It ends with the first request that left its slot
 * empty: a loop that sends n requests gives each of the first n - slots ends a new one. A slot that is empty between two
 * requests does not end it, but where more than one in 20 are, not all are in use.
 */
export function fullWindow(lives: readonly Life[], slots: number): FullWindow | null {
  if (lives.length < slots) return null;
  const least = Math.ceil(slots * NEARLY);
  let fromMs: number | undefined;
  let lastFullMs = 0;
  sweep(lives, (atMs, open, before) => {
    if (open >= least) fromMs ??= atMs;
    if (before >= least) lastFullMs = atMs;
  });
  if (fromMs === undefined) return null;
  const ends = Float64Array.from(lives, ({ endMs }) => endMs).sort();
  const toMs = Math.min(lastFullMs, ends[lives.length - slots]!);
  return toMs > fromMs ? { fromMs, toMs } : null;
}

/** Calls `step` at each start and end, in the order of time, with the requests in flight after it and before it. */
function sweep(lives: readonly Life[], step: (atMs: number, open: number, before: number) => void): void {
  const starts = Float64Array.from(lives, ({ startedMs }) => startedMs).sort();
  const ends = Float64Array.from(lives, ({ endMs }) => endMs).sort();
  let started = 0;
  for (let ended = 0; ended < ends.length; ) {
    // An end comes before a start at the same moment: the slot was free by then.
    const starting = started < starts.length && (started === ended || starts[started]! < ends[ended]!);
    const before = started - ended;
    const atMs = starting ? starts[started++]! : ends[ended++]!;
    step(atMs, started - ended, before);
  }
}

/** The share of a life that lies between two moments, 0 to 1. */
export function shareInside({ startedMs, endMs }: Life, { fromMs, toMs }: FullWindow): number {
  const lengthMs = endMs - startedMs;
  if (lengthMs <= 0) return startedMs >= fromMs && startedMs <= toMs ? 1 : 0;
  return Math.max(0, Math.min(endMs, toMs) - Math.max(startedMs, fromMs)) / lengthMs;
}
