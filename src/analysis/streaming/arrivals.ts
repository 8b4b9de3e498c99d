import type { RequestRecord } from '../../model/record.ts';
import type { StreamArrivals } from '../../model/report.ts';

/** Columns of a drawing of arrivals. */
const COLUMNS = 48;

/**
 * When the content of a stream arrived, from the request to the last content, as counts in 48 columns. Exact where each
 * read brought one event or all others came in the largest flush; other shared reads are taken for equal. Undefined
 * without content.
 */
export function arrivalsOf(record: RequestRecord): StreamArrivals | undefined {
  const { marks, gaps, contentEvents, coalesced, flush } = record;
  const { sent, firstToken, lastToken } = marks;
  if (sent === undefined || firstToken === undefined || lastToken === undefined) return undefined;
  const spanMs = lastToken - sent;
  if (contentEvents === 0 || spanMs <= 0) return undefined;
  const times = [firstToken - sent];
  for (const gap of gaps) times.push(times.at(-1)! + gap);
  const inFlush = flushReads(times, flush);
  const extra = Math.min(coalesced, Math.max(0, (flush?.events ?? 0) - inFlush.length));
  const each = (coalesced - extra) / times.length;
  const counts = new Array<number>(COLUMNS).fill(0);
  for (const [i, ms] of times.entries()) {
    const column = Math.min(COLUMNS - 1, Math.floor((ms / spanMs) * COLUMNS));
    counts[column]! += 1 + each + (inFlush.includes(i) ? extra / inFlush.length : 0);
  }
  return { spanMs: Math.round(spanMs), counts: counts.map((count) => Math.round(count * 10) / 10) };
}

/** The reads of the largest flush: it is found by the wait before it. */
function flushReads(times: readonly number[], flush: RequestRecord['flush']): number[] {
  if (flush === undefined) return [];
  const first = times.findIndex(
    (ms, i) => Math.abs(ms - (i === 0 ? 0 : times[i - 1]!) - flush.waitMs) < 0.01 && i <= flush.before,
  );
  if (first === -1) return [];
  return times.flatMap((ms, i) => (i >= first && ms - times[first]! <= flush.spanMs + 0.01 ? [i] : []));
}
