// The streaming verdict in a report.

/**
 * Is it really streaming?
 * - `streaming`: content was sent as it was generated, with evidence;
 * - `buffered`: all content arrived at once, after a pause in which it was generated or held back;
 * - `tail_buffered`: the first part was streamed, then the rest arrived at once;
 * - `replayed`: content was spread over time, but only after the whole answer had been generated;
 * - `coarse`: content was sent as it was generated, but in large chunks;
 * - `inconclusive`: not enough evidence. In reports of older versions: `too_short`.
 */
export type VerdictKind = 'streaming' | 'buffered' | 'tail_buffered' | 'replayed' | 'coarse' | 'inconclusive';

/** A possible cause of a verdict, and its remedy. */
export interface StreamCause {
  /** The observation that suggests it. */
  what: string;
  remedy: string;
}

/** When the content of a stream arrived, from the request to the last content. */
export interface StreamArrivals {
  spanMs: number;
  /** Content events in each of `counts.length` equal parts of the span. */
  counts: number[];
}

/** The verdict on a cell's streams. */
export interface StreamingReport {
  /** The verdict on most of the streams that have a conclusive verdict. */
  verdict: VerdictKind;
  /** How many streams have the verdict, and the evidence of a typical one. */
  evidence: string;
  /** Streams by verdict. */
  counts: Record<VerdictKind, number>;
  /** Possible causes, from the response of a typical stream. Absent for `streaming`, and in old reports. */
  causes?: StreamCause[];
  /** A typical stream; absent for `streaming`, and in old reports. */
  arrivals?: StreamArrivals;
}
