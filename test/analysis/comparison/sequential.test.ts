import { describe, expect, test } from 'vitest';
import {
  chanceOfRegression,
  decideLook,
  FIRST_LOOK,
  type Interim,
  type LookCheck,
} from '../../../src/analysis/comparison/sequential.ts';
import { studentCdf } from '../../../src/analysis/statistics/distributions.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

describe('the chance of a regression after all rounds', () => {
  const interim: Interim = {
    mean: 0.2,
    error: 0.05,
    degreesOfFreedom: 4,
    tolerance: 0.1,
    level: 0.05,
  };

  test('by hand: 5 of 20 rounds, 0.1 above the tolerance, t = 0.1 / (0.05 sqrt(0.75)) = 2.309', () => {
    // P(T4 < 2.309) = 0.9590
    expect(chanceOfRegression(interim, 5, 20)).toBeCloseTo(0.959, 3);
  });

  test('is even where the mean is at the tolerance', () => {
    expect(chanceOfRegression({ ...interim, mean: 0.1 }, 5, 20)).toBeCloseTo(0.5, 12);
  });

  test('a change that is not significant after all rounds is no regression: t(19, 0.95) = 1.729', () => {
    const noisy = { ...interim, error: 0.4, mean: 0.4 * Math.sqrt(5 / 20) * 1.729 };
    expect(chanceOfRegression(noisy, 5, 20)).toBeCloseTo(0.5, 3);
  });

  test('leaves no doubt without noise', () => {
    expect(chanceOfRegression({ ...interim, error: 0 }, 5, 20)).toBe(1);
    expect(chanceOfRegression({ ...interim, error: 0, mean: 0.05 }, 5, 20)).toBe(0);
  });
});

describe('decideLook', () => {
  const check = (chance: number, isRegression = false): LookCheck => ({ chance, isRegression });

  test.each([
    ['a regression that remains one', [check(0.2), check(0.99, true)], 'regression'],
    ['one that may not remain one', [check(0.2), check(0.9, true)], undefined],
    ['no regression yet, although one is expected', [check(0.99)], undefined],
    ['no check that can become one', [check(0.01), check(0.02)], 'no_regression'],
    ['a check that can become one', [check(0.01), check(0.2)], undefined],
    ['a check of which nothing is known', [check(Number.NaN), check(0.01)], undefined],
    ['no check', [], undefined],
  ])('%s', (_, checks, expected) => {
    expect(decideLook(checks)).toBe(expected);
  });
});

/** Rounds of 20 requests a side, lognormal with width 0.25: the noise of a round's ratio of medians. */
const ROUND_NOISE = 1.25 * 0.25 * Math.sqrt(2 / 20);
const TOLERANCE = Math.log(1.1);
const LEVEL = 0.05;
const MAX_ROUNDS = 20;

/** One figure, decided after each round and after all of them. */
function simulate(effect: number, noise: number, trials = 1000) {
  const random = createRandom(5);
  const found = { early: 0, fixed: 0, otherwise: 0, saved: 0 };
  for (let trial = 0; trial < trials; trial++) {
    let [sum, squares, used] = [0, 0, MAX_ROUNDS];
    let stopped: ReturnType<typeof decideLook>;
    let isWorse = false;
    for (let rounds = 1; rounds <= MAX_ROUNDS; rounds++) {
      const log = Math.log(1 + effect) + noise * random.normal();
      sum += log;
      squares += log * log;
      const mean = sum / rounds;
      const error = Math.sqrt((squares - sum * mean) / (rounds - 1) / rounds);
      isWorse = mean > TOLERANCE && studentCdf(-mean / error, rounds - 1) <= LEVEL;
      if (rounds < FIRST_LOOK || rounds === MAX_ROUNDS || stopped !== undefined) continue;
      const interim = { mean, error, degreesOfFreedom: rounds - 1, tolerance: TOLERANCE, level: LEVEL };
      const chance = chanceOfRegression(interim, rounds, MAX_ROUNDS);
      stopped = decideLook([{ isRegression: isWorse, chance }]);
      if (stopped !== undefined) used = rounds;
    }
    const early = stopped === undefined ? isWorse : stopped === 'regression';
    found.early += early ? 1 : 0;
    found.fixed += isWorse ? 1 : 0;
    found.otherwise += early === isWorse ? 0 : 1;
    found.saved += 1 - used / MAX_ROUNDS;
  }
  const share = (count: number) => count / trials;
  return {
    regression: share(found.early),
    regressionWithAllRounds: share(found.fixed),
    otherwise: share(found.otherwise),
    saved: share(found.saved),
  };
}

describe('by simulation, 20 rounds of 20 requests (seeded)', () => {
  test('at the tolerance, where either answer is right, few runs are decided otherwise', () => {
    expect(simulate(0.1, ROUND_NOISE).otherwise).toBeLessThanOrEqual(0.1);
  });

  test('without a change: no false alarm, and 60 % of the requests are saved', () => {
    const { regression, saved } = simulate(0, ROUND_NOISE);
    expect(regression).toBeLessThanOrEqual(0.005);
    expect(saved).toBeGreaterThanOrEqual(0.6);
  });

  test('without a change and with noise that hides one: looking often adds at most two points to the level', () => {
    const { regression } = simulate(0, 10 * ROUND_NOISE);
    expect(regression).toBeLessThanOrEqual(LEVEL + 0.02);
  });

  test.each([
    [0.2, 0.55],
    [0.3, 0.7],
  ])('+%d is found as with all rounds, and a share of %d of the requests is saved', (effect, least) => {
    const { regression, regressionWithAllRounds, saved } = simulate(effect, ROUND_NOISE);
    expect(regression).toBeGreaterThanOrEqual(regressionWithAllRounds - 0.01);
    expect(saved).toBeGreaterThanOrEqual(least);
  });
});
