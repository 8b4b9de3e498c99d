import type { RequestRecord } from '../model/record.ts';
import type { Marks } from '../model/timeline.ts';

/**
 * Reading speed of an average silent reader of English, in characters/s: 238 words per minute, six characters each including
 * the space (M. Brysbaert, Journal of Memory and Language 109, 2019).
 */
const READING_PACE = 24;

/**
 * Time until a reader can start and then read without a pause, in ms: the sum of all waits of a reader who starts with the
 * first text. For a non-streaming answer, its latency. Null without answer text. Reasoning is not read; the text is assumed to
 * be spread evenly over the times at which content arrived.
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
  const startMs = firstAnswer - sent;
  const arrivals = [startMs];
  let now = firstToken - sent;
  for (const gap of gaps) {
    now += gap;
    if (now > startMs) arrivals.push(now);
  }
  const perArrivalMs = ((chars.answer / arrivals.length) * 1000) / charsPerSecond;
  // A piece is read when it has arrived and the one before is read.
  let readUntil = 0;
  for (const arrival of arrivals) readUntil = Math.max(readUntil, arrival) + perArrivalMs;
  return readUntil - arrivals.length * perArrivalMs;
}

/** Time between two marks; null if either is missing. */
export function between(from: number | undefined, to: number | undefined): number | null {
  return typeof from === 'number' && typeof to === 'number' ? to - from : null;
}

/** A phase of connecting; null if an open connection was reused. */
export function connecting(record: RequestRecord, take: (marks: Marks) => number | null): number | null {
  return record.connection?.reused === false ? take(record.marks) : null;
}

// Stamps are precise to tens of microseconds: a rate over a shorter span is noise, and a buffered answer would report a million
// tokens/s.
const MIN_SPAN_MS = 1;

/** Time from the first content to the last; null under 1 ms, which is too short to divide by. */
export function contentSpanMs({ marks }: RequestRecord): number | null {
  const span = between(marks.firstToken, marks.lastToken);
  return span !== null && span >= MIN_SPAN_MS ? span : null;
}

/**
 * Reasoning tokens that the provider counts as output but did not send as text; null if it does not count reasoning. For
 * records of older versions, reasoning is hidden if there is no reasoning text.
 */
export function hiddenReasoning({ tokens, chars }: RequestRecord): number | null {
  if (tokens.hiddenReasoning !== undefined) return tokens.hiddenReasoning;
  if (tokens.reasoning === undefined || tokens.source !== 'usage') return null;
  return chars.thinking === 0 ? tokens.reasoning : 0;
}

/**
 * Time per visible token after the first read with content; null without such tokens, or if the span is too short. Hidden
 * reasoning was generated before the first visible token, so its tokens do not count, nor does the time of its summary.
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

// In older records, `first` is the first read's share of all output tokens.
function firstVisible(
  { tokens: { first = 1, output, hiddenReasoning } }: RequestRecord,
  visible: number,
): number {
  return hiddenReasoning !== undefined || !output ? first : (first * visible) / output;
}

/** Output tokens per second from the request to the last content; null without a count. */
export function outputRate({ tokens, marks }: RequestRecord): number | null {
  const ms = between(marks.sent, marks.lastToken);
  return tokens.output !== null && ms !== null && ms >= MIN_SPAN_MS ? (tokens.output * 1000) / ms : null;
}

/** Share of the input tokens that were cached; null if the provider does not report both counts, or impossible ones. */
export function cachedShare({ tokens: { input, cachedInput } }: RequestRecord): number | null {
  if (input === undefined || input === 0 || cachedInput === undefined) return null;
  // Records of older versions: Anthropic's input count excludes the cached tokens.
  return cachedInput > input ? null : cachedInput / input;
}

/**
 * The silence between the last content and the planned cut of a stream: the least that this gap would have been. 0 for a stream
 * that ended by itself.
 */
export function openGapMs({ cut, marks }: RequestRecord): number {
  return cut ? (between(marks.lastToken, marks.end) ?? 0) : 0;
}

/** Content events per second after the first; null without a span. A stream that was cut was observed until the cut. */
export function chunkRate(record: RequestRecord): number | null {
  const { contentEvents } = record;
  const span = contentSpanMs(record);
  if (contentEvents < 2 || span === null) return null;
  return ((contentEvents - 1) * 1000) / (span + openGapMs(record));
}

/** The gaps longer than the limit; null without content. */
export function stalledGaps(record: RequestRecord, stallMs: number): number[] | null {
  if (record.contentEvents === 0) return null;
  return [...record.gaps, openGapMs(record)].filter((gap) => gap > stallMs);
}
