import { percentileOf } from '../../metrics/percentile.ts';
import type { Flush, Observation } from '../../model/record.ts';
import type { StreamArrivals } from '../../model/report.ts';
import {
  ENOUGH_GAPS,
  ODD_GAP_FACTOR,
  ODD_GAP_FACTOR_P90,
  ODD_GAP_MS,
  ODD_GAP_WITHIN,
  PAUSE_MS,
} from './verdict-limits.ts';

/** Columns of the chart of arrivals. */
const COLUMNS = 48;

/**
 * When the content of a stream arrived, from the request to the last content, as counts in 48 columns. Exact where
 * each read brought one event or all others came in the largest flush; events of other shared reads are spread evenly. Undefined
 * without content.
 */
export function arrivalsOf(record: Observation): StreamArrivals | undefined {
  const { marks, gaps, contentEvents, coalesced, flush } = record;
  const { sent, firstToken, lastToken } = marks;
  if (sent === undefined || firstToken === undefined || lastToken === undefined) return undefined;
  const spanMs = lastToken - sent;
  if (contentEvents === 0 || spanMs <= 0) return undefined;
  const times = [firstToken - sent];
  for (const gap of gaps) times.push(times.at(-1)! + gap);
  const inFlush = flushReads(times, flush);
  // Where the flush is not found, its events are spread like the others: none may be missing.
  const shared = inFlush.length === 0 ? 0 : (flush?.events ?? 0) - inFlush.length;
  const extra = Math.min(coalesced, Math.max(0, shared));
  const each = (coalesced - extra) / times.length;
  const counts = new Array<number>(COLUMNS).fill(0);
  for (const [i, ms] of times.entries()) {
    const column = Math.min(COLUMNS - 1, Math.floor((ms / spanMs) * COLUMNS));
    counts[column]! += 1 + each + (inFlush.includes(i) ? extra / inFlush.length : 0);
  }
  return { spanMs: Math.round(spanMs), counts: counts.map((count) => Math.round(count * 10) / 10) };
}

/** The reads of the largest flush: it is found by the wait before it. */
function flushReads(times: readonly number[], flush: Observation['flush']): number[] {
  if (flush === undefined) return [];
  const first = times.findIndex(
    (ms, i) => Math.abs(ms - (i === 0 ? 0 : times[i - 1]!) - flush.waitMs) < 0.01 && i <= flush.before,
  );
  if (first === -1) return [];
  return times.flatMap((ms, i) => (i >= first && ms - times[first]! <= flush.spanMs + 0.01 ? [i] : []));
}

/** The figures of one request that the verdict uses. Times in ms. */
export interface VerdictFigures {
  /** Content events. */
  chunks: number;
  /** Reads that brought content. */
  arrivals: number;
  /** Characters of answer and reasoning. */
  chars: number;
  /** A lower bound of the tokens: one per event, and one per four characters. */
  tokens: number;
  /** From the request to the first content. */
  ttftMs: number;
  /** As `ttftMs`, but to the end of an unusually long gap after the first pieces. At least `ttftMs`. */
  begunMs: number;
  /** From the first content to the last. */
  spanMs: number;
  latencyMs: number;
  /** Median gap between arrivals; null with fewer than two arrivals. */
  gapMs: number | null;
  /**
   * Robust standard deviation of the gaps: the outer tenths do not affect it. Null with fewer than 8 gaps.
   */
  gapSpreadMs: number | null;
  /** Groups of content less than 40 ms apart. */
  lumps: number;
  /** Median pause between lumps; null with one lump. */
  lumpGapMs: number | null;
  /** Mean time between the chunks of a lump. */
  withinLumpMs: number;
  /** The largest flush; null where records of older versions do not have it and reads held several events. */
  flush: Flush | null;
  /** The provider reports reasoning tokens, but sent no reasoning, or only a summary of it. */
  hiddenReasoning: boolean;
  /** Input tokens by the provider's usage; null where it sends none. */
  inputTokens: number | null;
  /** Why its events cannot be counted as content: a sentence; null where they can. */
  unread: string | null;
  /** The connection was opened for the request. */
  cold: boolean;
  /** The client cut the stream as planned: when its answer would be complete is not known. */
  cut: boolean;
}

/** The figures of a request; null where no content arrived or marks are missing. */
export function verdictFigures(record: Observation): VerdictFigures | null {
  const { sent, firstToken, lastToken } = record.marks;
  if (record.contentEvents === 0) return null;
  if (sent === undefined || firstToken === undefined || lastToken === undefined) return null;
  const gaps = Float64Array.from(record.gaps).sort();
  const enough = gaps.length >= ENOUGH_GAPS;
  const pauses = gaps.filter((gap) => gap >= PAUSE_MS);
  const lumps = pauses.length + 1;
  const paused = pauses.reduce((sum, gap) => sum + gap, 0);
  const spanMs = lastToken - firstToken;
  const ttftMs = firstToken - sent;
  const gapMs = gaps.length === 0 ? null : percentileOf(gaps, 0.5);
  const chars = record.chars.answer + record.chars.thinking;
  return {
    chunks: record.contentEvents,
    arrivals: gaps.length + 1,
    chars,
    tokens: Math.max(record.contentEvents, Math.round(chars / 4)),
    ttftMs,
    begunMs: ttftMs + oddBeginning(record.gaps, gaps),
    spanMs,
    latencyMs: lastToken - sent,
    gapMs,
    // Of a normal distribution, 80 % lies within 2.56 standard deviations.
    gapSpreadMs: enough ? (percentileOf(gaps, 0.9) - percentileOf(gaps, 0.1)) / 2.563 : null,
    lumps,
    lumpGapMs: pauses.length === 0 ? null : percentileOf(pauses, 0.5),
    withinLumpMs: Math.max(0, spanMs - paused) / Math.max(1, record.contentEvents - lumps),
    flush: record.flush ?? flushOf(record, ttftMs),
    hiddenReasoning: hasHiddenReasoning(record),
    inputTokens: record.tokens.input ?? null,
    unread: unreadOf(record),
    cold: record.connection?.reused === false,
    cut: record.cut === true,
  };
}

// Records of older versions do not name hidden reasoning: there, it is hidden where no reasoning text came.
function hasHiddenReasoning({ tokens, chars }: Observation): boolean {
  return (tokens.hiddenReasoning ?? (chars.thinking === 0 ? tokens.reasoning : 0) ?? 0) > 0;
}

/** Where at least half of the events of a plain dialect are JSON, their content is not known to be the answer. */
function unreadOf({ payload }: Observation): string | null {
  if (payload === undefined || payload.json * 2 < payload.events) return null;
  const { dialect, paths, events } = payload;
  if (dialect !== undefined) return `the events match the dialect ${dialect}: use --dialect ${dialect}`;
  const counted = 'events are JSON, so every event counts as content';
  const [likeliest] = paths;
  if (likeliest === undefined) return `${counted}, and none of them has text`;
  const [path, count] = likeliest;
  return `${counted}; ${path} has text in ${count} of ${events}: use --text-path ${path}`;
}

/** How long after the first piece the steady content begins; 0 without an unusually long gap at the beginning. */
function oddBeginning(gaps: readonly number[], sorted: Float64Array): number {
  if (gaps.length < ENOUGH_GAPS) return 0;
  const [median, high] = [percentileOf(sorted, 0.5), percentileOf(sorted, 0.9)];
  const odd = Math.max(ODD_GAP_MS, ODD_GAP_FACTOR * median, ODD_GAP_FACTOR_P90 * high);
  let [elapsed, begun] = [0, 0];
  for (const gap of gaps.slice(0, ODD_GAP_WITHIN)) {
    elapsed += gap;
    if (gap >= odd) begun = elapsed;
  }
  return begun;
}

// Where each event had its own read, any of them is the largest flush; where all shared one read, that one is.
function flushOf({ contentEvents, coalesced, gaps }: Observation, ttftMs: number): Flush | null {
  if (gaps.length === 0) return { events: contentEvents, before: 0, waitMs: ttftMs, spanMs: 0 };
  return coalesced === 0 ? { events: 1, before: 0, waitMs: ttftMs, spanMs: 0 } : null;
}
