import { expect, test } from 'vitest';
import { dueTimes } from '../../src/engine/pacer.ts';

const first = (count: number, due: (index: number) => number) =>
  Array.from({ length: count }, (_, i) => due(i));

test('constant: at equal intervals, from the start', () => {
  expect(first(4, dueTimes(20, { process: 'constant', seed: 1 }))).toEqual([0, 50, 100, 150]);
});

test('poisson: the rate on average, with exponential intervals', () => {
  const times = first(20_000, dueTimes(20, { process: 'poisson', seed: 7 }));
  const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
  const mean = times.at(-1)! / times.length;
  expect(mean).toBeGreaterThan(49);
  expect(mean).toBeLessThan(51);
  // Of an exponential distribution, e^-1 is above the mean and e^-3 above three times the mean.
  const share = (above: number) => gaps.filter((gap) => gap > above).length / gaps.length;
  expect(share(50)).toBeCloseTo(Math.exp(-1), 1);
  expect(share(150)).toBeCloseTo(Math.exp(-3), 2);
});

test('the same seed gives the same times, in any order of the calls', () => {
  const arrivals = { process: 'poisson', seed: 3 } as const;
  const forwards = first(50, dueTimes(5, arrivals));
  const again = dueTimes(5, arrivals);
  expect(Array.from({ length: 50 }, (_, i) => again(49 - i)).reverse()).toEqual(forwards);
  expect(first(50, dueTimes(5, { ...arrivals, seed: 4 }))).not.toEqual(forwards);
});

test('after the requests of an earlier window, the times continue and do not repeat', () => {
  const arrivals = { process: 'poisson', seed: 3 } as const;
  const whole = first(50, dueTimes(5, arrivals));
  const rest = first(30, dueTimes(5, arrivals, 20));
  rest.forEach((at, i) => {
    expect(at).toBeCloseTo(whole[20 + i]! - whole[19]!, 9);
  });
  expect(first(30, dueTimes(5, arrivals, 0))).toEqual(whole.slice(0, 30));
  // At even distances there is nothing to repeat.
  expect(first(2, dueTimes(5, { process: 'constant', seed: 3 }, 20))).toEqual([0, 200]);
});
