import { Numbers, pieceSize } from './numbers.ts';

/** A time span, in ms. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** Quantities that are summed over requests. */
export interface Amounts {
  requests: number;
  tokens: number;
  /** Requests that met every objective. */
  good: number;
}

/** The name of a quantity. */
export type Amount = keyof Amounts;

const OK = 1;
const GOOD = 2;

/** Sums over requests. */
export interface Totals {
  count: number;
  lengthMs: number;
  /** Sum of the squared lengths. */
  squares: number;
  amounts: Amounts;
  /** Each request weighted by the share of its length that is inside a span. */
  inside: Amounts;
  /** Each amount multiplied by the request's length. */
  byLength: Amounts;
}

const none = (): Amounts => ({ requests: 0, tokens: 0, good: 0 });

function noTotals(): Totals {
  return { count: 0, lengthMs: 0, squares: 0, amounts: none(), inside: none(), byLength: none() };
}

/** The sums over several rounds. */
export function sumTotals(all: readonly Totals[]): Totals {
  const sum = noTotals();
  for (const one of all) {
    sum.count += one.count;
    sum.lengthMs += one.lengthMs;
    sum.squares += one.squares;
    for (const name of ['requests', 'tokens', 'good'] as const) {
      sum.amounts[name] += one.amounts[name];
      sum.inside[name] += one.inside[name];
      sum.byLength[name] += one.byLength[name];
    }
  }
  return sum;
}

// `!` in this file: an index into a Float64Array or Uint8Array below its length, in loops over millions of requests.

/** A block of a round's requests. */
interface Piece {
  /** Start, end and tokens of each request. */
  numbers: Float64Array;
  flags: Uint8Array;
}

/** When the requests of one round were in flight. A run may have millions, so 25 bytes are kept of each. */
export class RequestSpans {
  length = 0;
  private readonly pieces: Piece[] = [];
  private last: Piece = { numbers: new Float64Array(0), flags: new Uint8Array(0) };
  /** Requests in the last piece. */
  private used = 0;

  /** Adds a request. `tokens` count only if it is ok; `good`: it met every objective. */
  add({ fromMs, toMs }: Span, { ok, tokens, good }: { ok: boolean; tokens: number; good: boolean }): void {
    if (this.used === this.last.flags.length) {
      const size = pieceSize(this.pieces.length);
      this.last = { numbers: new Float64Array(3 * size), flags: new Uint8Array(size) };
      this.pieces.push(this.last);
      this.used = 0;
    }
    const { numbers, flags } = this.last;
    const at = 3 * this.used;
    numbers[at] = fromMs;
    numbers[at + 1] = Math.max(fromMs, toMs);
    numbers[at + 2] = ok ? tokens : 0;
    flags[this.used] = (ok ? OK : 0) | (good ? GOOD : 0);
    this.used += 1;
    this.length += 1;
  }

  /** The timeline of at least one request. `room` is used for it. */
  timeline(room: TimelineRoom): Timeline {
    const { starts, ends } = room.of(this.length);
    let at = 0;
    for (const { numbers, count } of this.filled()) {
      for (let index = 0; index < count; index++, at++) {
        starts[at] = numbers[3 * index]!;
        ends[at] = numbers[3 * index + 1]!;
      }
    }
    starts.sort();
    ends.sort();
    return { starts, ends };
  }

  /** When the requests that are ok ended, in order of time. */
  okEnds(): Float64Array {
    const found = new Numbers();
    for (const { numbers, flags, count } of this.filled()) {
      for (let index = 0; index < count; index++) if (flags[index]! & OK) found.push(numbers[3 * index + 1]!);
    }
    return found.sorted();
  }

  /** Sums over all requests, and over their parts inside the span. HOT PATH: one pass over a report's requests. */
  totals({ fromMs, toMs }: Span): Totals {
    const totals = noTotals();
    const { amounts, inside, byLength } = totals;
    totals.count = this.length;
    for (const { numbers, flags, count } of this.filled()) {
      for (let index = 0; index < count; index++) {
        const startMs = numbers[3 * index]!;
        const endMs = numbers[3 * index + 1]!;
        const tokens = numbers[3 * index + 2]!;
        const requests = flags[index]! & OK;
        const good = (flags[index]! & GOOD) >> 1;
        const lengthMs = endMs - startMs;
        const share =
          lengthMs > 0
            ? Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs)) / lengthMs
            : Number(startMs >= fromMs && startMs <= toMs);
        totals.lengthMs += lengthMs;
        totals.squares += lengthMs ** 2;
        amounts.requests += requests;
        amounts.tokens += tokens;
        amounts.good += good;
        inside.requests += requests * share;
        inside.tokens += tokens * share;
        inside.good += good * share;
        byLength.requests += requests * lengthMs;
        byLength.tokens += tokens * lengthMs;
        byLength.good += good * lengthMs;
      }
    }
    return totals;
  }

  /** The pieces, each with the number of requests in it. */
  private *filled(): Generator<Piece & { count: number }> {
    for (const piece of this.pieces) {
      yield { ...piece, count: piece === this.last ? this.used : piece.flags.length };
    }
  }
}

/** The starts and ends of a round's requests, each sorted by time. */
export interface Timeline {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** Memory for one timeline at a time. Reused for each round: all timelines of a run together would be larger than its requests. */
export class TimelineRoom {
  private starts = new Float64Array(0);
  private ends = new Float64Array(0);

  /** Arrays of this length. Those that were given before are not used any longer. */
  of(length: number): Timeline {
    if (length > this.starts.length) {
      this.starts = new Float64Array(length);
      this.ends = new Float64Array(length);
    }
    return { starts: this.starts.subarray(0, length), ends: this.ends.subarray(0, length) };
  }
}

/** From the first start to the last end; a timeline has at least one request. */
export function wholeSpan({ starts, ends }: Timeline): Span {
  return { fromMs: starts[0]!, toMs: ends.at(-1)! };
}

/** The most requests in flight at once. */
export function mostInFlight(timeline: Timeline): number {
  let most = 0;
  sweep(timeline, (_atMs, open) => {
    most = Math.max(most, open);
  });
  return most;
}

/** The integral of the requests in flight over a span: their mean is this over its length. */
export function inFlightArea({ starts, ends }: Timeline, { fromMs, toMs }: Span): number {
  const clamped = (atMs: number) => Math.min(toMs, Math.max(fromMs, atMs));
  let areaMs = 0;
  for (let index = 0; index < starts.length; index++)
    areaMs += clamped(ends[index]!) - clamped(starts[index]!);
  return areaMs;
}

// A slot is empty for a fraction of a millisecond between two requests: of many slots, some always are.
const NEARLY = 0.95;

/**
 * The time span of a closed loop's round in which all `slots` were in use; null if they never were. It ends with the first
 * request whose slot stayed empty: in a loop of n requests, each of the first n - slots requests is followed by a new one. A
 * slot that is empty between two requests does not end the span, unless more than one in 20 are.
 */
export function fullWindow(timeline: Timeline, slots: number): Span | null {
  const { ends } = timeline;
  if (ends.length < slots) return null;
  const least = Math.ceil(slots * NEARLY);
  let fromMs: number | undefined;
  let lastFullMs = 0;
  sweep(timeline, (atMs, open, before) => {
    if (open >= least) fromMs ??= atMs;
    if (before >= least) lastFullMs = atMs;
  });
  if (fromMs === undefined) return null;
  const toMs = Math.min(lastFullMs, ends[ends.length - slots]!);
  return toMs > fromMs ? { fromMs, toMs } : null;
}

/** Calls `step` at each start and end, in order of time, with the requests in flight after and before it. */
function sweep({ starts, ends }: Timeline, step: (atMs: number, open: number, before: number) => void): void {
  let started = 0;
  for (let ended = 0; ended < ends.length; ) {
    // An end comes before a start at the same moment: the slot was free by then.
    const starting = started < starts.length && (started === ended || starts[started]! < ends[ended]!);
    const before = started - ended;
    const atMs = starting ? starts[started++]! : ends[ended++]!;
    step(atMs, started - ended, before);
  }
}
