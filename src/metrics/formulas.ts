import type { RequestRecord } from '../model/record.ts';
import type { Marks } from '../model/timeline.ts';

/** The parts that formulas of `definitions.ts` share. */

/** From one moment to a later one; null where either is missing. */
export function between(from: number | undefined, to: number | undefined): number | null {
  return typeof from === 'number' && typeof to === 'number' ? to - from : null;
}

/** A phase of connecting; null where an open connection was used. */
export function connecting(record: RequestRecord, take: (marks: Marks) => number | null): number | null {
  return record.connection?.reused === false ? take(record.marks) : null;
}

// Reads are stamped to within some tens of microseconds: over less than this a rate is noise, and one buffered answer
// would report a million tokens a second.
const LEAST_SPAN_MS = 1;

/** Time from the first content to the last; null where it is under 1 ms, too short to divide by. */
export function contentSpanMs({ marks }: RequestRecord): number | null {
  const span = between(marks.firstToken, marks.lastToken);
  return span !== null && span >= LEAST_SPAN_MS ? span : null;
}

/** Time per output token after the first event; null when there is nothing to divide, or nothing to divide by. */
export function msPerToken(record: RequestRecord): number | null {
  const span = contentSpanMs(record);
  const { output, first } = record.tokens;
  if (span === null || output === null) return null;
  const later = output - (first ?? 1);
  return later > 0 ? span / later : null;
}

/** The share of the input tokens that came from a cache; null where the provider does not tell both counts, or impossible ones. */
export function cachedShare({ tokens: { input, cachedInput } }: RequestRecord): number | null {
  if (input === undefined || input === 0 || cachedInput === undefined) return null;
  // Also records of older versions, in which the input of Anthropic leaves the cached tokens out.
  return cachedInput > input ? null : cachedInput / input;
}

/** The gaps over the limit; null without content. */
export function stalledGaps(record: RequestRecord, stallMs: number): number[] | null {
  return record.contentEvents > 0 ? record.gaps.filter((gap) => gap > stallMs) : null;
}
