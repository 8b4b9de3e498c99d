import { describe, expect, test } from 'vitest';
import { courseOf, dueTimesOf, firstDueFrom, mostStreams, streamsAt } from '../../src/engine/course.ts';
import type { Arrivals, LoadPhase } from '../../src/model/plan.ts';

const constant: Arrivals = { process: 'constant', seed: 1 };

const course = (...phases: LoadPhase[]) => courseOf({ cell: 0, phases }, { concurrency: 200, rate: 1 });

const ramp = (from: number, to: number, durationMs: number): LoadPhase => ({ cell: 0, from, to, durationMs });

const dues = (count: number, dueMs: (index: number) => number) =>
  Array.from({ length: count }, (_, index) => dueMs(index));

test('without phases, a block has the load of its cell', () => {
  const steady = courseOf({ cell: 3, durationMs: 500 }, { concurrency: 8, rate: 20 });
  expect(steady.phases).toMatchObject([{ cell: 3, from: 20, to: 20, startMs: 0, endMs: 500 }]);
  expect(dues(4, dueTimesOf(steady, constant))).toEqual([0, 50, 100, 150]);
  expect(courseOf({ cell: 0 }, { concurrency: 8 })).toMatchObject({ endMs: Number.POSITIVE_INFINITY });
});

describe('the schedule', () => {
  test('of a ramp places request n where the integral of the rate is n', () => {
    const schedule = dueTimesOf(course(ramp(5, 50, 20_000)), constant);
    for (const [n, dueMs] of dues(550, schedule).entries()) {
      const s = dueMs / 1000;
      expect(5 * s + ((50 - 5) / 20 / 2) * s ** 2).toBeCloseTo(n, 6);
    }
    expect(schedule(550)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['up from 0', 0, 40],
    ['down to 0', 40, 0],
    ['that is nearly flat', 20, 20 + 1e-9],
  ])('of a ramp %s has as many requests as its mean rate says', (_name, from, to) => {
    const times = dues(200, dueTimesOf(course(ramp(from, to, 10_000)), constant));
    expect(times.every((at, i) => at >= (times[i - 1] ?? 0) && at < 10_000)).toBe(true);
  });

  test('of stages changes its rate at the border of a stage, without a pause and without a burst', () => {
    const schedule = dueTimesOf(
      course(ramp(10, 10, 1000), ramp(100, 100, 1000), ramp(10, 10, 1000)),
      constant,
    );
    const times = dues(120, schedule);
    expect(times.filter((at) => at < 1000)).toHaveLength(10);
    expect(times.filter((at) => at >= 1000 && at < 2000)).toHaveLength(100);
    expect(times[11]! - times[10]!).toBeCloseTo(10, 6);
    expect(times[110]).toBeCloseTo(2000, 6);
  });

  test('skips a phase without load', () => {
    const schedule = dueTimesOf(course(ramp(10, 10, 1000), ramp(0, 0, 500), ramp(10, 10, 1000)), constant);
    expect(dues(20, schedule).map(Math.round).slice(9, 12)).toEqual([900, 1500, 1600]);
  });

  test('finds the first request from a time on', () => {
    const schedule = dueTimesOf(course(ramp(10, 10, 1000), ramp(100, 100, 1000)), constant);
    expect([0, 1, 100, 999, 1000, 1001].map((ms) => firstDueFrom(schedule, ms))).toEqual([
      0, 1, 1, 10, 10, 11,
    ]);
    expect(firstDueFrom(schedule, 5000)).toBe(110);
  });

  test('continues after the requests of an earlier part, and does not repeat their intervals', () => {
    const arrivals: Arrivals = { process: 'poisson', seed: 3 };
    const steady = courseOf({ cell: 0 }, { concurrency: 1, rate: 5 });
    const whole = dues(50, dueTimesOf(steady, arrivals));
    const rest = dues(30, dueTimesOf(steady, arrivals, 20));
    rest.forEach((at, i) => {
      expect(at).toBeCloseTo(whole[20 + i]! - whole[20]!, 6);
    });
    expect(dues(2, dueTimesOf(steady, constant, 20))).toEqual([0, 200]);
  });
});

test('the streams of a closed loop rise and fall in equal steps', () => {
  const [up, down] = course(ramp(1, 4, 300), ramp(4, 1, 300)).phases;
  expect([0, 99, 100, 199, 200, 299, 300].map((ms) => streamsAt(up!, ms))).toEqual([1, 1, 2, 2, 3, 3, 4]);
  expect([300, 301, 401, 501, 600].map((ms) => streamsAt(down!, ms))).toEqual([4, 3, 2, 1, 1]);
  expect(mostStreams({ phases: [up!, down!] }, { concurrency: 1 })).toBe(4);
});
