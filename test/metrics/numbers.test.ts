import { describe, expect, test } from 'vitest';
import { Numbers, pieceSize } from '../../src/metrics/numbers.ts';

function listOf(count: number): { list: Numbers; plain: number[] } {
  const list = new Numbers();
  // In no order, and each one once.
  const plain = Array.from({ length: count }, (_, i) => (i * 7919) % 10_007);
  for (const value of plain) list.push(value);
  return { list, plain };
}

const COUNTS = [0, 1, 15, 16, 17, 47, 48, 49, 2_047, 2_049, 9_999];

describe('a list of numbers', () => {
  test.each(COUNTS)('%i numbers come back in their order', (count) => {
    const { list, plain } = listOf(count);
    expect(list.length).toBe(count);
    expect([...list]).toEqual(plain);
  });

  test.each(COUNTS)('%i numbers are sorted in a copy', (count) => {
    const { list, plain } = listOf(count);
    expect([...list.sorted()]).toEqual([...plain].sort((a, b) => a - b));
    expect([...list]).toEqual(plain);
  });

  test.each(COUNTS)('of %i numbers the first of every two is kept, and the list goes on', (count) => {
    const { list, plain } = listOf(count);
    list.dropEverySecond();
    const kept = plain.filter((_, i) => i % 2 === 0);
    expect([...list]).toEqual(kept);
    list.push(-1);
    expect([...list]).toEqual([...kept, -1]);
    expect(list.length).toBe(kept.length + 1);
  });

  test('is copied to the beginning of a larger array', () => {
    const { list, plain } = listOf(50);
    const target = new Float64Array(60).fill(-1);
    list.copyTo(target);
    expect([...target]).toEqual([...plain, ...new Array(10).fill(-1)]);
  });

  test('pieces are small at first, and never large', () => {
    expect([0, 1, 2, 7, 8, 500].map(pieceSize)).toEqual([16, 32, 64, 2_048, 2_048, 2_048]);
  });
});
