import { describe, expect, test } from 'vitest';
import { alarms, type Change, creep, type World } from './simulation.ts';

/**
 * The whole gate by simulation. Seeded, so that results do not vary: 400 trials know a rate of 5 % to about ± 2 %. The whole
 * table: `npm run gates`.
 */

const rate = (world: World, runs: number, change: Change = {}, trials = 400) =>
  alarms(world, { runs, trials, seed: 7, change });

describe('nothing has changed', () => {
  test.each<[World, number, number]>([
    [{ shape: 'lognormal', n: 200, cells: 1, drift: 0.1 }, 10, 0.05],
    [{ shape: 'heavy-tailed', n: 50, cells: 4, drift: 0.05 }, 5, 0.05],
    [{ shape: 'bimodal', n: 50, cells: 4, drift: 0 }, 10, 0.05],
    [{ shape: 'lognormal', n: 20, cells: 24, drift: 0.02 }, 10, 0.05],
    [{ shape: 'lognormal', n: 50, cells: 1, drift: 0.05 }, 1, 0.08],
  ])('%o with %i accepted runs: at most %d are called a regression', (world, runs, limit) => {
    expect(rate(world, runs)).toBeLessThanOrEqual(limit);
  });

  test('with a pin the chance of a false alarm stays', () => {
    const world: World = { shape: 'lognormal', n: 50, cells: 1, drift: 0.05 };
    expect(alarms(world, { runs: 10, trials: 400, seed: 7, pinned: 10 })).toBeLessThanOrEqual(0.05);
  });
});

describe('a change is found', () => {
  test.each<[World]>([
    [{ shape: 'lognormal', n: 200, cells: 1, drift: 0.05, width: 0.25 }],
    [{ shape: 'lognormal', n: 200, cells: 4, drift: 0.05 }],
  ])('+20 % with 10 accepted runs: %o', (world) => {
    expect(rate(world, 10, { all: 1.2 })).toBeGreaterThanOrEqual(0.85);
  });

  test('one slow cell of four, although runs differ by 10 %', () => {
    expect(
      rate({ shape: 'lognormal', n: 100, cells: 4, drift: 0.1 }, 10, { firstCell: 1.6 }, 100),
    ).toBeGreaterThanOrEqual(0.9);
  });

  test('errors that rise from 3 % to 12 %', () => {
    expect(
      rate({ shape: 'lognormal', n: 200, cells: 2, drift: 0.05 }, 10, { errors: 0.12 }, 100),
    ).toBeGreaterThanOrEqual(0.9);
  });
});

describe('regressions that creep in, merge by merge', () => {
  /** Share of 40 series that the gate stops before the service is 15 % slower. */
  const stopped = (drift: number, step: number, withPin: boolean) => {
    const world: World = { shape: 'lognormal', n: 200, cells: 4, drift };
    const merges = Math.ceil(Math.log(1.4) / Math.log(1 + step));
    const stops = Array.from({ length: 40 }, (_, seed) =>
      creep(world, { step, merges, seed: seed + 1, withPin }),
    );
    return stops.filter((slower) => slower < 0.15).length / stops.length;
  };

  test.each<[number, number]>([
    [0, 1],
    [0.02, 0.95],
    [0.05, 0.8],
  ])('+2 %% each at drift %d: the pin stops at least a share of %d before +15 %%', (drift, share) => {
    expect(stopped(drift, 0.02, true)).toBeGreaterThanOrEqual(share);
  });

  test('+0.5 % each: the pin stops them, the newest runs alone do not', () => {
    expect(stopped(0.02, 0.005, true)).toBeGreaterThanOrEqual(0.95);
    expect(stopped(0.02, 0.005, false)).toBeLessThan(0.5);
  });
});
