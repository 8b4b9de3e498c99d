import { describe, expect, test } from 'vitest';
import { decideLook, FIRST_LOOK, lookLevels } from '../../../src/analysis/comparison/sequential.ts';
import { studentCdf } from '../../../src/analysis/statistics/distributions.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

describe('the levels of the looks', () => {
  test('grow from round to round, and leave out the first and the last rounds', () => {
    const levels = lookLevels(20);
    expect([...levels.keys()]).toEqual(Array.from({ length: 16 }, (_, index) => index + FIRST_LOOK));
    const values = [...levels.values()];
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values[0]).toBeLessThan(0.001);
    expect(values.at(-1)).toBeLessThan(0.05);
  });

  test('a single look has the level itself', () => {
    const [level] = lookLevels(5, 0.025).values();
    expect(level).toBeCloseTo(0.025, 2);
  });

  test('with four rounds or fewer there is no look', () => {
    expect(lookLevels(4).size).toBe(0);
  });
});

describe('decideLook', () => {
  const check = (pAboveTolerance: number, pBelowTolerance: number, beyond = false) => ({
    ...{ pAboveTolerance, pBelowTolerance, beyond },
  });

  test.each([
    ['one check above the tolerance', [check(0.5, 0.001), check(0.001, 0.9, true)], 'regression'],
    ['the leading check below it', [check(0.9, 0.001), check(0.5, 0.4)], 'no_regression'],
    ['another check above it as measured', [check(0.9, 0.001), check(0.2, 0.4, true)], undefined],
    ['the leading check open', [check(0.9, 0.2), check(0.9, 0.001)], undefined],
    ['no check', [], undefined],
  ])('%s', (_, checks, expected) => {
    expect(decideLook(checks, 0.01)).toBe(expected);
  });
});

/** Rounds of 20 requests a side, lognormal with width 0.25: the noise of a round's ratio of medians. */
const ROUND_NOISE = 1.25 * 0.25 * Math.sqrt(2 / 20);
const TOLERANCE = Math.log(1.1);

function simulate(effect: number, { trials, maxRounds }: { trials: number; maxRounds: number }) {
  const random = createRandom(5);
  const levels = lookLevels(maxRounds);
  const found = { regression: 0, no_regression: 0, fixed: 0, saved: 0 };
  for (let trial = 0; trial < trials; trial++) {
    let [sum, squares, used] = [0, 0, maxRounds];
    let reason: ReturnType<typeof decideLook>;
    const error = (rounds: number) => Math.sqrt((squares - sum ** 2 / rounds) / (rounds - 1) / rounds);
    for (let rounds = 1; rounds <= maxRounds; rounds++) {
      const log = Math.log(1 + effect) + ROUND_NOISE * random.normal();
      sum += log;
      squares += log * log;
      const level = levels.get(rounds);
      if (level === undefined || reason !== undefined) continue;
      const t = (sum / rounds - TOLERANCE) / error(rounds);
      const pAboveTolerance = studentCdf(-t, rounds - 1);
      reason = decideLook([{ pAboveTolerance, pBelowTolerance: 1 - pAboveTolerance, beyond: t > 0 }], level);
      if (reason !== undefined) used = rounds;
    }
    const mean = sum / maxRounds;
    const isWorse = mean > TOLERANCE && studentCdf(-mean / error(maxRounds), maxRounds - 1) <= 0.05;
    found.fixed += isWorse ? 1 : 0;
    if (reason !== undefined) found[reason] += 1;
    found.saved += 1 - used / maxRounds;
  }
  const share = (count: number) => count / trials;
  return {
    stoppedAsRegression: share(found.regression),
    stoppedAsClear: share(found.no_regression),
    regressionWithAllRounds: share(found.fixed),
    saved: share(found.saved),
  };
}

describe('by simulation, 20 rounds of 20 requests (seeded)', () => {
  const run = (effect: number) => simulate(effect, { trials: 2000, maxRounds: 20 });

  test('at the tolerance either stop is wrong in about 5 %', () => {
    const { stoppedAsRegression, stoppedAsClear } = run(0.1);
    expect(stoppedAsRegression).toBeLessThanOrEqual(0.06);
    expect(stoppedAsClear).toBeLessThanOrEqual(0.06);
  });

  test('without a change: no false alarm, and almost half of the requests are saved', () => {
    const { stoppedAsRegression, saved } = run(0);
    expect(stoppedAsRegression).toBeLessThanOrEqual(0.005);
    expect(saved).toBeGreaterThanOrEqual(0.45);
  });

  test('+30 % is found as with all rounds, with 60 % of the requests saved', () => {
    const { stoppedAsRegression, stoppedAsClear, regressionWithAllRounds, saved } = run(0.3);
    expect(stoppedAsRegression).toBeGreaterThanOrEqual(regressionWithAllRounds - 0.01);
    expect(stoppedAsClear).toBe(0);
    expect(saved).toBeGreaterThanOrEqual(0.6);
  });
});
