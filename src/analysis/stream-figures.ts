import { percentileOf } from '../metrics/percentile.ts';
import type { RequestRecord } from '../model/record.ts';

/** What a verdict on a stream is read from: a few figures of each request, and what is known beside it. */

const ENOUGH_GAPS = 8;
/** Lumps are so far apart that a reader sees them. */
const LUMP_GAP_MS = 40;

/** What a verdict is read from. Times in ms. */
export interface VerdictFigures {
  /** Content events. */
  chunks: number;
  /** Moments at which content arrived: reads that brought some. */
  arrivals: number;
  /** Characters of answer and reasoning. */
  chars: number;
  /** From the request to the first content: the silence. */
  ttftMs: number;
  /** From the first content to the last. */
  spanMs: number;
  latencyMs: number;
  /** Half of the gaps between arrivals are longer than this; null with fewer than two arrivals. */
  gapMs: number | null;
  /**
   * How much gaps differ: a standard deviation in ms that a tenth of odd gaps on either side does not change; null
   * with fewer than 8 gaps, where it would mean nothing.
   */
  gapSpreadMs: number | null;
  /** Lumps: content that is not 40 ms apart. */
  lumps: number;
  /** Half of the pauses between lumps are longer than this; null with one lump. */
  lumpGapMs: number | null;
  /** Mean time between the chunks of a lump. */
  withinLumpMs: number;
  /** The provider says that it reasoned, and none of the reasoning was sent. */
  hiddenReasoning: boolean;
}

/** What is known beside the request. */
export interface VerdictContext {
  /** Median total of the non-streaming answers of the same target, prompt and concurrency, in ms. */
  pairedTotalMs?: number;
  /** What is usual in the request's cell: a stream is replayed by its service, not by its own bad luck. */
  usual?: UsualStream;
}

/** Medians of the good streams of a cell, in ms. */
export interface UsualStream {
  n: number;
  ttftMs: number;
  latencyMs: number;
  /** Standard deviation of the logarithm of the time to the first token. */
  spread: number;
  /**
   * How far longer answers begin later (Pearson's r of characters and time to the first token): near 1 where the
   * answer is made before it is sent. Null with fewer than 10 streams or where all are about as long.
   */
  lengthCorrelation: number | null;
}

/** What the verdict on a request is read from; null where no content arrived or marks are missing. */
export function verdictFigures(record: RequestRecord): VerdictFigures | null {
  const { sent, firstToken, lastToken } = record.marks;
  if (record.contentEvents === 0) return null;
  if (sent === undefined || firstToken === undefined || lastToken === undefined) return null;
  const gaps = Float64Array.from(record.gaps).sort();
  const enough = gaps.length >= ENOUGH_GAPS;
  const pauses = gaps.filter((gap) => gap >= LUMP_GAP_MS);
  const lumps = pauses.length + 1;
  const paused = pauses.reduce((sum, gap) => sum + gap, 0);
  const spanMs = lastToken - firstToken;
  return {
    chunks: record.contentEvents,
    arrivals: gaps.length + 1,
    chars: record.chars.answer + record.chars.thinking,
    ttftMs: firstToken - sent,
    spanMs,
    latencyMs: lastToken - sent,
    gapMs: gaps.length === 0 ? null : percentileOf(gaps, 0.5),
    // Of a normal distribution, 80 % lies within 2.56 standard deviations.
    gapSpreadMs: enough ? (percentileOf(gaps, 0.9) - percentileOf(gaps, 0.1)) / 2.563 : null,
    lumps,
    lumpGapMs: pauses.length === 0 ? null : percentileOf(pauses, 0.5),
    withinLumpMs: Math.max(0, spanMs - paused) / Math.max(1, record.contentEvents - lumps),
    hiddenReasoning: (record.tokens.reasoning ?? 0) > 0 && record.chars.thinking === 0,
  };
}
