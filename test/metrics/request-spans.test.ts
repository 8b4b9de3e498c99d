import { describe, expect, test } from 'vitest';
import {
  inFlightArea,
  mostInFlight,
  RequestSpans,
  sumTotals,
  TimelineRoom,
  wholeSpan,
} from '../../src/metrics/request-spans.ts';

type Life = [fromMs: number, toMs: number, tokens: number, ok: boolean, good: boolean];

function spansOf(...all: Life[]): RequestSpans {
  const spans = new RequestSpans();
  for (const [fromMs, toMs, tokens, ok, good] of all) spans.add({ fromMs, toMs }, { ok, tokens, good });
  return spans;
}

const FOUR = spansOf(
  [0, 1000, 10, true, false],
  [500, 2500, 20, true, true],
  [900, 900, 5, true, true],
  // The tokens of a request that failed do not count.
  [0, 4000, 99, false, false],
);

describe('totals', () => {
  test('each request counts by the share of its time inside the span', () => {
    // The shares: 1, 500 of 2000, 1, and 1000 of 4000.
    expect(FOUR.totals({ fromMs: 0, toMs: 1000 })).toEqual({
      count: 4,
      lengthMs: 7000,
      squares: 1000 ** 2 + 2000 ** 2 + 4000 ** 2,
      amounts: { requests: 3, tokens: 35, good: 2 },
      inside: { requests: 2.25, tokens: 10 + 5 + 5, good: 1.25 },
      byLength: { requests: 3000, tokens: 10 * 1000 + 20 * 2000, good: 2000 },
    });
  });

  test('a span before or after a request contains nothing of it', () => {
    const inside = { requests: 0, tokens: 0, good: 0 };
    expect(FOUR.totals({ fromMs: 5000, toMs: 6000 }).inside).toEqual(inside);
    expect(FOUR.totals({ fromMs: -2000, toMs: -1000 }).inside).toEqual(inside);
  });

  test('a request of length 0 is in the spans that touch it', () => {
    const instant = spansOf([900, 900, 5, true, true]);
    const requests = (fromMs: number, toMs: number) => instant.totals({ fromMs, toMs }).inside.requests;
    expect([requests(900, 1000), requests(800, 900), requests(901, 1000), requests(0, 899)]).toEqual([
      ...[1, 1, 0, 0],
    ]);
  });

  test('of several rounds are added up', () => {
    const one = FOUR.totals({ fromMs: 0, toMs: 1000 });
    const two = spansOf([0, 100, 7, true, true]).totals({ fromMs: 0, toMs: 50 });
    expect(sumTotals([one, two])).toEqual({
      count: 5,
      lengthMs: 7100,
      squares: 21_010_000,
      amounts: { requests: 4, tokens: 42, good: 3 },
      inside: { requests: 2.75, tokens: 23.5, good: 1.75 },
      byLength: { requests: 3100, tokens: 50_700, good: 2100 },
    });
  });
});

test('an end before the start is taken as the start, and many requests are kept', () => {
  const spans = new RequestSpans();
  for (let i = 0; i < 200; i++) {
    spans.add({ fromMs: i, toMs: i % 2 ? i + 3 : i - 3 }, { ok: i % 3 === 0, tokens: i, good: false });
  }
  expect(spans.length).toBe(200);
  const { starts, ends } = spans.timeline(new TimelineRoom());
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const byTime = (a: number, b: number) => a - b;
  expect([...starts]).toEqual(numbers);
  expect([...ends]).toEqual(numbers.map((i) => (i % 2 ? i + 3 : i)).sort(byTime));
  expect([...spans.okEnds()]).toEqual(
    numbers
      .filter((i) => i % 3 === 0)
      .map((i) => (i % 2 ? i + 3 : i))
      .sort(byTime),
  );
});

test('a timeline has the most requests at once: an end at the moment of a start frees its slot', () => {
  const timeline = spansOf(
    [0, 10, 0, true, true],
    [10, 20, 0, true, true],
    [15, 30, 0, true, true],
    [40, 40, 0, true, true],
  ).timeline(new TimelineRoom());
  expect([...timeline.starts]).toEqual([0, 10, 15, 40]);
  expect([...timeline.ends]).toEqual([10, 20, 30, 40]);
  expect(wholeSpan(timeline)).toEqual({ fromMs: 0, toMs: 40 });
  expect(mostInFlight(timeline)).toBe(2);
  // From 5 to 25: one for 5 ms, one for 5, two for 5, one for 5.
  expect(inFlightArea(timeline, { fromMs: 5, toMs: 25 })).toBe(25);
});
