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
  mostInFlight,
  RequestSpans,
  type Span,
  sumTotals,
  type TimelineRoom,
  type Totals,
  wholeSpan,
} from './request-spans.ts';

/**
 * Throughput at the configured load, from the records alone. A closed loop is counted while all its slots were in use: the end
 * of a round, in which the last answers finish one by one, has a lower load. An open loop is counted from its first due request
 * to its last.
 */

interface Round {
  spans: RequestSpans;
  firstDueMs: number;
  lastDueMs: number;
}

/** The throughput of a cell. */
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
  /** `room`: used while the result is made, and free afterwards. */
  result(room: TimelineRoom): ThroughputResult;
}

/** A fold for a cell of this load. */
export function createThroughput(level: LoadLevel): ThroughputFold {
  // By part and round: a round that was continued with --resume contains a pause.
  const rounds = new Map<number, Round>();
  let ok = 0;
  let counted = false;
  return {
    add(record, good) {
      const { outcome, marks, tokens, turn, attempt } = record;
      // A request that is retried keeps its slot while it waits.
      const { scheduled, started } = attempt?.first ?? marks;
      const dueMs = scheduled ?? started;
      const key = roundPartKey(record);
      let round = rounds.get(key);
      if (round === undefined) {
        round = { spans: new RequestSpans(), firstDueMs: dueMs, lastDueMs: dueMs };
        rounds.set(key, round);
      }
      round.firstDueMs = Math.min(round.firstDueMs, dueMs);
      // The schedule of an open loop starts sessions, not their later turns.
      if ((turn?.turn ?? 1) === 1) round.lastDueMs = Math.max(round.lastDueMs, dueMs);
      if (outcome.kind === 'dropped' || typeof marks.end !== 'number') return;
      const isOk = outcome.kind === 'ok';
      if (isOk) ok += 1;
      if (isOk && tokens.output !== null) counted = true;
      round.spans.add(
        // A session holds its slot while its user thinks.
        { fromMs: started - (turn?.thinkMs ?? 0), toMs: marks.end },
        { ok: isOk, tokens: tokens.output ?? 0, good },
      );
    },
    result(room) {
      const known = [...rounds.values()].filter(({ spans }) => spans.length > 0);
      const { rate, concurrency, from } = level;
      // A ramp has no level that it could hold: it is counted as a whole, at its mean rate.
      const isRamp = from !== undefined;
      const { windowMs, amounts, reached, ...rest } =
        rate === undefined
          ? closedLoop(known, isRamp ? Number.POSITIVE_INFINITY : concurrency, room)
          : openLoop(known, isRamp ? (from + rate) / 2 : rate, room);
      const met = rate !== undefined || isRamp || isMet(reached, concurrency);
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

// A slot is idle for a short time between two requests, which matters only for answers of a millisecond or two.
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

/** What the timeline of a round shows. */
interface RoundLoad {
  spans: RequestSpans;
  whole: Span;
  /** The most requests in flight at once. */
  most: number;
  /** What of the round is counted. */
  window: Span;
  /** The integral of the requests in flight over the window. */
  areaMs: number;
}

function closedLoop(rounds: readonly Round[], slots: number, room: TimelineRoom): Window {
  const loads = rounds.map(({ spans }) => {
    const timeline = spans.timeline(room);
    const [whole, most, full] = [wholeSpan(timeline), mostInFlight(timeline), fullWindow(timeline, slots)];
    const window = full ?? whole;
    return { spans, whole, most, window, areaMs: inFlightArea(timeline, window), isFull: full !== null };
  });
  const roundsMs = lengthOf(loads.map(({ whole }) => whole));
  const full = loads.filter(({ isFull }) => isFull);
  const windows = full.map(({ window }) => window);
  const heldMs = lengthOf(windows);
  const held = { roundsMs: tidy(roundsMs), heldShare: roundsMs > 0 ? tidy(heldMs / roundsMs) : 0 };
  if (heldMs === 0) {
    const { amounts } = totalsOf(loads);
    return { basis: 'below', windowMs: roundsMs, amounts, reached: reachedIn(loads), ...held };
  }
  const totals = totalsOf(full);
  const amounts = {
    requests: withoutStart(totals, 'requests', slots, windows),
    tokens: withoutStart(totals, 'tokens', slots, windows),
    good: withoutStart(totals, 'good', slots, windows),
  };
  const reached = reachedIn(full);
  // Over all rounds, including those that were never full.
  const max = Math.max(...loads.map(({ most }) => most));
  return { basis: 'full', windowMs: heldMs, amounts, reached: reached && { ...reached, max }, ...held };
}

// Beyond this share of the count, the correction is as uncertain as the effect that it corrects.
const MAX_CORRECTED = 0.2;

/**
 * Removes the bias of starting all slots at once. Shortly after the start, short requests dominate: with requests of unequal
 * length, more finish in this window than in a later window of the same length. By the renewal-reward theorem a slot that
 * starts fresh exceeds the long-run rate by (r S^2 / m^2 - rS / m) / 2, with S the length of a request, m its mean, r the
 * amount (D. R. Cox, Renewal Theory, 1962). If a slot had hardly more than one request, the amount is estimated from the mean
 * length instead.
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

// Below this share of the rate, the service does not keep up, and is counted by the times of its answers.
const BEHIND = 0.9;

function openLoop(rounds: readonly Round[], rate: number, room: TimelineRoom): Window {
  const loads = rounds.map(({ spans, firstDueMs, lastDueMs }): RoundLoad => {
    const timeline = spans.timeline(room);
    const window = { fromMs: firstDueMs, toMs: lastDueMs + 1000 / rate };
    const [whole, most] = [wholeSpan(timeline), mostInFlight(timeline)];
    return { spans, whole, most, window, areaMs: inFlightArea(timeline, window) };
  });
  const roundsMs = lengthOf(loads.map(({ whole }) => whole));
  const { amounts } = totalsOf(loads);
  const asked = lengthOf(loads.map(({ window }) => window));
  const answering = sum(loads, ({ spans }) => answeringMs(spans));
  // The ends of few requests are irregular: a service must not count as slow by chance.
  const behind = asked / answering < Math.min(BEHIND, 1 - 3 / Math.sqrt(Math.max(1, amounts.requests)));
  const reached = reachedIn(loads);
  return behind
    ? { basis: 'departures', windowMs: answering, amounts, reached, roundsMs: tidy(roundsMs) }
    : { basis: 'arrivals', windowMs: asked, amounts, reached, roundsMs: tidy(roundsMs) };
}

/** How long the service took for these answers: from the ends of the middle 80 %, so that single slow ones have no effect. */
function answeringMs(spans: RequestSpans): number {
  const ends = spans.okEnds();
  const tenth = Math.floor(ends.length / 10);
  const middle = ends.subarray(tenth, ends.length - tenth);
  const [first, last] = [middle.at(0), middle.at(-1)];
  if (first === undefined || last === undefined || middle.length < 2) return 0;
  return ((last - first) * ends.length) / (middle.length - 1);
}

function reachedIn(loads: readonly RoundLoad[]): InFlightMean | null {
  const lengthMs = lengthOf(loads.map(({ window }) => window));
  if (lengthMs <= 0) return null;
  const most = Math.max(...loads.map((load) => load.most));
  return { mean: tidy(sum(loads, ({ areaMs }) => areaMs) / lengthMs), max: most };
}

function lengthOf(spans: readonly Span[]): number {
  return sum(spans, ({ fromMs, toMs }) => Math.max(0, toMs - fromMs));
}

/** Sums over all requests of these rounds, each round with its window. */
function totalsOf(loads: readonly RoundLoad[]): Totals {
  return sumTotals(loads.map(({ spans, window }) => spans.totals(window)));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
