import type { UsualStream } from './usual-stream.ts';
import { BEGINS_WITH, LEAST_ERROR, RESOLVED, WELL_BEFORE } from './verdict-limits.ts';

/** The same answers without streaming, measured beside a cell. */
export interface WholeAnswer {
  /** Median total, in ms. */
  totalMs: number;
  /** How many answers it is the median of. */
  n: number;
}

/**
 * What the whole answer's time says about streams: `before`: they begin well before the whole answer can be there;
 * `after`: they begin when it is there, and end later; `open`: both explanations are as good.
 */
export type PairResult = 'before' | 'after' | 'open';

/** A stream that is sent as it is made ends about when the whole answer would have come; a replay begins about then. */
export function pairResult(usual: UsualStream, whole: WholeAnswer): PairResult {
  const error = errorOf(usual, whole);
  const begins = Math.log(usual.begunMs / whole.totalMs);
  const ends = Math.log(usual.latencyMs / whole.totalMs);
  if (begins + 2 * error < Math.log(WELL_BEFORE)) return 'before';
  if (ends - begins < RESOLVED * error) return 'open';
  const closer = Math.abs(ends) - Math.abs(begins);
  if (closer > 2 * error && begins > -BEGINS_WITH - 2 * error) return 'after';
  return closer < -2 * error && begins < -2 * error ? 'before' : 'open';
}

// Both medians have an error; 1.25 is that of a median against that of a mean, and a few streams tell their own spread
// badly.
function errorOf({ n, spread }: UsualStream, whole: WholeAnswer): number {
  return Math.max(LEAST_ERROR, 1.25 * spread * Math.sqrt(1 / n + 1 / whole.n) * (1 + 2 / n));
}
