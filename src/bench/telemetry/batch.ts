import type { TelemetryEvent } from './hub.ts';
import type { TelemetrySample } from './sample.ts';

type Batch = Extract<TelemetryEvent, { kind: 'batch' }>;

/** A batch for another thread: the gaps of all samples in one array, which is moved instead of copied number by number. */
export interface PackedBatch extends Omit<Batch, 'kind' | 'samples'> {
  kind: 'packed';
  samples: readonly (Omit<TelemetrySample, 'gaps'> & { gaps: number })[];
  gaps: Float64Array<ArrayBuffer>;
}

/** Packs a batch. Transfer `gaps.buffer` with it. */
export function pack({ kind: _kind, samples, ...rest }: Batch): PackedBatch {
  const gaps = new Float64Array(samples.reduce((sum, sample) => sum + sample.gaps.length, 0));
  let at = 0;
  const packed = samples.map((sample) => {
    gaps.set(sample.gaps, at);
    at += sample.gaps.length;
    return { ...sample, gaps: sample.gaps.length };
  });
  return { kind: 'packed', ...rest, samples: packed, gaps };
}

/** The batch that was packed. */
export function unpack({ kind: _kind, samples, gaps, ...rest }: PackedBatch): Batch {
  let at = 0;
  return {
    kind: 'batch',
    ...rest,
    samples: samples.map((sample) => {
      const own = gaps.subarray(at, at + sample.gaps);
      at += sample.gaps;
      return { ...sample, gaps: own };
    }),
  };
}
