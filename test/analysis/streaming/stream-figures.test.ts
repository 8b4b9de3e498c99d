import { describe, expect, test } from 'vitest';
import { verdictFigures } from '../../../src/analysis/streaming/stream-figures.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { record } from '../../metrics/records.ts';

const figuresOf = (changes: Partial<RequestRecord> = {}) => verdictFigures(record(changes))!;
const { marks } = record();

test('of a stream of five pieces, 20 ms apart, from 100 ms on', () => {
  expect(figuresOf()).toEqual({
    ...{ chunks: 5, arrivals: 5, chars: 20, tokens: 5, cut: false },
    ...{ ttftMs: 100, begunMs: 100, spanMs: 80, latencyMs: 180 },
    ...{ gapMs: 20, gapSpreadMs: null, lumps: 1, lumpGapMs: null, withinLumpMs: 20 },
    flush: { events: 1, before: 0, waitMs: 100, spanMs: 0 },
    ...{ hiddenReasoning: false, inputTokens: null, unread: null, cold: true },
  });
});

test('reasoning counts as content; four characters are a token at least', () => {
  expect(figuresOf({ chars: { answer: 30, thinking: 50 } })).toMatchObject({ chars: 80, tokens: 20 });
  const tokens = { output: 9, source: 'usage', input: 77 } as const;
  expect(figuresOf({ tokens })).toMatchObject({ inputTokens: 77 });
  expect(figuresOf({ connection: { reused: true } }).cold).toBe(false);
});

test('the spread of gaps is known from eight gaps on, without the outer tenths', () => {
  const gaps = [10, 80, 20, 70, 30, 60, 40, 50];
  // Of eight, the first and the last: 10 and 80.
  expect(figuresOf({ gaps }).gapSpreadMs).toBeCloseTo(70 / 2.563, 12);
  expect(figuresOf({ gaps: gaps.slice(1) }).gapSpreadMs).toBeNull();
  expect(figuresOf({ gaps: [] })).toMatchObject({ gapMs: null, arrivals: 1 });
});

test('lumps are parted by pauses of 40 ms', () => {
  const gaps = [1, 1, 40, 1, 60, 1, 100];
  const end = marks.firstToken! + 204;
  expect(figuresOf({ gaps, contentEvents: 8, marks: { ...marks, lastToken: end } })).toMatchObject({
    ...{ lumps: 4, lumpGapMs: 60 },
    // 204 ms less 200 ms of pauses, over the four steps within lumps.
    withinLumpMs: 1,
  });
  expect(figuresOf({ gaps: [39.9] })).toMatchObject({ lumps: 1, lumpGapMs: null });
});

describe('a first piece that stands alone', () => {
  const begun = (...gaps: number[]) => figuresOf({ gaps }).begunMs;
  const steady = (gap: number) => new Array<number>(10).fill(gap);

  test('is no beginning before a gap of 100 ms, 8 medians and twice the 90th percentile', () => {
    expect(begun(100, ...steady(10))).toBe(200);
    expect(begun(99.9, ...steady(10))).toBe(100);
    expect(begun(160, ...steady(20))).toBe(260);
    expect(begun(159, ...steady(20))).toBe(100);
    // The 90th percentile of eleven gaps is the second largest.
    expect(begun(180, ...steady(10).with(9, 90))).toBe(280);
    expect(begun(179, ...steady(10).with(9, 90))).toBe(100);
  });

  test('may be two pieces, not three', () => {
    expect(begun(10, 200, ...steady(10))).toBe(310);
    expect(begun(10, 10, 200, ...steady(10))).toBe(100);
  });

  test('is looked for in streams of at least eight gaps', () => {
    expect(begun(2000, ...steady(10).slice(0, 6))).toBe(100);
  });
});

describe('the largest flush', () => {
  test('is that of the record', () => {
    const flush = { events: 9, before: 3, waitMs: 50, spanMs: 1 };
    expect(figuresOf({ flush }).flush).toEqual(flush);
  });

  test('of older records is known where all events came alone, or all together', () => {
    expect(figuresOf({ gaps: [], coalesced: 4 }).flush).toEqual({
      ...{ events: 5, before: 0, waitMs: 100, spanMs: 0 },
    });
    expect(figuresOf({ coalesced: 1 }).flush).toBeNull();
  });
});

test('reasoning is hidden where it was counted and not sent, or where the record says so', () => {
  const hidden = (tokens: Partial<RequestRecord['tokens']>, thinking: number) =>
    figuresOf({
      tokens: { output: 10, source: 'usage', ...tokens },
      chars: { answer: 20, thinking },
    }).hiddenReasoning;
  expect([hidden({ reasoning: 5 }, 0), hidden({ reasoning: 5 }, 9), hidden({ reasoning: 0 }, 0)]).toEqual([
    ...[true, false, false],
  ]);
  expect(hidden({ reasoning: 5, hiddenReasoning: 5 }, 9)).toBe(true);
  expect(hidden({ reasoning: 5, hiddenReasoning: 0 }, 0)).toBe(false);
});

test('events of a plain dialect that are JSON cannot be taken for content from half of them on', () => {
  const unread = (changes: Partial<NonNullable<RequestRecord['payload']>>) =>
    figuresOf({ payload: { events: 10, json: 5, paths: [], ...changes } }).unread;
  expect(unread({ json: 4 })).toBeNull();
  expect(unread({})).toBe('events are JSON, so every event counts as content, and none of them has text');
  expect(
    unread({
      paths: [
        ['a.b', 7],
        ['c', 1],
      ],
    }),
  ).toBe('events are JSON, so every event counts as content; a.b has text in 7 of 10: use --text-path a.b');
  expect(unread({ dialect: 'tgi' })).toBe('the events match the dialect tgi: use --dialect tgi');
});

test.each(['sent', 'firstToken', 'lastToken'] as const)('without the mark %s there are none', (name) => {
  const { [name]: _, ...rest } = marks;
  expect(verdictFigures(record({ marks: rest as RequestRecord['marks'] }))).toBeNull();
});

test('without content there are none', () => {
  expect(verdictFigures(record({ contentEvents: 0 }))).toBeNull();
});
