import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInShare, weightedParts } from '../../src/prompts/share-schedule.ts';

describe('a share of requests', () => {
  test('is exact for every number of requests, rounded down or up', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.string(),
        fc.integer({ min: 1, max: 400 }),
        (percent, key, n) => {
          const share = percent / 100;
          let hits = 0;
          for (let number = 0; number < n; number++) if (isInShare(number, share, key)) hits += 1;
          expect(Math.abs(hits - n * share)).toBeLessThan(1);
        },
      ),
    );
  });

  test('has no rest where it is a whole number of requests', () => {
    for (const key of ['a', 'b', 'c', 'd']) {
      const hits = Array.from({ length: 40 }, (_, number) => isInShare(number, 0.35, key));
      expect(hits.filter(Boolean)).toHaveLength(14);
    }
  });
});

describe('the parts of a mix', () => {
  test('occur as often as their weights in every turn, in another order', () => {
    const partOf = weightedParts([70, 20, 10], 'seed');
    const orders = [0, 1, 2].map((turn) =>
      Array.from({ length: 10 }, (_, i) => partOf(turn * 10 + i).part).join(''),
    );
    for (const order of orders) expect([...order].sort().join('')).toBe('0000000112');
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  test('number their own requests without a gap, in any order of asking', () => {
    const partOf = weightedParts([3, 2], 'seed');
    const picks = Array.from({ length: 50 }, (_, number) => partOf(number));
    for (const part of [0, 1]) {
      const numbers = picks.filter((pick) => pick.part === part).map(({ number }) => number);
      expect(numbers).toEqual(numbers.map((_, index) => index));
    }
    const again = weightedParts([3, 2], 'seed');
    expect([49, 0, 23].map((number) => again(number))).toEqual([picks[49], picks[0], picks[23]]);
  });
});
