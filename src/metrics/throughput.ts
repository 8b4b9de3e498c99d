import { roundPartKey } from '../model/cells.ts';
import type { LoadLevel } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import type { ReachedLoad, ThroughputReport } from '../model/report.ts';
import { tidy } from './distribution.ts';
import {
  type Amount,
  type Amounts,
  fullWindow,
  inFlightArea,
  RequestSpans,
  type Span,
  sumTotals,
  type Timeline,
  type Totals,
  timelineOf,
} from './request-spans.ts';

/**
 * Throughput at the load that was asked for, from the records alone. A closed loop is counted while all of its slots were in
 * use: a round's end, in which the last answers finish one by one, has a lower load. An open loop is counted from its first
 * due request to its last.
 */

interface Round {
  spans: RequestSpans;
  firstDueMs: number;
  lastDueMs: number;
}

/** What a cell's requests come to a second. */
export interface ThroughputResult {
  throughput: ThroughputReport;
  reached: ReachedLoad | null;
  /** Requests a second that met every objective; null without a window. */
  goodPerSecond: number | null;
}

/** Collects the requests of one cell: 25 bytes for each. */
export interface ThroughputFold {
  /** `met`: the request met every objective. */
  add(record: RequestRecord, met: boolean): void;
  result(): ThroughputResult;
}

/** A fold for a cell of this load. */
export function createThroughput(level: LoadLevel): ThroughputFold {
  // By part and round: a round that was interrupted and continued with --resume has a pause in it.
  const rounds = new Map<number, Round>();
  let ok = 0;
  let counted = false;
  return {
    add(record, good) {
      const { outcome, marks, tokens } = record;
      const dueMs = marks.scheduled ?? marks.started;
      const key = roundPartKey(record);
      let round = rounds.get(key);
      if (round === undefined) {
        round = { spans: new RequestSpans(), firstDueMs: dueMs, lastDueMs: dueMs };
        rounds.set(key, round);
      }
      round.firstDueMs = Math.min(round.firstDueMs, dueMs);
      round.lastDueMs = Math.max(round.lastDueMs, dueMs);
      if (outcome.kind === 'dropped' || typeof marks.end !== 'number') return;
      const isOk = outcome.kind === 'ok';
      if (isOk) ok += 1;
      if (isOk && tokens.output !== null) counted = true;
      round.spans.add(
        { fromMs: marks.started, toMs: marks.end },
        { ok: isOk, tokens: tokens.output ?? 0, good },
      );
    },
    result() {
      const known = [...rounds.values()]
        .filter(({ spans }) => spans.length > 0)
        .map((round): KnownRound => ({ ...round, timeline: timelineOf(round.spans) }));
      const { windowMs, amounts, reached, ...rest } =
        level.rate === undefined ? closedLoop(known, level.concurrency) : openLoop(known, level.rate);
      const met = level.rate !== undefined || isMet(reached, level.concurrency);
      const perSecond = (amount: Amount) =>
        windowMs > 0 ? tidy(Math.max(0, amounts[amount] * 1000) / windowMs) : null;
      return {
        throughput: {
          requestsPerSecond: ok > 0 ? perSecond('requests') : null,
          tokensPerSecond: counted ? perSecond('tokens') : null,
          windowMs: tidy(windowMs),
          ...rest,
        },
        reached: reached && { ...reached, met },
        goodPerSecond: perSecond('good'),
      };
    },
  };
}

// Between two requests of a slot passes some time, which is much only of answers of a millisecond or two.
const MIN_MEAN = 0.75;

function isMet(reached: InFlightMean | null, slots: number): boolean {
  return reached !== null && reached.max >= slots && reached.mean >= MIN_MEAN * slots;
}

type InFlightMean = Omit<ReachedLoad, 'met'>;

interface Window extends Pick<ThroughputReport, 'basis' | 'roundsMs' | 'heldShare'> {
  windowMs: number;
  amounts: Amounts;
  reached: InFlightMean | null;
}

interface KnownRound extends Round {
  timeline: Timeline;
}

function closedLoop(rounds: readonly KnownRound[], slots: number): Window {
  const whole = rounds.map(({ timeline }) => timeline.whole);
  const roundsMs = lengthOf(whole);
  const full = rounds.flatMap((round) => {
    const window = fullWindow(round.timeline, slots);
    return window === null ? [] : [{ ...round, window }];
  });
  const windows = full.map(({ window }) => window);
  const heldMs = lengthOf(windows);
  const held = { roundsMs: tidy(roundsMs), heldShare: roundsMs > 0 ? tidy(heldMs / roundsMs) : 0 };
  if (heldMs === 0) {
    const { amounts } = totalsOf(rounds, whole);
    return { basis: 'below', windowMs: roundsMs, amounts, reached: reachedIn(rounds, whole), ...held };
  }
  const totals = totalsOf(full, windows);
  const amounts = {
    requests: withoutStart(totals, 'requests', slots, windows),
    tokens: withoutStart(totals, 'tokens', slots, windows),
    good: withoutStart(totals, 'good', slots, windows),
  };
  const reached = reachedIn(full, windows);
  // Of all rounds: one that never was full has its maximum too.
  const max = Math.max(...rounds.map(({ timeline }) => timeline.most));
  return { basis: 'full', windowMs: heldMs, amounts, reached: reached && { ...reached, max }, ...held };
}

// Beyond this share of what was counted the correction is as uncertain as what it corrects.
const MAX_CORRECTED = 0.2;

/**
 * Takes off what a start of all slots at once adds. Shortly after it, short requests are ahead: of requests of unequal length
 * more are done in the window than a window of the same length later would hold. By the renewal-reward theorem a slot that
 * starts fresh is ahead of the long-run rate by (r S^2 / m^2 - rS / m) / 2, with S the length of a request, m its mean, r
 * the amount (D. R. Cox, Renewal Theory, 1962). Where a slot had hardly more than one request, the amount is what slots of
 * that mean length bring in the window's time.
 */
function withoutStart(totals: Totals, amount: Amount, slots: number, windows: readonly Span[]): number {
  const { count, lengthMs, squares, amounts, byLength } = totals;
  const inside = totals.inside[amount];
  const m = lengthMs / count;
  const r = amounts[amount] / count;
  if (m <= 0) return inside;
  const ahead = ((r * (squares / count)) / m ** 2 - byLength[amount] / count / m) / 2;
  const excess = ahead * slots * windows.length;
  if (Math.abs(excess) <= MAX_CORRECTED * inside) return inside - excess;
  return (slots * lengthOf(windows) * r) / m;
}

// A service that falls behind its rate answers later than it is asked: below this share of the rate it is counted by when it
// answered.
const BEHIND = 0.9;

function openLoop(rounds: readonly KnownRound[], rate: number): Window {
  const windows = rounds.map(({ firstDueMs, lastDueMs }) => ({
    fromMs: firstDueMs,
    toMs: lastDueMs + 1000 / rate,
  }));
  const roundsMs = lengthOf(rounds.map(({ timeline }) => timeline.whole));
  const { amounts } = totalsOf(rounds, windows);
  const asked = lengthOf(windows);
  const answering = sum(rounds, ({ spans }) => answeringMs(spans));
  // The ends of few requests are at no steady distances: chance alone must not make a service slow.
  const behind = asked / answering < Math.min(BEHIND, 1 - 3 / Math.sqrt(Math.max(1, amounts.requests)));
  const reached = reachedIn(rounds, windows);
  return behind
    ? { basis: 'departures', windowMs: answering, amounts, reached, roundsMs: tidy(roundsMs) }
    : { basis: 'arrivals', windowMs: asked, amounts, reached, roundsMs: tidy(roundsMs) };
}

/** How long the service took for these answers: from the ends of the middle 80 %, which single slow ones do not move. */
function answeringMs(spans: RequestSpans): number {
  const found: number[] = [];
  for (let index = 0; index < spans.length; index++) if (spans.isOk(index)) found.push(spans.endMs(index));
  const ends = Float64Array.from(found).sort();
  const tenth = Math.floor(ends.length / 10);
  const steps = ends.length - 1 - 2 * tenth;
  if (steps < 1) return 0;
  return ((ends[ends.length - 1 - tenth]! - ends[tenth]!) * ends.length) / steps;
}

function reachedIn(rounds: readonly KnownRound[], windows: readonly Span[]): InFlightMean | null {
  const lengthMs = lengthOf(windows);
  if (lengthMs <= 0) return null;
  let areaMs = 0;
  for (const [i, { timeline }] of rounds.entries()) areaMs += inFlightArea(timeline, windows[i]!);
  return { mean: tidy(areaMs / lengthMs), max: Math.max(...rounds.map(({ timeline }) => timeline.most)) };
}

function lengthOf(spans: readonly Span[]): number {
  return sum(spans, ({ fromMs, toMs }) => Math.max(0, toMs - fromMs));
}

/** Over all requests of these rounds, each with its window. */
function totalsOf(rounds: readonly Round[], windows: readonly Span[]): Totals {
  return sumTotals(rounds.map(({ spans }, i) => spans.totals(windows[i]!)));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
