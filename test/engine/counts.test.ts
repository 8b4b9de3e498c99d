import { expect, test } from 'vitest';
import { blockCounts, countsMemory } from '../../src/engine/counts.ts';

test('each number is taken once, by any thread that shares the memory', () => {
  const memory = countsMemory();
  const [a, b] = [blockCounts(memory), blockCounts(memory)];
  expect([a.take(), b.take(), b.take(), a.take()]).toEqual([0, 1, 2, 3]);
});

test('a limit holds over all threads, and says how many are in flight', () => {
  const memory = countsMemory();
  const [a, b] = [blockCounts(memory), blockCounts(memory)];
  expect([a.enter(2), b.enter(2), a.enter(2), b.enter(2)]).toEqual([1, 2, 0, 0]);
  b.leave();
  expect(a.inFlight()).toBe(1);
  expect([a.enter(2), b.enter(2)]).toEqual([2, 0]);
});
