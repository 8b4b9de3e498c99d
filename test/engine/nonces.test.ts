import { describe, expect, test } from 'vitest';
import { createNonces } from '../../src/engine/executor.ts';
import { NONCE_LENGTH } from '../../src/model/request.ts';

const ALONE = { index: 0, of: 1 };

function draw(count: number, next: () => string): string[] {
  return Array.from({ length: count }, next);
}

describe('nonces', () => {
  test('are short and plain, and the same for the same seed, salt and thread', () => {
    const [first, again] = [draw(50, createNonces(7, 's', ALONE)), draw(50, createNonces(7, 's', ALONE))];
    expect(first).toEqual(again);
    for (const nonce of first) expect(nonce).toMatch(new RegExp(`^[0-9a-z]{${NONCE_LENGTH}}$`));
  });

  test('all differ, over all threads of a run', () => {
    for (const [seed, salt] of [
      [1, 'a'],
      [2, 'b'],
      [0, ''],
    ] as const) {
      const all = [0, 1, 2].flatMap((index) => draw(30_000, createNonces(seed, salt, { index, of: 3 })));
      expect(new Set(all).size).toBe(90_000);
    }
  });

  test('of all threads together are those of one thread', () => {
    const threads = [0, 1, 2].map((index) => draw(10, createNonces(3, 'x', { index, of: 3 })));
    expect(threads.flat().sort()).toEqual(draw(30, createNonces(3, 'x', ALONE)).sort());
  });

  test('of two runs or of two seeds do not overlap', () => {
    const runs = [createNonces(1, 'a', ALONE), createNonces(1, 'b', ALONE), createNonces(2, 'a', ALONE)];
    expect(new Set(runs.flatMap((next) => draw(20_000, next))).size).toBe(60_000);
  });

  test('that follow each other begin with different characters', () => {
    const drawn = draw(1_000, createNonces(1, 'a', ALONE));
    expect(drawn.some((nonce, i) => nonce[0] === drawn[i + 1]?.[0])).toBe(false);
  });

  test('of the shards of a run differ, whatever their salts and threads', () => {
    const of = 4;
    const owners = [1, 2, 3, 4].flatMap((number) =>
      // Machines have different numbers of threads.
      Array.from({ length: number }, (_, index) => ({ index, of: number, shard: { number, of } })),
    );
    for (const salts of [
      ['a', 'b', 'c', 'd'],
      ['', '', '', ''],
    ]) {
      const all = owners.flatMap((owner) =>
        draw(20_000, createNonces(9, salts[owner.shard.number - 1]!, owner)),
      );
      expect(new Set(all).size).toBe(200_000);
    }
  });

  test('of two runs of a shard do not overlap', () => {
    const shard = { number: 2, of: 3 };
    const runs = ['a', 'b', 'c'].map((salt) => createNonces(1, salt, { ...ALONE, shard }));
    expect(new Set(runs.flatMap((next) => draw(20_000, next))).size).toBe(60_000);
  });

  test('of 1,000 shards with 64 threads have the same form', () => {
    const owner = { index: 63, of: 64, shard: { number: 1_000, of: 1_000 } };
    const drawn = draw(1_000, createNonces(1, 's', owner));
    for (const nonce of drawn) expect(nonce).toMatch(new RegExp(`^[0-9a-z]{${NONCE_LENGTH}}$`));
    expect(new Set(drawn).size).toBe(1_000);
  });
});
