import { expect, test } from 'vitest';
import { mergedServerLoads } from '../../../src/bench/machines/merged-manifest.ts';
import type { ServerLoad, ServingSummary } from '../../../src/model/load-report.ts';

const serving = (count: number): ServingSummary => ({
  ...{ engine: 'vLLM', queue: null, running: null, kvCache: null, prefixCache: null },
  ttft: { boundsMs: [100], counts: [count, 0], sumMs: 50 * count },
});

const load = (round: number, cell: number, counts?: ServingSummary): ServerLoad => ({
  ...{ round, cell, readings: 3, failed: 0, memoryBytes: 100 * (cell + 1), openFiles: null, cpuCores: null },
  serving: counts,
});

test('counters of one server that several shards read are not added up', () => {
  const merged = mergedServerLoads([
    // The first shard was continued: both of its parts count.
    { serverLoads: [load(0, 0, serving(7)), load(0, 0, serving(5)), load(1, 0)] },
    { serverLoads: [load(0, 0, serving(12)), load(1, 0, serving(9))] },
    {},
  ]);
  expect(merged.map(({ round, serving: kept }) => [round, kept?.ttft?.counts[0]])).toEqual([
    ...[
      [0, 7],
      [0, 5],
      [1, undefined],
    ],
    ...[
      [0, undefined],
      [1, 9],
    ],
  ]);
  // Process metrics are maxima, which every shard adds to.
  expect(merged.every(({ memoryBytes }) => memoryBytes === 100)).toBe(true);
});
