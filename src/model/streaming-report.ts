/** The verdict on streams, as a report holds it. */

/**
 * Is it really streaming?
 * - `streaming`: content came as it was made, and there is evidence for it;
 * - `buffered`: all of it came at once, after the silence in which it was made or held back;
 * - `tail_buffered`: begun live, then the rest came at once;
 * - `replayed`: spread out, but begun only when the whole answer was there;
 * - `coarse`: sent as it was made, but in large lumps;
 * - `inconclusive`: the evidence does not tell. In reports of older versions: `too_short`.
 */
export type VerdictKind = 'streaming' | 'buffered' | 'tail_buffered' | 'replayed' | 'coarse' | 'inconclusive';

/** What may have made a stream what it is, and what to do about it. */
export interface StreamCause {
  /** What was seen. */
  what: string;
  remedy: string;
}

/** When the content of a stream arrived, from the request to the last content. */
export interface StreamArrivals {
  spanMs: number;
  /** Content events in each of as many equal parts of the span. */
  counts: number[];
}

/** The verdict on a cell's streams. */
export interface StreamingReport {
  /** The verdict on most of the streams about which something can be said. */
  verdict: VerdictKind;
  /** How many of how many, and the evidence of a typical one. */
  evidence: string;
  /** Streams by verdict. */
  counts: Record<VerdictKind, number>;
  /** What may have caused it, by the response to a typical stream. Absent for streams that are live, and in old reports. */
  causes?: StreamCause[];
  /** A typical stream; absent for `streaming`, and in old reports. */
  arrivals?: StreamArrivals;
}
