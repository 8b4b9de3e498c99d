import fc from 'fast-check';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { createHistogram } from '../../src/metrics/histogram.ts';

test('values are in the same buckets as in the library', () => {
  const values = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 0, max: 3_600_000_000 }),
      fc.integer({ min: 0, max: 31 }).chain((bits) => fc.integer({ min: 2 ** bits - 1, max: 2 ** bits + 1 })),
    ),
    { minLength: 1, maxLength: 50 },
  );
  fc.assert(
    fc.property(values, (steps) => {
      const theirs = build({
        bitBucketSize: 64,
        autoResize: false,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 3_600_000_000,
        numberOfSignificantValueDigits: 3,
        useWebAssembly: false,
      });
      const ours = createHistogram('count');
      for (const value of steps) {
        theirs.recordValue(value);
        ours.add(value);
      }
      expect(ours.encode()).toBe(encodeIntoCompressedBase64(theirs));
      expect(ours.percentile(0.5)).toBe(
        Math.min(
          ours.max,
          Math.max(ours.min, theirs.getValueAtPercentile((Math.ceil(steps.length / 2) / steps.length) * 100)),
        ),
      );
    }),
  );
});
