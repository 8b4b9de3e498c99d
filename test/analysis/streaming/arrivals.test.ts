import { expect, test } from 'vitest';
import { arrivalsOf } from '../../../src/analysis/streaming/stream-figures.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { record } from '../../metrics/records.ts';
import { received } from '../../verdict/received.ts';

const stream = (at: number[]) => received({ at, chars: 4, wholeMs: 0 }, createRandom(1), 0.001);

test('every event is in its place', () => {
  const { spanMs, counts } = arrivalsOf(stream(Array.from({ length: 40 }, (_, i) => 1000 + i * 25)))!;
  expect(spanMs).toBeCloseTo(1976, -1);
  expect(counts).toHaveLength(48);
  expect(counts.slice(0, 24).every((count) => count === 0)).toBe(true);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(40);
});

test('what shared a read is where the largest flush was', () => {
  const { counts } = arrivalsOf(stream([100, 120, 140, ...new Array(30).fill(1000)]))!;
  expect(counts.at(-1)).toBe(30);
  expect(counts[4]! + counts[5]! + counts[6]!).toBe(3);
});

test('without content there is nothing to draw', () => {
  expect(arrivalsOf(record({ contentEvents: 0, gaps: [] }))).toBeUndefined();
});

// 480 ms from the request to the last content: a column is 10 ms.
function drawn(firstMs: number, gaps: number[], changes: Partial<RequestRecord> = {}) {
  const sent = 1000;
  const firstToken = sent + firstMs;
  const marks = { scheduled: 0, started: 0, sent, firstToken, lastToken: sent + 480 };
  const { spanMs, counts } = arrivalsOf(record({ marks, gaps, contentEvents: 1 + gaps.length, ...changes }))!;
  expect(spanMs).toBe(480);
  return Object.fromEntries(counts.flatMap((count, column) => (count === 0 ? [] : [[column, count]])));
}

test('a read is one event, in the column of its moment', () => {
  expect(drawn(5, [100, 375])).toEqual({ 0: 1, 10: 1, 47: 1 });
});

test('events that shared reads are spread evenly where no flush is known', () => {
  expect(drawn(5, [100, 375], { contentEvents: 6, coalesced: 3 })).toEqual({ 0: 2, 10: 2, 47: 2 });
});

test('events that shared the reads of the largest flush are drawn there', () => {
  // Nine events in the one read at 105 ms, after a wait of 100 ms.
  const flush = { events: 9, before: 1, waitMs: 100, spanMs: 0 };
  expect(drawn(5, [100, 375], { contentEvents: 11, coalesced: 8, flush })).toEqual({ 0: 1, 10: 9, 47: 1 });
  // Ten events in the reads at 105 and 115 ms.
  const two = { events: 10, before: 1, waitMs: 100, spanMs: 10 };
  expect(drawn(5, [100, 10, 365], { contentEvents: 12, coalesced: 8, flush: two })).toEqual({
    ...{ 0: 1, 10: 5, 11: 5, 47: 1 },
  });
  // Five events in the very first read, after the wait for it.
  const start = { events: 5, before: 0, waitMs: 5, spanMs: 0 };
  expect(drawn(5, [100, 375], { contentEvents: 7, coalesced: 4, flush: start })).toEqual({
    0: 5,
    10: 1,
    47: 1,
  });
  // A flush that no read fits is not known.
  const lost = { events: 5, before: 1, waitMs: 77, spanMs: 0 };
  expect(drawn(5, [100, 375], { contentEvents: 6, coalesced: 3, flush: lost })).toEqual({
    0: 2,
    10: 2,
    47: 2,
  });
});

test.each(['sent', 'firstToken', 'lastToken'] as const)('without the mark %s nothing is drawn', (name) => {
  const { [name]: _, ...marks } = record().marks;
  expect(arrivalsOf(record({ marks: marks as RequestRecord['marks'] }))).toBeUndefined();
});

test('content that came with the request itself has no width', () => {
  const { marks } = record();
  expect(arrivalsOf(record({ marks: { ...marks, lastToken: marks.sent } }))).toBeUndefined();
});
