import { describe, expect, test } from 'vitest';
import { decideAb } from '../../../src/analysis/comparison/ab-gate.ts';
import { abLooks } from '../../../src/analysis/comparison/ab-look.ts';
import { parseChecks } from '../../../src/analysis/regression/checks.ts';
import { fewestHits, mostHits } from '../regression/bounds.ts';
import { type AbChange, type AbWorld, abAlarms, earlyStops, simulateAb } from './ab-world.ts';

const SETTINGS = { base: 'a', next: 'b', strict: false };
const decide = (world: AbWorld, change: AbChange = {}, seed = 1, options = {}) =>
  decideAb(simulateAb(world, seed, change), SETTINGS, { seed: 1, resamples: 1_000, ...options });

const CALM: AbWorld = { shape: 'lognormal', n: 400, drift: 0.1, width: 0.2 };

describe('the verdict of B against A', () => {
  test('a slower B is a regression, with the figure that leads first and both values', () => {
    const gate = decide(CALM, { factor: 1.5 });
    expect(gate.verdict).toBe('regression');
    expect(gate.sentence).toMatch(
      /^regression: b is worse than a: ttft\.p50 \+\d+ % \(.*\): \d+ ms instead of \d+ ms, and \d more$/,
    );
  });

  test('a faster B is an improvement', () => {
    expect(decide(CALM, { factor: 0.6 }).verdict).toBe('improvement');
  });

  test('the same on both sides is equivalent, however much the rounds differ', () => {
    expect(decide({ ...CALM, drift: 0.5 }).verdict).toBe('equivalent');
  });

  test('too few requests decide nothing', () => {
    const { verdict, checks } = decide({ ...CALM, n: 10 }, { factor: 3 });
    expect(verdict).toBe('inconclusive');
    expect(checks[0]).toMatchObject({ gated: false, sentence: 'ttft.p50: 10 values per side, 20 needed' });
  });

  test('with three rounds a small change may be drift, which the gate says', () => {
    const gate = decide({ ...CALM, rounds: 3 });
    expect(gate.verdict).toBe('inconclusive');
    expect(gate.warnings).toEqual([
      '3 rounds: drift between rounds cannot be measured and is assumed to be 5 %; use --rounds 5 or more',
    ]);
    expect(decide({ ...CALM, rounds: 3 }, { factor: 2 }).verdict).toBe('regression');
  });

  test('failures of B alone are a regression of errors.rate', () => {
    const { verdict, checks } = decide(CALM, { errors: 0.01, errorsOfB: 0.2 });
    expect(verdict).toBe('regression');
    expect(checks.find(({ figure }) => figure === 'errors.rate')?.verdict).toBe('regression');
  });

  test('sides without a common cell: inconclusive, never a pass', () => {
    const gate = decideAb(simulateAb(CALM, 1), { ...SETTINGS, next: 'c' }, { seed: 1 });
    expect(gate).toMatchObject({
      verdict: 'inconclusive',
      warnings: ['the sides have no prompt and load level in common'],
    });
  });

  test('the checks and their tolerances can be chosen', () => {
    const checks = parseChecks(['total.p50: 80%']);
    const gate = decide(CALM, { factor: 1.5 }, 1, { checks });
    expect(gate.checks.map(({ figure }) => figure)).toEqual(['total.p50']);
    expect(gate.verdict).toBe('equivalent');
  });

  test('where a side reasons the answer leads, and the sentence has the first thought', () => {
    const both = decide(CALM, { factor: 0.5, reasoning: ['a', 'b'] });
    expect(both.checks[0]?.figure).toBe('ttfa.p50');
    expect(both.sentence).toMatch(
      /^improvement: b shows its answer 2\.\dx faster than a \(.*x to .*x\): \d+ ms instead of \d+ ms; its first thought comes at \d+ ms instead of \d+ ms, and \d more$/,
    );
    const slower = decide(CALM, { factor: 1.5, reasoning: ['b'] });
    expect(slower.sentence).toMatch(
      /^regression: b shows its answer [23]\.\dx slower than a \(.*\): \d+ ms instead of \d+ ms; its first thought comes at 1\d\d ms, a does not reason/,
    );
    expect(decide(CALM, { factor: 0.5, reasoning: ['a'] }).sentence).toMatch(
      /; the first thought of a comes at \d+ ms, b does not reason/,
    );
    expect(decide(CALM, { reasoning: ['a', 'b'] }).sentence).toMatch(
      /^equivalent: .*: ttfa\.p50 .*: \d+ ms instead of \d+ ms; its first thought comes at \d+ ms/,
    );
  });

  test('what is not compared is said', () => {
    const checks = parseChecks(['ttft.p50', 'goodput', 'goodput.rate']);
    expect(decide(CALM, {}, 1, { checks }).warnings).toEqual([
      'not compared: goodput, goodput.rate (between two sides only times, rates and errors.rate are)',
    ]);
    const run = simulateAb(CALM, 1);
    const whole = new Map(
      Array.from(run.cells, ([key, samples]) => [
        `${key} whole`,
        { ...samples, cell: { ...samples.cell, mode: 'non-streaming' as const } },
      ]),
    );
    const both = new Map([...run.cells, ...whole]);
    expect(decideAb({ ...run, cells: both }, SETTINGS, { seed: 1 }).warnings).toEqual([
      'only streaming requests are compared: 2 cells in the other mode are not',
    ]);
    const gate = decideAb({ ...run, cells: whole }, SETTINGS, {
      seed: 1,
      checks: parseChecks(['total.p50', 'gap.p95']),
    });
    expect(gate.warnings).toEqual(['not compared: gap.p95 (non-streaming requests have no such value)']);
  });

  test('one slow cell of four is named', () => {
    const gate = decide({ ...CALM, cells: 4 }, { firstCell: 1.25 });
    expect(gate.verdict).toBe('regression');
    expect(gate.checks.at(-1)).toMatchObject({ cell: { target: 'b', prompt: 'p0' }, verdict: 'regression' });
  });
});

describe('early stop', () => {
  const MAX = 20;
  const look = (rounds: number, change: AbChange = {}, cells = 1) => {
    const run = simulateAb({ ...CALM, n: rounds * 20, rounds, cells }, 3, { errors: 0, ...change });
    return abLooks(SETTINGS, MAX, { seed: 1 }).after(rounds, run);
  };

  test('a doubling stops the run after a few rounds, and the sentence says why', () => {
    expect(look(8, { factor: 2 })).toEqual({
      ...{ rounds: 8, maxRounds: 20, reason: 'regression' },
      sentence: 'stopped after 8 of at most 20 rounds: ttft.p50 is worse by more than the tolerance',
    });
  });

  test('no change stops it when the tolerance is ruled out', () => {
    expect(look(16)?.reason).toBe('no_regression');
  });

  test('before the fourth round nothing is decided; after the last one the gate decides', () => {
    expect(look(3, { factor: 9 })).toBeUndefined();
    expect(look(20)).toMatchObject({ reason: 'maximum' });
  });

  test('one slow cell of four keeps the run going, or stops it as a regression', () => {
    expect(look(12, { firstCell: 1.2 }, 4)?.reason).not.toBe('no_regression');
    expect(look(12, {}, 4)?.reason).toBe('no_regression');
  });

  test('failures that rise count as a regression', () => {
    expect(look(10, { errorsOfB: 0.5 })).toMatchObject({ reason: 'regression' });
  });
});

describe('early stop by simulation: 16 rounds of 20 requests, 10 % drift', { timeout: 60_000 }, () => {
  const world = { shape: 'lognormal', n: 320, rounds: 16, drift: 0.1, width: 0.25 } as const;

  test('+30 % is found as with all rounds, with a third of the requests', () => {
    const found = earlyStops(world, { trials: 20, seed: 3, change: { factor: 1.3 } });
    expect(found).toMatchObject({ regression: 1, regressionAtMaximum: 1 });
    expect(found.saved).toBeGreaterThan(0.66);
  });

  test('without a change most runs stop, and no more are called a regression', () => {
    const { regression, stopped, saved } = earlyStops(world, { trials: 20, seed: 3 });
    expect(20 * regression).toBeLessThanOrEqual(mostHits(20, 0.05));
    expect(stopped).toBeGreaterThan(0.5);
    expect(saved).toBeGreaterThan(0.45);
  });
});

/**
 * Seeded, so that results do not vary; the limits allow for chance, and show twice the false alarms or a tenth less power. With more
 * trials: `npm run gates`.
 */
describe('by simulation: 5 rounds, 10 % drift between rounds, 3 % errors', { timeout: 60_000 }, () => {
  const hits = (world: AbWorld, trials: number, change: AbChange = {}) =>
    Math.round(trials * abAlarms(world, { trials, seed: 7, change }));

  test.each<[AbWorld, number]>([
    [{ shape: 'lognormal', n: 20, drift: 0.1 }, 400],
    [{ shape: 'lognormal', n: 50, drift: 0.1, width: 0.8 }, 400],
    [{ shape: 'bimodal', n: 50, cells: 4, drift: 0.1 }, 100],
    [{ shape: 'heavy-tailed', n: 20, cells: 4, drift: 0.1 }, 100],
    [{ shape: 'lognormal', n: 20, cells: 12, drift: 0.05 }, 50],
  ])('no change in %o, %i times: at most 5 % false alarms', (world, trials) => {
    expect(hits(world, trials)).toBeLessThanOrEqual(mostHits(trials, 0.05));
  });

  test('+20 % on 200 requests is found in at least 65 %', () => {
    const found = hits({ shape: 'lognormal', n: 200, drift: 0.1 }, 150, { factor: 1.2 });
    expect(found).toBeGreaterThanOrEqual(fewestHits(150, 0.65));
  });
});
