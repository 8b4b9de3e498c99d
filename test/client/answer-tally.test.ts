import { expect, test } from 'vitest';
import { FlushTally } from '../../src/client/answer-tally.ts';

function flushOf(...times: number[]) {
  const tally = new FlushTally();
  for (const ms of times) tally.add(ms, 10);
  return tally.result();
}

test('reads within 2 ms of each other are one flush; the largest flush is kept', () => {
  expect(flushOf(110, 130, 150, 450, 450, 451, 452.5)).toEqual({
    events: 4,
    before: 3,
    waitMs: 300,
    spanMs: 2.5,
  });
  expect(flushOf(110, 110, 110, 500, 600)).toEqual({ events: 3, before: 0, waitMs: 100, spanMs: 0 });
});

test('the first of equal flushes is kept; undefined without content', () => {
  expect(flushOf(110, 130, 150)).toEqual({ events: 1, before: 0, waitMs: 100, spanMs: 0 });
  expect(flushOf()).toBeUndefined();
});
