import { expect, test } from 'vitest';
import { arrivalsOf } from '../../../src/analysis/streaming/stream-figures.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { record } from '../../metrics/records.ts';
import { received } from '../../verdict/received.ts';

const stream = (at: number[]) => received({ at, chars: 4, wholeMs: 0 }, createRandom(1), 0.001);

test('every event is in its place', () => {
  const { spanMs, counts } = arrivalsOf(stream(Array.from({ length: 40 }, (_, i) => 1000 + i * 25)))!;
  expect(spanMs).toBeCloseTo(1976, -1);
  expect(counts).toHaveLength(48);
  expect(counts.slice(0, 24).every((count) => count === 0)).toBe(true);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(40);
});

test('what shared a read is where the largest flush was', () => {
  const { counts } = arrivalsOf(stream([100, 120, 140, ...new Array(30).fill(1000)]))!;
  expect(counts.at(-1)).toBe(30);
  expect(counts[4]! + counts[5]! + counts[6]!).toBe(3);
});

test('without content there is nothing to draw', () => {
  expect(arrivalsOf(record({ contentEvents: 0, gaps: [] }))).toBeUndefined();
});
