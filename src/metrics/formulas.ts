import type { RequestRecord } from '../model/record.ts';
import type { Marks } from '../model/timeline.ts';

/**
 * Characters a second of an average silent reader of English: 238 words a minute, six characters each with the space
 * (M. Brysbaert, Journal of Memory and Language 109, 2019).
 */
export const READING_PACE = 24;

/**
 * How long someone who reads the answer as it comes has waited in all, in ms: for its beginning, and later wherever the text
 * ran out. A whole answer is waited for whole. Null where no answer text came. Thinking is not read; the text is taken as
 * spread evenly over the moments at which content arrived.
 */
export function readingWait(
  { marks, gaps, chars, mode }: Pick<RequestRecord, 'marks' | 'gaps' | 'chars' | 'mode'>,
  charsPerSecond: number = READING_PACE,
): number | null {
  const { sent, firstToken, firstAnswer, lastToken } = marks;
  if (sent === undefined || firstToken === undefined || firstAnswer === undefined || lastToken === undefined)
    return null;
  if (chars.answer === 0) return null;
  if (mode === 'non-streaming') return lastToken - sent;
  const arrivals = [firstAnswer - sent];
  let now = firstToken - sent;
  for (const gap of gaps) {
    now += gap;
    if (now > arrivals[0]!) arrivals.push(now);
  }
  const perArrivalMs = ((chars.answer / arrivals.length) * 1000) / charsPerSecond;
  // The reader is done when the last piece is read; each piece is begun when it is there and the one before is read.
  let readUntil = 0;
  for (const arrival of arrivals) readUntil = Math.max(readUntil, arrival) + perArrivalMs;
  return readUntil - arrivals.length * perArrivalMs;
}

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
const MIN_SPAN_MS = 1;

/** Time from the first content to the last; null where it is under 1 ms, too short to divide by. */
export function contentSpanMs({ marks }: RequestRecord): number | null {
  const span = between(marks.firstToken, marks.lastToken);
  return span !== null && span >= MIN_SPAN_MS ? span : null;
}

/**
 * Reasoning tokens that the provider counts as output but did not send as text; null where it does not count reasoning.
 * Records of older versions do not say: there, reasoning is hidden where no reasoning text came.
 */
export function hiddenReasoning({ tokens, chars }: RequestRecord): number | null {
  if (tokens.hiddenReasoning !== undefined) return tokens.hiddenReasoning;
  if (tokens.reasoning === undefined || tokens.source !== 'usage') return null;
  return chars.thinking === 0 ? tokens.reasoning : 0;
}

/**
 * Time per visible token after the first read with content; null when there is nothing to divide, or nothing to divide by.
 * Hidden reasoning was generated before the first visible token, so neither its tokens nor, where a summary of it was sent,
 * the time of the summary count.
 */
export function msPerToken(record: RequestRecord): number | null {
  const { tokens, marks } = record;
  const { output, visibleAfterMs = 0 } = tokens;
  const contentMs = between(marks.firstToken, marks.lastToken);
  if (contentMs === null || output === null) return null;
  const span = contentMs - visibleAfterMs;
  const visible = output - (hiddenReasoning(record) ?? 0);
  const later = visible - firstVisible(record, visible);
  return span >= MIN_SPAN_MS && later > 0 ? span / later : null;
}

// Older records have the first read's share of all output tokens.
function firstVisible(
  { tokens: { first = 1, output, hiddenReasoning } }: RequestRecord,
  visible: number,
): number {
  return hiddenReasoning !== undefined || !output ? first : (first * visible) / output;
}

/** All output tokens a second from the request to the last content; null without a count. */
export function outputRate({ tokens, marks }: RequestRecord): number | null {
  const ms = between(marks.sent, marks.lastToken);
  return tokens.output !== null && ms !== null && ms >= MIN_SPAN_MS ? (tokens.output * 1000) / ms : null;
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
