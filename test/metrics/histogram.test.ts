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

  test('more than an hour is clamped in the buckets, counted, and exact beside them', () => {
    const histogram = createHistogram('ms');
    histogram.add(1);
    histogram.add(3_600_000);
    expect(histogram.clamped).toBe(0);
    histogram.add(9_000_000);
    expect(histogram).toMatchObject({ n: 3, clamped: 1, max: 9_000_000, sum: 12_600_001 });
    expect(histogram.percentile(1)).toBe(9_000_000);
    expect(decodeHistogram(histogram.encode(), 'ms').n).toBe(3);
  });

  test('keeps exact figures beside the buckets', () => {
    const histogram = createHistogram('ms');
    for (const value of [1.2345, 2.5, 1000.001]) histogram.add(value);
    expect(histogram).toMatchObject({ min: 1.2345, max: 1000.001 });
    expect(histogram.sum).toBeCloseTo(1003.7355, 9);
    expect(histogram.sumOfSquares).toBeCloseTo(1.2345 ** 2 + 6.25 + 1000.001 ** 2, 6);
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

  test('other units are not merged', () => {
    expect(() => createHistogram('ms').merge(createHistogram('count'))).toThrow(RangeError);
  });

  test('decoding gives back counts, and exact figures where they are handed over', () => {
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

  test('the scratch histogram forgets what it encoded before', () => {
    const first = encodeValues([1, 2, 3], 'ms');
    encodeValues([500, 600, Number.NaN, -1], 'ms');
    expect(encodeValues([1, 2, 3], 'ms')).toBe(first);
    expect(decodeHistogram(encodeValues([5, Number.NaN, -1], 'ms'), 'ms').n).toBe(1);
  });

  test('what is no histogram of ours is the user to be told of', () => {
    expect(() => decodeHistogram('no histogram', 'ms')).toThrow(UserError);
    const other = build({
      numberOfSignificantValueDigits: 2,
      highestTrackableValue: 1000,
      bitBucketSize: 64,
    });
    other.recordValue(5);
    expect(() => decodeHistogram(encodeIntoCompressedBase64(other), 'ms')).toThrow(/another layout/);
  });
});
