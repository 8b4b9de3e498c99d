import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { threadShares } from '../../src/engine/block.ts';
import { sharedStreams } from '../../src/engine/pacer.ts';
import { workersFor } from '../../src/engine/workers.ts';

const cell = (concurrency: number) => ({ target: 't', prompt: 'p', concurrency, mode: 'streaming' as const });

describe('parts of a block', () => {
  test('7 streams on 3 threads', () => {
    expect(threadShares({ round: 0, cell: 0, requests: 20, warmup: 2 }, cell(7), 3)).toEqual([
      { index: 0, of: 3, warmup: 1, connections: 3 },
      { index: 1, of: 3, warmup: 1, connections: 2 },
      { index: 2, of: 3, warmup: 0, connections: 2 },
    ]);
  });

  test('of an open loop share the connections of one second', () => {
    const arrivals = { process: 'poisson' as const, seed: 9 };
    const open = { ...cell(400), rate: 50 };
    const parts = threadShares({ round: 0, cell: 0, requests: 90, warmup: 0, arrivals }, open, 3);
    expect(parts.map((part) => part?.connections)).toEqual([17, 17, 16]);
  });

  test('sum to the block, and no thread gets requests without a stream', () => {
    const whole = {
      concurrency: fc.integer({ min: 1, max: 2_000 }),
      requests: fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: undefined }),
      warmup: fc.integer({ min: 0, max: 50 }),
      count: fc.integer({ min: 1, max: 16 }),
    };
    fc.assert(
      fc.property(fc.record(whole), ({ concurrency, requests, warmup, count }) => {
        const block = { round: 1, cell: 0, warmup, ...(requests ? { requests } : { durationMs: 5 }) };
        const parts = threadShares(block, cell(concurrency), count).filter((part) => part !== undefined);
        const sum = (of: (part: (typeof parts)[number]) => number) =>
          parts.reduce((total, part) => total + of(part), 0);
        const slotsOf = (share: (typeof parts)[number]) => sharedStreams(concurrency, share);
        expect(sum(slotsOf)).toBe(concurrency);
        expect(sum(({ connections }) => connections)).toBe(concurrency);
        expect(sum((part) => part.warmup)).toBe(warmup);
        expect(parts.every((part) => slotsOf(part) > 0)).toBe(true);
        expect(parts.length).toBeLessThanOrEqual(requests ?? count);
      }),
    );
  });
});

test.each([
  [1, 2, 1],
  [1_000, 2, 1],
  [1_001, 2, 2],
  [5_000, 2, 2],
  [1_001, 1, 1],
  [500, 4, 1],
  [501, 4, 2],
  [5_000, 16, 10],
])('%i streams on %i cores take %i threads', (concurrency, cores, threads) => {
  expect(workersFor(concurrency, cores)).toBe(threads);
});
