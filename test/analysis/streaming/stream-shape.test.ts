import { describe, expect, test } from 'vitest';
import { shapeOf } from '../../../src/analysis/streaming/stream-shape.ts';
import { figures } from './figures.ts';

const shape = (changes: Parameters<typeof figures>[0]) => shapeOf(figures(changes));

test('without content', () => {
  expect(shapeOf(null)).toBe('nothing');
});

test('little: fewer than 5 events with less than 64 characters', () => {
  expect(shape({ chunks: 4, chars: 63 })).toBe('little');
  expect(shape({ chunks: 5, chars: 63 })).not.toBe('little');
  expect(shape({ chunks: 4, chars: 64 })).not.toBe('little');
});

test('instant: whole within 20 ms', () => {
  expect(shape({ latencyMs: 19.9, spanMs: 15 })).toBe('instant');
  expect(shape({ latencyMs: 20, spanMs: 15 })).not.toBe('instant');
});

describe('all at the end: in the last twentieth of the latency', () => {
  test('held where no model makes the tokens in that time', () => {
    expect(shape({ latencyMs: 2000, spanMs: 3.9, tokens: 40 })).toBe('held');
    expect(shape({ latencyMs: 2000, spanMs: 4, tokens: 40 })).toBe('brief');
    expect(shape({ latencyMs: 2000, spanMs: 0, tokens: 39 })).toBe('brief');
  });

  test('brief where one may', () => {
    expect(shape({ latencyMs: 2000, spanMs: 99.9, tokens: 100 })).toBe('brief');
    expect(shape({ latencyMs: 2000, spanMs: 100, tokens: 100 })).toBe('spread');
  });
});

describe('a tail: some content, a wait, then the rest at once', () => {
  const flush = { events: 60, before: 40, waitMs: 100, spanMs: 1 };
  const base = { chunks: 100, arrivals: 41, tokens: 100, gapMs: 20, flush };
  const tail = (changes: Partial<typeof base>, flushed: Partial<typeof flush> = {}) =>
    shape({ ...base, ...changes, flush: { ...flush, ...flushed } });

  test('of at least 30 % and 16 events, after 100 ms', () => {
    expect(tail({})).toBe('tail');
    expect(tail({}, { waitMs: 99.9 })).toBe('spread');
    expect(tail({ arrivals: 71 }, { events: 30, before: 70 })).toBe('tail');
    expect(tail({ arrivals: 72 }, { events: 29, before: 71 })).toBe('spread');
    expect(tail({ chunks: 50, arrivals: 35 }, { events: 16, before: 34 })).toBe('tail');
    expect(tail({ chunks: 49, arrivals: 35 }, { events: 15, before: 34 })).toBe('spread');
  });

  test('at the end: one event may follow', () => {
    expect(tail({ chunks: 101 })).toBe('tail');
    expect(tail({ chunks: 102 })).toBe('spread');
  });

  test('faster than it can have been made: 0.1 ms a token', () => {
    // 60 of 100 events stand for 60 of 100 tokens.
    expect(tail({}, { spanMs: 6 })).toBe('tail');
    expect(tail({}, { spanMs: 6.1 })).toBe('spread');
    expect(tail({ tokens: 200 }, { spanMs: 12 })).toBe('tail');
  });

  test('after a beginning that came in pieces, and a wait of three of its gaps', () => {
    expect(tail({ arrivals: 21 })).toBe('tail');
    expect(tail({ arrivals: 20 })).toBe('spread');
    expect(tail({ gapMs: 40 })).toBe('spread');
    expect(tail({ gapMs: 40 }, { waitMs: 120 })).toBe('tail');
    // Of two pieces the gap says nothing.
    expect(tail({ chunks: 62, arrivals: 3, gapMs: 90 }, { before: 2 })).toBe('tail');
    expect(tail({ chunks: 63, arrivals: 3, gapMs: 90 }, { before: 3 })).toBe('spread');
    expect(tail({ gapMs: null as unknown as number })).toBe('tail');
  });

  test('not where nothing came before, or the largest flush is not known', () => {
    expect(tail({ chunks: 60 }, { before: 0 })).toBe('spread');
    expect(shape({ ...base, flush: null })).toBe('spread');
  });
});

test('lumps: of at least four events within 1 ms each, 95 ms apart', () => {
  const lumps = { chunks: 40, lumps: 10, lumpGapMs: 95, withinLumpMs: 0.9 };
  expect(shape(lumps)).toBe('lumps');
  expect(shape({ ...lumps, lumpGapMs: 94.9 })).toBe('spread');
  expect(shape({ ...lumps, chunks: 39 })).toBe('spread');
  expect(shape({ ...lumps, withinLumpMs: 1 })).toBe('spread');
  expect(shape({ ...lumps, lumps: 1, lumpGapMs: null })).toBe('spread');
});
