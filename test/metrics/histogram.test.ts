import fc from 'fast-check';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { createHistogram, decodeHistogram, encodeValues } from '../../src/metrics/histogram.ts';
import { percentileOf } from '../../src/metrics/percentile.ts';
import { UserError } from '../../src/model/errors.ts';

describe('recording', () => {
  test('less than half a microsecond is not lost, and zero stays zero', () => {
    const tiny = createHistogram('ms');
    tiny.add(0.0004);
    expect(tiny.percentile(0.5)).toBe(0.0004);
    expect(decodeHistogram(tiny.encode(), 'ms').percentile(0.5)).toBe(0.001);
    const none = createHistogram('count');
    none.add(0);
    expect(decodeHistogram(none.encode(), 'count').max).toBe(0);
  });

  test.each([Number.NaN, -1, -0.0001, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    '%s is refused',
    (value) => {
      const histogram = createHistogram('ms');
      expect(histogram.add(value)).toBe(false);
      expect(histogram.n).toBe(0);
      expect(histogram.percentile(0.5)).toBeNull();
    },
  );

  test('more than an hour is clamped in the buckets; the exact maximum is kept', () => {
    const histogram = createHistogram('ms');
    histogram.add(1);
    histogram.add(3_600_000);
    expect(histogram.clamped).toBe(0);
    histogram.add(9_000_000);
    expect(histogram).toMatchObject({ n: 3, clamped: 1, max: 9_000_000, sum: 12_600_001 });
    expect(histogram.percentile(1)).toBe(9_000_000);
    expect(decodeHistogram(histogram.encode(), 'ms').n).toBe(3);
  });

  test('keeps exact figures in addition to the buckets', () => {
    const histogram = createHistogram('ms');
    for (const value of [1.2345, 2.5, 1000.001]) histogram.add(value);
    expect(histogram.add(5)).toBe(true);
    expect(histogram).toMatchObject({ min: 1.2345, max: 1000.001 });
    expect(histogram.sum).toBeCloseTo(1008.7355, 9);
    expect(histogram.sumOfSquares).toBeCloseTo(1.2345 ** 2 + 6.25 + 1000.001 ** 2 + 25, 6);
  });

  test('percentiles are within 0.1 % of those of the sorted values', () => {
    const values = fc.array(fc.double({ min: 0.01, max: 1e5, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1), (list, q) => {
        const histogram = createHistogram('ms');
        for (const value of list) histogram.add(value);
        const exact = percentileOf(
          [...list].sort((a, b) => a - b),
          q,
        );
        expect(Math.abs(histogram.percentile(q)! - exact)).toBeLessThanOrEqual(exact * 0.0011 + 0.001);
      }),
      { numRuns: 60 },
    );
  });
});

describe('merging and encoding', () => {
  test('merged equals recorded together', () => {
    const [a, b, both] = [createHistogram('ms'), createHistogram('ms'), createHistogram('ms')];
    for (let i = 1; i <= 1000; i++) {
      (i % 3 === 0 ? a : b).add(i * 0.77);
      both.add(i * 0.77);
    }
    a.merge(b);
    expect(a.encode()).toBe(both.encode());
    expect(a).toMatchObject({ n: 1000, min: both.min, max: both.max });
    expect(a.sum).toBeCloseTo(both.sum, 6);
    a.merge(createHistogram('ms'));
    expect(a.min).toBe(both.min);
  });

  test('merging keeps the exact figures of both sides', () => {
    const of = (...values: number[]) => {
      const histogram = createHistogram('ms');
      for (const value of values) histogram.add(value);
      return histogram;
    };
    const into = of();
    into.merge(of(7, 9_000_000));
    expect(into).toMatchObject({ n: 2, min: 7, max: 9_000_000, sum: 9_000_007, clamped: 1 });
    into.merge(of(3, 8_000_000));
    expect(into).toMatchObject({ n: 4, min: 3, max: 9_000_000, clamped: 2 });
    expect(into.sumOfSquares).toBe(7 ** 2 + 9_000_000 ** 2 + 3 ** 2 + 8_000_000 ** 2);
    into.merge(of(5));
    expect(into.min).toBe(3);
  });

  test('an empty histogram and zeros survive the encoding', () => {
    const empty = decodeHistogram(createHistogram('ms').encode(), 'ms');
    expect(empty).toMatchObject({ n: 0, min: 0, max: 0, sum: 0, sumOfSquares: 0 });
    expect(empty.percentile(0.5)).toBeNull();
    expect(decodeHistogram(encodeValues([0, 0, 5], 'ms'), 'ms')).toMatchObject({ n: 3, min: 0 });
  });

  test('without exact figures the smallest and the largest value are those of the buckets, in the unit', () => {
    const histogram = createHistogram('ms');
    for (const value of [12, 34, 56]) histogram.add(value);
    const rough = decodeHistogram(histogram.encode(), 'ms');
    expect(Math.abs(rough.min / 12 - 1)).toBeLessThan(0.001);
    expect(Math.abs(rough.max / 56 - 1)).toBeLessThan(0.001);
  });

  test('other units are not merged', () => {
    expect(() => createHistogram('ms').merge(createHistogram('count'))).toThrow(RangeError);
  });

  test('decoding restores counts, and exact figures if they are given', () => {
    const histogram = createHistogram('1/s');
    for (let i = 1; i <= 100; i++) histogram.add(i / 3);
    const { min, max, sum, sumOfSquares } = histogram;
    const again = decodeHistogram(histogram.encode(), '1/s', { min, max, sum, sumOfSquares });
    expect(again).toMatchObject({ n: 100, min, max, sum, sumOfSquares });
    const rough = decodeHistogram(histogram.encode(), '1/s');
    expect(rough.sum / sum).toBeCloseTo(1, 2);
    expect(rough.sumOfSquares / sumOfSquares).toBeCloseTo(1, 2);
    again.merge(rough);
    expect(again.n).toBe(200);
  });

  test('the reused histogram is empty before each encoding', () => {
    const first = encodeValues([1, 2, 3], 'ms');
    encodeValues([500, 600, Number.NaN, -1], 'ms');
    expect(encodeValues([1, 2, 3], 'ms')).toBe(first);
    expect(decodeHistogram(encodeValues([5, Number.NaN, -1], 'ms'), 'ms').n).toBe(1);
  });

  test('data that is not such a histogram is a user error', () => {
    expect(() => decodeHistogram('no histogram', 'ms')).toThrow(UserError);
    const other = build({
      numberOfSignificantValueDigits: 2,
      highestTrackableValue: 1000,
      bitBucketSize: 64,
    });
    other.recordValue(5);
    expect(() => decodeHistogram(encodeIntoCompressedBase64(other), 'ms')).toThrow(/another layout/);
    // One of the two alone is enough to refuse.
    for (const [numberOfSignificantValueDigits, highestTrackableValue] of [
      [2, 3_600_000_000],
      [3, 1000],
    ] as const) {
      const near = build({ numberOfSignificantValueDigits, highestTrackableValue, bitBucketSize: 64 });
      near.recordValue(5);
      expect(() => decodeHistogram(encodeIntoCompressedBase64(near), 'ms')).toThrow(/another layout/);
    }
  });
});
