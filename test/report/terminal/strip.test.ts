import { describe, expect, test } from 'vitest';
import {
  ASCII,
  axis,
  BLOCKS,
  bar,
  buckets,
  logHistogram,
  sparkline,
} from '../../../src/report/terminal/strip.ts';

describe('a bar', () => {
  test.each<[string, number, number, string]>([
    ['fills the width', 0, 1, '██████████'],
    ['begins and ends on columns', 0.2, 0.5, '  ███'],
    ['ends within a column', 0, 0.25, '██▌'],
    ['begins within a column', 0.15, 0.3, ' ▐█'],
    ['keeps its size within one column', 0.325, 0.35, '   ▎'],
    ['too short is a moment', 0.3, 0.3001, '   ▏'],
    ['a moment late in a column', 0.37, 0.37, '   ▕'],
    ['a moment at the end stays inside', 1, 1, '         ▕'],
    ['a share that is out of bounds is cut', -1, 2, '██████████'],
  ])('%s', (_name, from, to, drawn) => {
    expect(bar(from, to, 10, BLOCKS)).toBe(drawn);
  });

  test('is never wider than its columns', () => {
    for (let from = 0; from <= 100; from++) {
      for (let to = from; to <= 100; to++) {
        for (const glyphs of [BLOCKS, ASCII]) {
          expect(bar(from / 100, to / 100, 17, glyphs).length).toBeLessThanOrEqual(17);
        }
      }
    }
  });

  test('in ASCII', () => {
    expect(bar(0.2, 0.55, 10, ASCII)).toBe('  ####');
    expect(bar(0.37, 0.37, 10, ASCII)).toBe('   |');
  });
});

test('a sparkline shows anything, however little, and leaves out nothing', () => {
  expect(sparkline([0, 1, 1000, 500, 0], BLOCKS)).toBe(' ▁█▄ ');
  expect(sparkline([0, 0], BLOCKS)).toBe('  ');
});

test('buckets keep the weights, and what is at the end belongs to the last', () => {
  const positions = [
    [0, 1],
    [0.24, 2],
    [0.25, 4],
    [1, 8],
    [1.5, 16],
  ] as const;
  expect(buckets(positions, 4)).toEqual([3, 4, 0, 24]);
});

describe('an axis', () => {
  const label = (ms: number) => `${ms}`;

  test('has ticks at round numbers, and its end', () => {
    const [ticks, labels] = axis(100, 50, label, BLOCKS);
    expect(ticks).toBe('├────────────────────────┼───────────────────────┤');
    expect(labels).toBe('0                       50                     100');
  });

  test('leaves out a label that would touch its neighbour', () => {
    const [, labels] = axis(104, 30, label, BLOCKS);
    expect(labels).toBe('0            50            104');
  });

  test.each([0.0004, 0.3, 7, 999, 12_345, 3.6e6])('of %f ms is as wide as asked', (span) => {
    for (const columns of [10, 24, 87]) {
      const [ticks, labels] = axis(span, columns, (ms) => ms.toFixed(1), BLOCKS);
      expect(ticks.length).toBe(columns);
      expect(labels.length).toBeLessThanOrEqual(Math.max(columns, 12));
    }
  });
});

describe('a histogram of sizes', () => {
  test('spans whole powers of ten', () => {
    const { low, high, counts } = logHistogram([2, 2, 2, 30], 40)!;
    expect([low, high]).toEqual([1, 100]);
    expect(counts).toHaveLength(16);
    expect(counts.reduce((a, b) => a + b)).toBe(4);
    expect(counts[2]).toBe(3);
  });

  test('of one size has a width', () => {
    expect(logHistogram([10, 10], 40)).toMatchObject({ low: 10, high: 100 });
  });

  test('of nothing is none', () => {
    expect(logHistogram([0, 0], 40)).toBeUndefined();
  });
});
