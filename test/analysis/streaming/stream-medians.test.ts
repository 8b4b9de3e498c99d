import { describe, expect, test } from 'vitest';
import { mediansOf } from '../../../src/analysis/streaming/stream-medians.ts';
import { figures } from './figures.ts';

const streams = (count: number, of: (i: number) => Parameters<typeof figures>[0]) =>
  Array.from({ length: count }, (_, i) => figures(of(i)));

test('medians, and the spread of the waits without the outer tenths', () => {
  const usual = mediansOf(
    streams(10, (i) => ({ begunMs: 100 * (10 - i), latencyMs: 1000 * (i + 1), tokens: 50 + i })),
  );
  expect(usual).toMatchObject({ n: 10, begunMs: 500, latencyMs: 5000, tokens: 54 });
  // From the first of ten, 100 ms, to the ninth, 900 ms.
  expect(usual.spread).toBeCloseTo(Math.log(9) / 2.563, 12);
  expect(mediansOf(streams(3, () => ({ begunMs: 0 }))).spread).toBe(0);
});

test('what half of the streams are, all are', () => {
  const half = (ones: number) =>
    mediansOf(streams(4, (i) => (i < ones ? { unread: 'JSON', hiddenReasoning: true } : {})));
  expect(half(2)).toMatchObject({ unread: true, hiddenReasoning: true });
  expect(half(1)).toMatchObject({ unread: false, hiddenReasoning: false });
});

describe('gaps of a timer', () => {
  const timed = (changes: Parameters<typeof figures>[0]) => mediansOf([figures(changes)]).timed;

  test('spread by no more than a tenth of the gap, or 0.6 ms', () => {
    expect(timed({ gapMs: 20, gapSpreadMs: 2 })).toBe(true);
    expect(timed({ gapMs: 20, gapSpreadMs: 2.1 })).toBe(false);
    expect(timed({ gapMs: 3, gapSpreadMs: 0.6 })).toBe(true);
    expect(timed({ gapMs: 3, gapSpreadMs: 0.7 })).toBe(false);
    expect(timed({ gapMs: 20, gapSpreadMs: null })).toBe(false);
    expect(timed({ gapMs: null, gapSpreadMs: null })).toBe(false);
  });

  test('are at least 2 ms, with one event each', () => {
    expect(timed({ gapMs: 2, gapSpreadMs: 0 })).toBe(true);
    expect(timed({ gapMs: 1.9, gapSpreadMs: 0 })).toBe(false);
    expect(timed({ gapSpreadMs: 0, chunks: 150, arrivals: 100 })).toBe(true);
    expect(timed({ gapSpreadMs: 0, chunks: 151, arrivals: 100 })).toBe(false);
  });
});

describe('whether longer answers begin later', () => {
  const correlation = (count: number, of: (i: number) => Parameters<typeof figures>[0]) =>
    mediansOf(streams(count, of)).lengthCorrelation;

  test('is 1 where the wait grows with the length, and -1 where it falls', () => {
    expect(correlation(12, (i) => ({ chars: 100 + 10 * i, begunMs: 50 + 7 * i }))).toBeCloseTo(1, 12);
    expect(correlation(12, (i) => ({ chars: 100 + 10 * i, begunMs: 500 - 7 * i }))).toBeCloseTo(-1, 12);
  });

  test("is Pearson's r", () => {
    // Four groups of three: x = -1, -1, 1, 1 and y = -1, 0, 0, 1, so r = 2 / sqrt(4 * 2).
    const points = [
      [-1, -1],
      [-1, 0],
      [1, 0],
      [1, 1],
    ] as const;
    const of = (i: number) => ({
      chars: 400 + 100 * points[i % 4]![0],
      begunMs: 200 + 50 * points[i % 4]![1],
    });
    expect(correlation(12, of)).toBeCloseTo(2 / Math.sqrt(8), 12);
  });

  test('is not known of fewer than 12 streams, of answers as long, or of equal waits', () => {
    expect(correlation(11, (i) => ({ chars: 100 + 10 * i, begunMs: 50 + 7 * i }))).toBeNull();
    expect(correlation(12, (i) => ({ chars: 400 + (i % 2 ? 12 : -12), begunMs: 50 + i }))).not.toBeNull();
    expect(correlation(12, (i) => ({ chars: 400 + (i % 2 ? 11 : -11), begunMs: 50 + i }))).toBeNull();
    expect(correlation(12, (i) => ({ chars: 100 + 10 * i, begunMs: 50 }))).toBeNull();
  });
});
