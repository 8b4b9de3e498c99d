import type { RequestRecord } from '../model/record.ts';

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
