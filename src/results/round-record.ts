import type { Attempt } from '../model/behaviour.ts';
import type { RequestRecord } from '../model/record.ts';
import { MARK_ORDER, type Marks, microseconds } from '../model/timeline.ts';

/**
 * Rounds the times of a record to whole microseconds, the precision of the clock. Every record is rounded once, before it is
 * aggregated and written, so a live report and one rebuilt from the file are equal to the last digit.
 */
export function roundRecord(record: RequestRecord): RequestRecord {
  const rounded: RequestRecord = {
    ...record,
    marks: roundMarks(record.marks),
    gaps: record.gaps.map(toMicroseconds),
  };
  if (record.secondTokenGap !== undefined) rounded.secondTokenGap = toMicroseconds(record.secondTokenGap);
  if (record.flush !== undefined) {
    const { waitMs, spanMs, ...counts } = record.flush;
    rounded.flush = { ...counts, waitMs: toMicroseconds(waitMs), spanMs: toMicroseconds(spanMs) };
  }
  if (record.attempt !== undefined) rounded.attempt = roundAttempt(record.attempt);
  if (record.resumptions !== undefined) rounded.resumptions = record.resumptions.map(roundTimes);
  const { first, visibleAfterMs } = record.tokens;
  if (first !== undefined) rounded.tokens = { ...record.tokens, first: toMicroseconds(first) };
  if (visibleAfterMs !== undefined) {
    rounded.tokens = { ...rounded.tokens, visibleAfterMs: toMicroseconds(visibleAfterMs) };
  }
  return rounded;
}

function roundAttempt({ first, ...attempt }: Attempt): Attempt {
  return first === undefined ? roundTimes(attempt) : { ...roundTimes(attempt), first: roundTimes(first) };
}

/** A copy with its numbers rounded; whole numbers stay as they are. */
function roundTimes<T extends object>(times: T): T {
  const entries = Object.entries(times) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' ? toMicroseconds(value) : value]),
  ) as T;
}

function roundMarks(marks: Marks): Marks {
  const rounded: Marks = {
    scheduled: toMicroseconds(marks.scheduled),
    started: toMicroseconds(marks.started),
  };
  for (const name of MARK_ORDER) {
    const mark = marks[name];
    if (mark !== undefined) rounded[name] = toMicroseconds(mark);
  }
  return rounded;
}

function toMicroseconds(ms: number): number {
  // `+ 0` turns -0 into 0, as JSON does.
  return microseconds(ms) / 1000 + 0;
}
