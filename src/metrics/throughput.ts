import type { LoadLevel } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import type { ReachedLoad, ThroughputReport } from '../model/report.ts';
import { tidy } from './distribution.ts';
import { type FullWindow, fullWindow, inFlightBetween, type Life, shareInside } from './lives.ts';

/**
 * Throughput at the load that was asked for, from the records alone. A closed loop is counted while all of its slots were in
 * use: a round's end, in which the last answers finish one by one, has a lower load. An open loop is counted from its first
 * due request to its last.
 */

/** What is counted, each as an amount of a request. */
interface Amounts {
  requests: number;
  tokens: number;
  /** Requests that met every objective. */
  good: number;
}

type Amount = keyof Amounts;

interface Counted extends Life, Amounts {}

interface Round {
  lives: Counted[];
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

/** Collects the requests of one cell: five numbers for each. */
export interface ThroughputFold {
  /** `met`: the request met every objective. */
  add(record: RequestRecord, met: boolean): void;
  result(): ThroughputResult;
}

/** A fold for a cell of this load. */
export function createThroughput(level: LoadLevel): ThroughputFold {
  const rounds = new Map<number, Round>();
  let ok = 0;
  let counted = false;
  return {
    add({ round: number, outcome, marks, tokens }, met) {
      const dueMs = marks.scheduled ?? marks.started;
      const round = rounds.get(number) ?? { lives: [], firstDueMs: dueMs, lastDueMs: dueMs };
      rounds.set(number, round);
      round.firstDueMs = Math.min(round.firstDueMs, dueMs);
      round.lastDueMs = Math.max(round.lastDueMs, dueMs);
      if (outcome.kind === 'dropped' || typeof marks.end !== 'number') return;
      const isOk = outcome.kind === 'ok';
      if (isOk) ok += 1;
      if (isOk && tokens.output !== null) counted = true;
      round.lives.push({
        startedMs: marks.started,
        endMs: Math.max(marks.started, marks.end),
        requests: isOk ? 1 : 0,
        tokens: isOk ? (tokens.output ?? 0) : 0,
        good: met ? 1 : 0,
      });
    },
    result() {
      const known = [...rounds.values()].filter(({ lives }) => lives.length > 0);
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
const LEAST_MEAN = 0.75;

function isMet(reached: InFlightMean | null, slots: number): boolean {
  return reached !== null && reached.max >= slots && reached.mean >= LEAST_MEAN * slots;
}

type InFlightMean = Omit<ReachedLoad, 'met'>;

interface Window extends Pick<ThroughputReport, 'basis' | 'roundsMs' | 'heldShare'> {
  windowMs: number;
  amounts: Amounts;
  reached: InFlightMean | null;
}

function closedLoop(rounds: readonly Round[], slots: number): Window {
  const whole = rounds.map(({ lives }) => wholeOf(lives));
  const roundsMs = lengthOf(whole);
  const full = rounds.flatMap(({ lives }) => {
    const window = fullWindow(lives, slots);
    return window === null ? [] : [{ lives, window }];
  });
  const windows = full.map(({ window }) => window);
  const heldMs = lengthOf(windows);
  const held = { roundsMs: tidy(roundsMs), heldShare: roundsMs > 0 ? tidy(heldMs / roundsMs) : 0 };
  if (heldMs === 0) {
    const lives = rounds.flatMap((round) => round.lives);
    const amounts = each((amount) => sum(lives, (life) => life[amount]));
    return { basis: 'below', windowMs: roundsMs, amounts, reached: reachedIn(rounds, whole), ...held };
  }
  const pooled = full.flatMap(({ lives }) => lives);
  const amounts = each((amount) => {
    const inside = sum(full, ({ lives, window }) =>
      sum(lives, (life) => life[amount] * shareInside(life, window)),
    );
    return withoutStart(inside, slots, windows, pooled, amount);
  });
  const reached = reachedIn(full, windows);
  // Of all rounds: one that never was full has its maximum too.
  const max = Math.max(
    ...rounds.map(({ lives }, i) => inFlightBetween(lives, whole[i]!.fromMs, whole[i]!.toMs).max),
  );
  return { basis: 'full', windowMs: heldMs, amounts, reached: reached && { ...reached, max }, ...held };
}

// Beyond this share of what was counted the correction is as uncertain as what it corrects.
const MOST_CORRECTED = 0.2;

/**
 * Takes off what a start of all slots at once adds. Shortly after it, short requests are ahead: of requests of unequal length
 * more are done in the window than a window of the same length later would hold. By the renewal-reward theorem a slot that
 * starts fresh is ahead of the long-run rate by (r S^2 / m^2 - rS / m) / 2, with S the length of a request, m its mean, r
 * the amount (D. R. Cox, Renewal Theory, 1962). Where a slot had hardly more than one request, the amount is what slots of
 * that mean length bring in the window's time.
 */
function withoutStart(
  inside: number,
  slots: number,
  windows: readonly FullWindow[],
  lives: readonly Counted[],
  amount: Amount,
): number {
  const mean = (of: (life: Counted) => number) => sum(lives, of) / lives.length;
  const length = ({ startedMs, endMs }: Life) => endMs - startedMs;
  const m = mean(length);
  const r = mean((life) => life[amount]);
  if (m <= 0) return inside;
  const ahead =
    ((r * mean((life) => length(life) ** 2)) / m ** 2 - mean((life) => life[amount] * length(life)) / m) / 2;
  const excess = ahead * slots * windows.length;
  if (Math.abs(excess) <= MOST_CORRECTED * inside) return inside - excess;
  return (slots * lengthOf(windows) * r) / m;
}

// A service that falls behind its rate answers later than it is asked: below this share of the rate it is counted by when it
// answered.
const BEHIND = 0.9;

function openLoop(rounds: readonly Round[], rate: number): Window {
  const windows = rounds.map(({ firstDueMs, lastDueMs }) => ({
    fromMs: firstDueMs,
    toMs: lastDueMs + 1000 / rate,
  }));
  const roundsMs = lengthOf(rounds.map(({ lives }) => wholeOf(lives)));
  const lives = rounds.flatMap((round) => round.lives);
  const amounts = each((amount) => sum(lives, (life) => life[amount]));
  const asked = lengthOf(windows);
  const answering = sum(rounds, (round) => answeringMs(round.lives));
  // The ends of few requests are at no steady distances: chance alone must not make a service slow.
  const behind = asked / answering < Math.min(BEHIND, 1 - 3 / Math.sqrt(Math.max(1, amounts.requests)));
  const reached = reachedIn(rounds, windows);
  return behind
    ? { basis: 'departures', windowMs: answering, amounts, reached, roundsMs: tidy(roundsMs) }
    : { basis: 'arrivals', windowMs: asked, amounts, reached, roundsMs: tidy(roundsMs) };
}

/** How long the service took for these answers: from the ends of the middle 80 %, which single slow ones do not move. */
function answeringMs(lives: readonly Counted[]): number {
  const ends = Float64Array.from(
    lives.filter(({ requests }) => requests > 0),
    ({ endMs }) => endMs,
  ).sort();
  const tenth = Math.floor(ends.length / 10);
  const steps = ends.length - 1 - 2 * tenth;
  if (steps < 1) return 0;
  return ((ends[ends.length - 1 - tenth]! - ends[tenth]!) * ends.length) / steps;
}

function reachedIn(
  rounds: readonly Pick<Round, 'lives'>[],
  windows: readonly FullWindow[],
): InFlightMean | null {
  const lengthMs = lengthOf(windows);
  if (lengthMs <= 0) return null;
  const found = rounds.map(({ lives }, i) => inFlightBetween(lives, windows[i]!.fromMs, windows[i]!.toMs));
  return {
    mean: tidy(sum(found, ({ areaMs }) => areaMs) / lengthMs),
    max: Math.max(...found.map(({ max }) => max)),
  };
}

function wholeOf(lives: readonly Life[]): FullWindow {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, 0];
  for (const { startedMs, endMs } of lives) {
    fromMs = Math.min(fromMs, startedMs);
    toMs = Math.max(toMs, endMs);
  }
  return { fromMs, toMs };
}

function lengthOf(windows: readonly FullWindow[]): number {
  return sum(windows, ({ fromMs, toMs }) => Math.max(0, toMs - fromMs));
}

function each(of: (amount: Amount) => number): Amounts {
  return { requests: of('requests'), tokens: of('tokens'), good: of('good') };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
