import { describe, expect, test } from 'vitest';
import { fewestHits, mostHits } from './bounds.ts';
import {
  alarms,
  type Change,
  creep,
  type FigureWorld,
  figureAlarms,
  type Trials,
  type World,
} from './simulation.ts';

/**
 * The whole gate by simulation, with as many trials as show a gate that is clearly off: twice the false alarms, or a tenth less
 * power. Seeded, so that results do not vary; the limits allow for chance. With more trials, and many more worlds: `npm run gates`.
 */

const TRIALS = 150;

/** How many of the runs were called a regression. */
const hits = (world: World, settings: Partial<Trials> & Pick<Trials, 'runs'>, trials = TRIALS) =>
  Math.round(trials * alarms(world, { trials, seed: 7, ...settings }));

describe('nothing has changed', { timeout: 60_000 }, () => {
  test.each<[World, number, number]>([
    [{ shape: 'lognormal', n: 200, cells: 1, drift: 0.1 }, 10, 0.05],
    [{ shape: 'heavy-tailed', n: 50, cells: 4, drift: 0.05 }, 5, 0.05],
    [{ shape: 'bimodal', n: 50, cells: 4, drift: 0 }, 10, 0.05],
    [{ shape: 'lognormal', n: 20, cells: 24, drift: 0.02 }, 10, 0.05],
    [{ shape: 'lognormal', n: 50, cells: 1, drift: 0.05 }, 1, 0.08],
  ])('%o with %i accepted runs: a share of at most %d is called a regression', (world, runs, share) => {
    expect(hits(world, { runs })).toBeLessThanOrEqual(mostHits(TRIALS, share));
  });

  test.each<[FigureWorld, number]>([
    [{ drift: 0.1, sampling: 0.02, figures: 7 }, 10],
    [{ drift: 0.1, sampling: 0.02, figures: 7 }, 5],
    [{ drift: 0.3, sampling: 0.05, figures: 1 }, 10],
  ])('%o with %i accepted runs, without requests: the level is kept closely', (world, runs) => {
    const share = figureAlarms(world, { runs, trials: 1000, seed: 7 });
    expect(1000 * share).toBeLessThanOrEqual(mostHits(1000, 0.05));
  });

  test('with a pin the chance of a false alarm stays', () => {
    const world: World = { shape: 'lognormal', n: 50, cells: 1, drift: 0.05 };
    expect(hits(world, { runs: 10, pinned: 10 })).toBeLessThanOrEqual(mostHits(TRIALS, 0.05));
  });
});

describe('a change is found', { timeout: 60_000 }, () => {
  test.each<[string, World, Change, number]>([
    ['+20 %', { shape: 'lognormal', n: 200, cells: 1, drift: 0.05 }, { all: 1.2 }, 0.85],
    ['+20 % in 4 cells', { shape: 'lognormal', n: 200, cells: 4, drift: 0.05 }, { all: 1.2 }, 0.85],
    [
      'one slow cell of four, although runs differ by 10 %',
      { shape: 'lognormal', n: 100, cells: 4, drift: 0.1 },
      { firstCell: 1.6 },
      0.95,
    ],
    [
      'errors that rise from 3 % to 12 %',
      { shape: 'lognormal', n: 200, cells: 2, drift: 0.05 },
      { errors: 0.12 },
      0.95,
    ],
  ])('%s, by 10 accepted runs', (_, world, change, share) => {
    expect(hits(world, { runs: 10, change }, 100)).toBeGreaterThanOrEqual(fewestHits(100, share));
  });
});

describe('regressions that creep in, merge by merge', { timeout: 60_000 }, () => {
  const SERIES = 20;

  /** How many series the gate stops before the service is 15 % slower. */
  const stopped = (drift: number, step: number, withPin: boolean) => {
    const world: World = { shape: 'lognormal', n: 200, cells: 4, drift };
    const merges = Math.floor(Math.log(1.15) / Math.log(1 + step));
    const stops = Array.from({ length: SERIES }, (_, seed) =>
      creep(world, { step, merges, seed: seed + 1, withPin }),
    );
    return stops.filter(Number.isFinite).length;
  };

  test.each<[number, number]>([
    [0, 1],
    [0.02, 0.99],
    [0.05, 0.93],
  ])('steps of 0.02 at drift %d: the pin stops a share of %d before the limit', (drift, share) => {
    expect(stopped(drift, 0.02, true)).toBeGreaterThanOrEqual(fewestHits(SERIES, share));
  });

  test('+0.5 % each: the pin stops them, the newest runs alone do not', () => {
    expect(stopped(0.02, 0.005, true)).toBeGreaterThanOrEqual(fewestHits(SERIES, 0.99));
    expect(stopped(0.02, 0.005, false)).toBeLessThanOrEqual(SERIES / 2);
  });
});
