import { percentileOf } from '../../metrics/percentile.ts';
import type { VerdictFigures } from './stream-figures.ts';
import {
  CORRELATION_STREAMS,
  FASTEST_TIMER_MS,
  TIMER_EVENTS,
  TIMER_SPREAD,
  TIMER_SPREAD_MS,
} from './verdict-limits.ts';

/** Medians over streams of one shape, in ms. A verdict is on the service, so single streams do not decide. */
export interface StreamMedians {
  n: number;
  /** The wait: see `VerdictFigures.begunMs`. */
  begunMs: number;
  latencyMs: number;
  tokens: number;
  /** Standard deviation of the logarithm of the wait, from the inner 80 %. */
  spread: number;
  /**
   * Pearson's r of characters and wait: near 1 where the answer is generated before it is sent. Null with fewer than 12
   * streams or where all have about the same length.
   */
  lengthCorrelation: number | null;
  /** At least half of the streams have gaps as regular as those of a timer. */
  timed: boolean;
  /** At least half of the streams have events that cannot be counted as content. */
  unread: boolean;
  /** At least half of the streams report reasoning that was not sent, or only as a summary. */
  hiddenReasoning: boolean;
}

/** The medians of at least one stream. */
export function mediansOf(streams: readonly VerdictFigures[]): StreamMedians {
  const sorted = (of: (figures: VerdictFigures) => number) => Float64Array.from(streams, of).sort();
  const begun = sorted(({ begunMs }) => begunMs);
  const half = (is: (figures: VerdictFigures) => boolean) => streams.filter(is).length * 2 >= streams.length;
  const low = percentileOf(begun, 0.1);
  return {
    n: streams.length,
    begunMs: percentileOf(begun, 0.5),
    latencyMs: percentileOf(
      sorted(({ latencyMs }) => latencyMs),
      0.5,
    ),
    tokens: percentileOf(
      sorted(({ tokens }) => tokens),
      0.5,
    ),
    spread: low > 0 ? Math.log(percentileOf(begun, 0.9) / low) / 2.563 : 0,
    lengthCorrelation: lengthCorrelation(streams),
    timed: half(isTimed),
    unread: half(({ unread }) => unread !== null),
    hiddenReasoning: half(({ hiddenReasoning }) => hiddenReasoning),
  };
}

function isTimed({ gapMs, gapSpreadMs, chunks, arrivals }: VerdictFigures): boolean {
  if (gapMs === null || gapMs < FASTEST_TIMER_MS || chunks > TIMER_EVENTS * arrivals) return false;
  return gapSpreadMs !== null && gapSpreadMs <= Math.max(TIMER_SPREAD * gapMs, TIMER_SPREAD_MS);
}

function lengthCorrelation(streams: readonly VerdictFigures[]): number | null {
  const n = streams.length;
  if (n < CORRELATION_STREAMS) return null;
  const meanChars = streams.reduce((sum, { chars }) => sum + chars, 0) / n;
  const meanWait = streams.reduce((sum, { begunMs }) => sum + begunMs, 0) / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (const { chars, begunMs } of streams) {
    const x = chars - meanChars;
    const y = begunMs - meanWait;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  // With lengths within 3 % of each other the correlation has no meaning.
  if (Math.sqrt(xx / n) < 0.03 * meanChars || yy === 0) return null;
  return xy / Math.sqrt(xx * yy);
}
