/** When requests were in flight, and what follows from it. Times in ms. */

/** A stretch of time. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** What is counted, each as an amount of a request. */
export interface Amounts {
  requests: number;
  tokens: number;
  /** Requests that met every objective. */
  good: number;
}

/** The name of an amount. */
export type Amount = keyof Amounts;

const OK = 1;
const GOOD = 2;
const SMALLEST = 64;

/** Sums over requests. */
export interface Totals {
  count: number;
  lengthMs: number;
  /** Of the lengths. */
  squares: number;
  amounts: Amounts;
  /** Of each request for the share of its stay that lies in a span. */
  inside: Amounts;
  /** Of each amount times the request's length. */
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

/** The stays of one round's requests at the service. A run may have millions, so 25 bytes are kept of each. */
export class RequestSpans {
  length = 0;
  // Start, end and tokens of each request.
  private numbers = new Float64Array(3 * SMALLEST);
  private flags = new Uint8Array(SMALLEST);

  /** Takes in a request. `tokens` count only where it is ok; `good`: it met every objective. */
  add({ fromMs, toMs }: Span, { ok, tokens, good }: { ok: boolean; tokens: number; good: boolean }): void {
    if (this.length === this.flags.length) this.grow();
    const at = 3 * this.length;
    this.numbers[at] = fromMs;
    this.numbers[at + 1] = Math.max(fromMs, toMs);
    this.numbers[at + 2] = ok ? tokens : 0;
    this.flags[this.length] = (ok ? OK : 0) | (good ? GOOD : 0);
    this.length += 1;
  }

  startMs(index: number): number {
    return this.numbers[3 * index]!;
  }

  endMs(index: number): number {
    return this.numbers[3 * index + 1]!;
  }

  isOk(index: number): boolean {
    return (this.flags[index]! & OK) !== 0;
  }

  /** What all requests come to, and what of it lies in the span. HOT PATH: one walk over a report's requests. */
  totals({ fromMs, toMs }: Span): Totals {
    const { numbers, flags, length } = this;
    const totals = noTotals();
    const { amounts, inside, byLength } = totals;
    totals.count = length;
    for (let index = 0; index < length; index++) {
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
    return totals;
  }

  private grow(): void {
    const [numbers, flags] = [this.numbers, this.flags];
    const room = Math.ceil(1.5 * flags.length);
    this.numbers = new Float64Array(3 * room);
    this.numbers.set(numbers);
    this.flags = new Uint8Array(room);
    this.flags.set(flags);
  }
}

/** The starts and ends of a round's requests, each in order of time. */
export interface Timeline {
  starts: Float64Array;
  ends: Float64Array;
  /** From the first start to the last end. */
  whole: Span;
  /** The most requests in flight at once. */
  most: number;
}

/** The timeline of at least one request. */
export function timelineOf(spans: RequestSpans): Timeline {
  const starts = new Float64Array(spans.length);
  const ends = new Float64Array(spans.length);
  for (let index = 0; index < spans.length; index++) {
    starts[index] = spans.startMs(index);
    ends[index] = spans.endMs(index);
  }
  starts.sort();
  ends.sort();
  const timeline = { starts, ends, whole: { fromMs: starts[0]!, toMs: ends.at(-1)! }, most: 0 };
  sweep(timeline, (_atMs, open) => {
    timeline.most = Math.max(timeline.most, open);
  });
  return timeline;
}

/** The integral of the requests in flight over a span: their mean is this over its length. */
export function inFlightArea({ starts, ends }: Timeline, { fromMs, toMs }: Span): number {
  const clamped = (atMs: number) => Math.min(toMs, Math.max(fromMs, atMs));
  let areaMs = 0;
  for (let index = 0; index < starts.length; index++)
    areaMs += clamped(ends[index]!) - clamped(starts[index]!);
  return areaMs;
}

// Between two requests a slot is empty for a fraction of a millisecond: of many slots one or the other always is.
const NEARLY = 0.95;

/**
 * The time of a closed loop's round in which all `slots` were in use; null where they never were. It ends with the first
 * request that left its slot empty: a loop that sends n requests gives each of the first n - slots ends a new one. A slot
 * that is empty between two requests does not end it, but where more than one in 20 are, not all are in use.
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

/** Calls `step` at each start and end, in the order of time, with the requests in flight after it and before it. */
function sweep(
  { starts, ends }: Pick<Timeline, 'starts' | 'ends'>,
  step: (atMs: number, open: number, before: number) => void,
): void {
  let started = 0;
  for (let ended = 0; ended < ends.length; ) {
    // An end comes before a start at the same moment: the slot was free by then.
    const starting = started < starts.length && (started === ended || starts[started]! < ends[ended]!);
    const before = started - ended;
    const atMs = starting ? starts[started++]! : ends[ended++]!;
    step(atMs, started - ended, before);
  }
}
