import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dealtTo, shareOf, wholeNumber } from '../../src/model/shard.ts';

const shardsOf = (of: number) => Array.from({ length: of }, (_, index) => ({ number: index + 1, of }));

describe('the shares of the shards', () => {
  test('16 over 3 are 6, 5 and 5', () => {
    expect(shardsOf(3).map((shard) => shareOf(16, shard))).toEqual([6, 5, 5]);
  });

  test('sum to the whole and differ by at most one', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.integer({ min: 1, max: 64 }), (total, of) => {
        const shares = shardsOf(of).map((shard) => shareOf(total, shard));
        expect(shares.reduce((a, b) => a + b)).toBe(total);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('of the requests are each number of the whole once, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 30 }),
        fc.nat(400),
        (of, more, total) => {
          const period = of + more;
          const numbers = shardsOf(of).map((shard) => {
            const deal = { shard, period };
            return Array.from({ length: dealtTo(deal, total) }, (_, index) => wholeNumber(deal, index));
          });
          for (const own of numbers) expect(own).toEqual(own.toSorted((a, b) => a - b));
          expect(numbers.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i));
        },
      ),
    );
  });

  test('of an open loop are every n-th request', () => {
    const deal = { shard: { number: 2, of: 4 }, period: 4 };
    expect([0, 1, 2].map((index) => wholeNumber(deal, index))).toEqual([1, 5, 9]);
  });

  test('of a closed loop are in proportion to the streams', () => {
    const requests = shardsOf(3).map((shard) => dealtTo({ shard, period: 4 }, 48));
    expect(requests).toEqual([24, 12, 12]);
  });
});
