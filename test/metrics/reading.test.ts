import { expect, test } from 'vitest';
import { readingWait } from '../../src/metrics/formulas.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { request } from '../analysis/runs.ts';
import { record } from './records.ts';

// 11 arrivals of 10 characters, the first after 500 ms.
function stream(gapMs: number, firstAnswerAfter = 0) {
  const gaps = new Array<number>(10).fill(gapMs);
  const base = request(500, 10 * gapMs, { gaps, chars: { answer: 110, thinking: 0 } });
  return { ...base, marks: { ...base.marks, firstAnswer: base.marks.firstToken! + firstAnswerAfter } };
}

test('a reader slower than the stream waits for its start only', () => {
  // 10 characters take 500 ms to read at 20 a second.
  expect(readingWait(stream(499), 20)).toBeCloseTo(500, 6);
  expect(readingWait(stream(10), 20)).toBeCloseTo(500, 6);
});

test('a reader who is faster waits at every piece', () => {
  expect(readingWait(stream(700), 20)).toBeCloseTo(500 + 10 * 200, 6);
});

test('a stall counts only beyond the time of reading', () => {
  const stalled = stream(100);
  // After five pieces, of which one is read by then: four of 500 ms are in store.
  stalled.gaps[4] = 3000;
  expect(readingWait(stalled, 20)).toBeCloseTo(500 + (400 + 3000) - 5 * 500, 6);
});

test('a whole answer is waited for completely; without an answer there is no wait', () => {
  expect(readingWait(request(500, 2000, { mode: 'non-streaming' }))).toBe(2500);
  expect(readingWait(record({ chars: { answer: 0, thinking: 40 } }))).toBeNull();
});

test('thinking is not read', () => {
  // The answer begins with the sixth arrival.
  expect(readingWait(stream(100, 500), 20)).toBeCloseTo(1000, 6);
});

test('content before the answer takes no time to read', () => {
  // Reads after 500, 1200 and 1900 ms and so on; the answer begins with the third: nine reads of 110 characters.
  const eachMs = (110 / 9) * 50;
  expect(readingWait(stream(700, 1400), 20)).toBeCloseTo(1900 + 8 * (700 - eachMs), 6);
});

test.each(['sent', 'firstToken', 'firstAnswer', 'lastToken'] as const)(
  'without %s there is no wait',
  (name) => {
    const { [name]: _, ...marks } = record().marks;
    expect(readingWait({ ...record(), marks: marks as RequestRecord['marks'] })).toBeNull();
    expect(
      readingWait({ ...record({ mode: 'non-streaming' }), marks: marks as RequestRecord['marks'] }),
    ).toBeNull();
  },
);
