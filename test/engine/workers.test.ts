import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shares, workersFor } from '../../src/engine/workers.ts';

const cell = (concurrency: number) => ({ target: 't', prompt: 'p', concurrency, mode: 'streaming' as const });

describe('shares of a block', () => {
  test('7 streams on 3 threads', () => {
    const parts = shares({ round: 0, cell: 0, requests: 20, warmup: 2 }, cell(7), 3);
    expect(parts.map((part) => [part?.cell.concurrency, part?.block.requests, part?.block.warmup])).toEqual([
      [3, 7, 1],
      [2, 7, 1],
      [2, 6, 0],
    ]);
  });

  test('of an open loop take turns, and are all of its rate', () => {
    const arrivals = { process: 'poisson' as const, seed: 9 };
    const open = { ...cell(4), rate: 50 };
    const parts = shares({ round: 0, cell: 0, requests: 20, warmup: 0, arrivals }, open, 3);
    expect(parts.map((part) => [part?.cell.rate, part?.cell.concurrency, part?.block.arrivals])).toEqual([
      [50, 2, { ...arrivals, turn: { first: 0, of: 3 } }],
      [50, 1, { ...arrivals, turn: { first: 1, of: 3 } }],
      [50, 1, { ...arrivals, turn: { first: 2, of: 3 } }],
    ]);
  });

  test('sum to the whole, and no thread is given work without a stream', () => {
    const whole = {
      concurrency: fc.integer({ min: 1, max: 2_000 }),
      requests: fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: undefined }),
      warmup: fc.integer({ min: 0, max: 50 }),
      count: fc.integer({ min: 1, max: 16 }),
    };
    fc.assert(
      fc.property(fc.record(whole), ({ concurrency, requests, warmup, count }) => {
        const block = {
          round: 1,
          cell: 0,
          warmup,
          ...(requests === undefined ? { durationMs: 5 } : { requests }),
        };
        const parts = shares(block, cell(concurrency), count).filter((part) => part !== undefined);
        const sum = (of: (part: (typeof parts)[number]) => number) =>
          parts.reduce((total, part) => total + of(part), 0);
        expect(sum((part) => part.cell.concurrency)).toBe(concurrency);
        expect(sum((part) => part.block.warmup)).toBe(warmup);
        expect(sum((part) => part.block.requests ?? 0)).toBe(requests ?? 0);
        expect(parts.every((part) => part.cell.concurrency > 0)).toBe(true);
        expect(parts.every((part) => part.block.requests === undefined || part.block.requests > 0)).toBe(
          true,
        );
      }),
    );
  });
});

test.each([
  [1, 2, 1],
  [200, 2, 1],
  [201, 2, 2],
  [1_000, 2, 2],
  [1_000, 16, 5],
])('%i streams on %i cores take %i threads', (concurrency, cores, threads) => {
  expect(workersFor(concurrency, cores)).toBe(threads);
});
