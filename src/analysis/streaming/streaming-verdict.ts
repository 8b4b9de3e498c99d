import type { VerdictKind } from '../../model/report.ts';
import type { LengthTest } from './length-test.ts';
import type { StreamMedians } from './stream-medians.ts';
import type { StreamShape } from './stream-shape.ts';
import type { VerdictReason } from './verdict-evidence.ts';
import {
  BEGINS_WITH,
  CORRELATION_FAKE,
  CORRELATION_NOT_LIVE,
  EARLY_SHARE,
  ENOUGH_STREAMS,
  FAIRLY_EARLY_SHARE,
  LEAST_ERROR,
  LIKELY_TOKEN_MS,
  RESOLVED,
  WELL_BEFORE,
} from './verdict-limits.ts';

/** Decides whether the streams of one shape in a cell are live. A single request is never enough to call a stream fake. */

export type { VerdictKind } from '../../model/report.ts';

/** The verdicts, in the order of reports. */
export const VERDICT_KINDS = [
  'streaming',
  'buffered',
  'tail_buffered',
  'replayed',
  'coarse',
  'inconclusive',
] as const satisfies readonly VerdictKind[];

/** The meaning of each verdict, and what to do about it; for the help and the manual. */
export const VERDICT_MEANING: Readonly<Record<VerdictKind, { meaning: string; remedy: string }>> = {
  streaming: {
    meaning: 'content arrived as it was generated, and there is evidence for it',
    remedy: 'nothing to do',
  },
  coarse: {
    meaning: 'the same, but in lumps 95 ms or more apart: "in lumps of 20 every 0.4 s"',
    remedy: 'if the lumps are too large, look for a flush interval or a minimum chunk size',
  },
  buffered: {
    meaning: 'everything arrived at once, at the end',
    remedy: 'measure the service without the proxy in front of it: if it streams there, the proxy buffers',
  },
  tail_buffered: {
    meaning: 'it began live, then the rest arrived at once',
    remedy: 'as for buffered',
  },
  replayed: {
    meaning: 'it was spread over time, but began only when the whole answer was ready',
    remedy: 'the service itself sends a finished answer slowly; only the service can be changed',
  },
  inconclusive: {
    meaning: 'the evidence is not sufficient; the message says why, and which command would decide',
    remedy: 'run that command, usually with --mode both or --lengths 16,256 -n 5',
  },
};

/** The current name of a verdict: reports of older versions have `too_short` for `inconclusive`. */
export function nameOfVerdict(verdict: string): VerdictKind {
  return VERDICT_KINDS.find((kind) => kind === verdict) ?? 'inconclusive';
}

/** Other measurements of the same answers. */
export interface VerdictContext {
  /** Absent where they were not measured without streaming. */
  whole?: NonStreamingTotal;
  /** The length test; absent where it was not measured. */
  lengths?: LengthTest;
}

/** A verdict and its reason. */
export type Decision = readonly [VerdictKind, VerdictReason];

/** Decides for streams of one shape. `medians` is absent for `nothing`. */
export function decide(
  shape: StreamShape,
  medians: StreamMedians | undefined,
  { whole, lengths }: VerdictContext,
): Decision {
  if (medians === undefined || shape === 'nothing') return ['inconclusive', 'no_content'];
  if (medians.unread) return ['inconclusive', 'unread'];
  if (shape === 'little') return ['inconclusive', 'little_content'];
  if (shape === 'instant') return ['inconclusive', 'instant'];
  const pair = whole === undefined ? 'open' : pairResult(medians, whole);
  const single = medians.n < ENOUGH_STREAMS;
  if (shape === 'tail') return single ? ['inconclusive', 'single'] : ['tail_buffered', 'tail'];
  const live = liveReason(medians, pair, lengths);
  const fake = fakeReason(shape, medians, pair, lengths);
  if (fake !== undefined && live !== undefined && live !== 'early') return ['inconclusive', 'contradiction'];
  if (fake !== undefined) {
    if (single) return ['inconclusive', 'single'];
    return [shape === 'held' || shape === 'brief' ? 'buffered' : 'replayed', fake];
  }
  if (live !== undefined) return shape === 'lumps' ? ['coarse', live] : ['streaming', live];
  return ['inconclusive', shape === 'brief' ? 'brief' : lengths?.result === 'weak' ? 'weak' : 'open'];
}

/** The evidence that content was sent while it was generated; undefined without any. */
function liveReason(
  medians: StreamMedians,
  pair: PairResult,
  lengths: LengthTest | undefined,
): VerdictReason | undefined {
  if (pair === 'before') return 'before_whole';
  if (lengths?.result === 'same') return 'same_wait';
  return pair === 'after' || !beginsEarly(medians) ? undefined : 'early';
}

/** The evidence that the answer was complete before it was sent; undefined without any. */
function fakeReason(
  shape: StreamShape,
  medians: StreamMedians,
  pair: PairResult,
  lengths: LengthTest | undefined,
): VerdictReason | undefined {
  if (shape === 'held') return 'held';
  // Reasoning that is not sent causes a wait. Neither a pair nor a length test can distinguish it from a replay.
  if (medians.hiddenReasoning) return undefined;
  if (lengths?.result === 'grows') return 'longer_wait';
  if (pair === 'after') return 'after_whole';
  return (medians.lengthCorrelation ?? 0) >= CORRELATION_FAKE ? 'correlation' : undefined;
}

function beginsEarly({ begunMs, latencyMs, tokens, timed, lengthCorrelation }: StreamMedians): boolean {
  const share = begunMs / latencyMs;
  if ((lengthCorrelation ?? 0) >= CORRELATION_NOT_LIVE) return false;
  if (share < EARLY_SHARE) return true;
  return share < FAIRLY_EARLY_SHARE && begunMs < LIKELY_TOKEN_MS * tokens && !timed;
}

/** The same answers without streaming. */
export interface NonStreamingTotal {
  /** Median total, in ms. */
  totalMs: number;
  /** Number of answers. */
  n: number;
}

/**
 * Streams compared with the non-streaming total: `before`: they begin well before the answer can be complete; `after`: they begin
 * when it is complete, and end later; `open`: both are possible.
 */
export type PairResult = 'before' | 'after' | 'open';

/** A live stream ends at about the non-streaming total; a replay begins at about that time. */
export function pairResult(medians: StreamMedians, whole: NonStreamingTotal): PairResult {
  const error = errorOf(medians, whole);
  const begins = Math.log(medians.begunMs / whole.totalMs);
  const ends = Math.log(medians.latencyMs / whole.totalMs);
  if (begins + 2 * error < Math.log(WELL_BEFORE)) return 'before';
  if (ends - begins < RESOLVED * error) return 'open';
  const closer = Math.abs(ends) - Math.abs(begins);
  if (closer > 2 * error && begins > -BEGINS_WITH - 2 * error) return 'after';
  return closer < -2 * error && begins < -2 * error ? 'before' : 'open';
}

// Both medians have an error. 1.25: the error of a median relative to that of a mean. The last factor: few streams give a poor
// estimate of their spread.
function errorOf({ n, spread }: StreamMedians, whole: NonStreamingTotal): number {
  return Math.max(LEAST_ERROR, 1.25 * spread * Math.sqrt(1 / n + 1 / whole.n) * (1 + 2 / n));
}
