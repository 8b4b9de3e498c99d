import { expect, test } from 'vitest';
import { pack, unpack } from '../../../src/bench/telemetry/batch.ts';
import { sample } from './runs.ts';

test('a packed batch is the same on the other side', () => {
  const samples = [sample(), sample({ gaps: [] }), sample({ gaps: [1.5, 2.25, 1e6] })];
  const batch = { kind: 'batch', samples, warmups: 3, utilization: [0.5] } as const;
  const packed = pack(batch);
  // What is cloned holds no list of numbers; the one array is moved.
  expect(packed.samples.map(({ gaps }) => gaps)).toEqual([2, 0, 3]);
  const received = unpack(structuredClone(packed, { transfer: [packed.gaps.buffer] }));
  expect(received.samples.map(({ gaps }) => Array.from(gaps))).toEqual([[20, 30], [], [1.5, 2.25, 1e6]]);
  expect({ ...received, samples: [] }).toEqual({ ...batch, samples: [] });
  expect({ ...received.samples[0], gaps: [] }).toEqual({ ...samples[0], gaps: [] });
});
