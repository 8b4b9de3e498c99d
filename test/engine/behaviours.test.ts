import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignBehaviours, exactShare } from '../../src/engine/behaviours.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

describe('an exact share', () => {
  test('of the first n requests it selects n x share, rounded up or down, whatever the seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 1, max: 500 }),
        (percent, seed, count) => {
          const selected = exactShare(percent / 100, seed);
          const found = numbers(count).filter((number) => selected.has(number)).length;
          expect(Math.abs(found - (count * percent) / 100)).toBeLessThan(1 + 1e-6);
          expect(selected.before(count)).toBe(found);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([0.01, 0.05, 0.07, 0.1, 0.15, 0.3, 0.35, 0.7])('%d of 1,000 requests is exact', (share) => {
    const selected = exactShare(share, 7);
    expect(numbers(1_000).filter((number) => selected.has(number))).toHaveLength(Math.round(share * 1_000));
  });

  test('does not select every tenth request, and depends on the seed', () => {
    const of = (seed: number) => numbers(200).filter(exactShare(0.1, seed).has);
    expect(new Set(of(1).map((number) => number % 10)).size).toBeGreaterThan(4);
    expect(of(1)).not.toEqual(of(2));
    expect(of(3)).toEqual(of(3));
  });
});

describe('behaviours', () => {
  const client = {
    cancel: { share: 0.1, after: { tokens: 5 } },
    slowReaders: { share: 0.2, bytesPerSecond: 2_000 },
  };

  test('both shares are exact, and no request has both', () => {
    const kinds = numbers(500).map((number) => assignBehaviours(client, 3)(number)?.kind);
    expect(kinds.filter((kind) => kind === 'cancel')).toHaveLength(50);
    expect(kinds.filter((kind) => kind === 'slow')).toHaveLength(100);
  });

  test('a client without behaviours only reads', () => {
    expect(numbers(50).map(assignBehaviours({}, 1))).toEqual(Array(50).fill(undefined));
  });
});
