import { describe, expect, test } from 'vitest';
import {
  type BootstrapOptions,
  bootstrapPairedRatio,
  type Rounds,
  type Statistic,
} from '../../../src/analysis/statistics/bootstrap.ts';
import { groupedSample } from '../../../src/analysis/statistics/weighted-sample.ts';
import { percentileOf } from '../../../src/metrics/percentile.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { values } from '../runs.ts';

/** Of one pair. */
const ratioOf = (base: Rounds, next: Rounds, statistic: Statistic, options: BootstrapOptions) =>
  bootstrapPairedRatio([{ base, next }], statistic, options);

const P50 = { quantile: 0.5 };
const P95 = { quantile: 0.95 };

describe('a sample that is drawn in groups', () => {
  test('finds the percentile and the mean of any weights as if the values had been written out', () => {
    const random = createRandom(1);
    for (let trial = 0; trial < 200; trial++) {
      const groups = Array.from({ length: 1 + random.below(6) }, () =>
        Array.from({ length: 1 + random.below(9) }, () => random.below(20)),
      );
      const weights = groups.map(() => random.below(3));
      const flat = groups.flatMap((group, g) => new Array(weights[g]!).fill(group).flat()) as number[];
      const sample = groupedSample(groups);
      const quantile = random.next();
      if (flat.length === 0) {
        expect(sample.at({ quantile }, weights)).toBeNaN();
        continue;
      }
      expect(sample.at({ quantile }, weights)).toBe(percentileOf(Float64Array.from(flat).sort(), quantile));
      expect(sample.at('mean', weights)).toBeCloseTo(flat.reduce((a, b) => a + b, 0) / flat.length, 9);
    }
  });
});

describe('a ratio', () => {
  const random = createRandom(5);
  const base = values(random, 5, 40, { ttftMs: 300 });
  const next = values(random, 5, 40, { ttftMs: 360 });

  test('is the same for the same seed, and hardly another for another', () => {
    const [a, again, b] = [1, 1, 2].map((seed) => ratioOf(base, next, P50, { seed })!);
    expect([a!.low, a!.high, a!.ratio]).toEqual([again!.low, again!.high, again!.ratio]);
    expect(a!.seed).toBe(1);
    expect(a!.resamples).toBe(10_000);
    expect(a!.low / b!.low).toBeCloseTo(1, 1);
    expect(a!.low).toBeLessThan(a!.ratio);
    expect(a!.high).toBeGreaterThan(a!.ratio);
  });

  test('of a run with itself is 1, and of values that never vary is exact', () => {
    expect(ratioOf(base, base, P95, { seed: 1 })!.ratio).toBe(1);
    const constant = (value: number) => [1, 2, 3, 4, 5].map(() => new Array(40).fill(value));
    const doubled = ratioOf(constant(20), constant(40), P50, { seed: 1 })!;
    expect([doubled.low, doubled.ratio, doubled.high].map((value) => +value.toFixed(9))).toEqual([2, 2, 2]);
    expect(doubled.pAbove(1.1)).toBe(0);
    expect(doubled.pBelow(1.1)).toBe(1);
    expect(ratioOf(constant(0), constant(0), P50, { seed: 1 })!.ratio).toBe(1);
  });

  test('says the same by its bounds and by its p-values', () => {
    const estimate = ratioOf(base, next, P50, { seed: 1 })!;
    expect(estimate.pAbove(estimate.low)).toBeCloseTo(0.05, 2);
    expect(estimate.pBelow(estimate.high)).toBeCloseTo(0.05, 2);
    expect(estimate.pAbove(1)).toBeLessThan(0.01);
    expect(estimate.pAbove(0.5)).toBeLessThan(estimate.pAbove(0.9));
    expect(estimate.pAbove(2)).toBeGreaterThan(0.99);
  });

  test('is null without values, and needs four rounds on both sides to cover drift', () => {
    expect(ratioOf([[], []], next, P50, { seed: 1 })).toBeNull();
    expect(ratioOf(base, [], P50, { seed: 1 })).toBeNull();
    expect(ratioOf(base, next.slice(0, 4), P50, { seed: 1 })!.drawn).toBe('rounds');
    expect(ratioOf(base, next.slice(0, 3), P50, { seed: 1 })!.drawn).toBe('requests');
    expect(ratioOf(base.slice(0, 1), next.slice(0, 1), 'mean', { seed: 1 })!.drawn).toBe('requests');
  });

  test('counts failures as infinite: they are never dropped', () => {
    const failing = next.map((round) => [...round.slice(4), ...new Array(4).fill(Number.POSITIVE_INFINITY)]);
    const p50 = ratioOf(base, failing, P50, { seed: 1 })!;
    const p95 = ratioOf(base, failing, P95, { seed: 1 })!;
    expect(p50.ratio).toBeGreaterThan(1.2);
    expect(Number.isFinite(p50.high)).toBe(true);
    expect(p95.ratio).toBe(Number.POSITIVE_INFINITY);
    expect(p95.low).toBe(Number.POSITIVE_INFINITY);
    expect(p95.pAbove(1.15)).toBeLessThan(0.001);
    // Where both sides fail, the ratio may be anything.
    const both = ratioOf(failing, failing, P95, { seed: 1 })!;
    expect([both.ratio, both.low, both.high]).toEqual([Number.NaN, 0, Number.POSITIVE_INFINITY]);
    expect(both.pAbove(1.15)).toBeGreaterThan(0.5);
  });

  test('of 5 x 400 requests takes well under a second of the processor', () => {
    const big = [300, 330].map((ttftMs) => values(random, 5, 400, { ttftMs, drift: 0.05 }));
    // Processor time, which a busy machine does not stretch.
    const before = process.cpuUsage();
    ratioOf(big[0]!, big[1]!, P95, { seed: 1, resamples: 10_000 });
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  });
});

describe('pairs', () => {
  test('cancel what both sides share', () => {
    const random = createRandom(6);
    const luck = [1, 1.3, 0.8, 1.1, 0.9];
    const base = values(random, 5, 40, { ttftMs: 300, sigma: 0.1 }, luck);
    const next = values(random, 5, 40, { ttftMs: 330, sigma: 0.1 }, luck);
    const paired = bootstrapPairedRatio([{ base, next }], P50, { seed: 1 })!;
    const apart = ratioOf(base, next.toReversed(), P50, { seed: 1 })!;
    expect(paired.ratio).toBe(apart.ratio);
    expect(Math.log(paired.high / paired.low)).toBeLessThan(0.5 * Math.log(apart.high / apart.low));
    expect(paired.low).toBeGreaterThan(1);
  });

  test('of several prompts give the geometric mean of their ratios', () => {
    const constant = (value: number) => [1, 2, 3, 4, 5].map(() => new Array(20).fill(value));
    const pairs = [
      { base: constant(100), next: constant(200) },
      { base: constant(1000), next: constant(500) },
      { base: constant(10), next: constant(80) },
    ];
    const { ratio, base, next, low, high } = bootstrapPairedRatio(pairs, P50, { seed: 1 })!;
    expect(ratio).toBeCloseTo(2, 9);
    expect(base).toBeCloseTo(100, 6);
    expect(next).toBeCloseTo(200, 6);
    expect([low, high].map((value) => +value.toFixed(9))).toEqual([2, 2]);
  });

  test('with fewer than four rounds in common are drawn apart', () => {
    const random = createRandom(7);
    const base = values(random, 5, 40, { ttftMs: 300 });
    const next = values(random, 3, 40, { ttftMs: 300 });
    expect(bootstrapPairedRatio([{ base, next }], P50, { seed: 1 })!.drawn).toBe('requests');
    expect(bootstrapPairedRatio([{ base, next: [[], []] }], P50, { seed: 1 })).toBeNull();
    expect(bootstrapPairedRatio([], P50, { seed: 1 })).toBeNull();
    // Four rounds in common are needed of all pairs, not of one.
    const whole = values(random, 5, 40, { ttftMs: 300 });
    const pairs = [
      { base, next: whole },
      { base, next },
    ];
    expect(bootstrapPairedRatio(pairs, P50, { seed: 1 })!.drawn).toBe('requests');
    const four = [{ base, next: whole.slice(0, 4) }];
    expect(bootstrapPairedRatio(four, P50, { seed: 1 })!.drawn).toBe('rounds');
  });

  test('that were drawn apart give the geometric mean of their ratios as well', () => {
    const constant = (value: number) => [1, 2, 3].map(() => new Array(20).fill(value));
    const pairs = [
      { base: constant(100), next: constant(200) },
      { base: constant(1000), next: constant(500) },
      { base: constant(10), next: constant(80) },
    ];
    const estimate = bootstrapPairedRatio(pairs, P50, { seed: 1, resamples: 500 })!;
    expect(estimate).toMatchObject({ drawn: 'requests', resamples: 500 });
    expect(estimate.ratio).toBeCloseTo(2, 9);
    expect(estimate.base).toBeCloseTo(100, 6);
    expect(estimate.next).toBeCloseTo(200, 6);
    expect([estimate.low, estimate.high].map((value) => +value.toFixed(9))).toEqual([2, 2]);
    // Of values that vary the interval has a width, and shrinks with the number of pairs.
    const random = createRandom(8);
    const varying = (n: number) =>
      Array.from({ length: n }, () => ({
        base: values(random, 3, 40, { ttftMs: 300 }),
        next: values(random, 3, 40, { ttftMs: 300 }),
      }));
    const width = (n: number) => {
      const { low, high } = bootstrapPairedRatio(varying(n), P50, { seed: 1, resamples: 1000 })!;
      return Math.log(high / low);
    };
    expect(width(1) / width(16)).toBeCloseTo(4, -0.5);
  });
});

// By simulation with 1,000 resamples, so that it stays quick; the true ratio is 1. Log-normal values (sigma 0.25), 2 % of them
// five times as large, and a factor for each round where drift is not 0.
describe('coverage of the 90 % interval', () => {
  const TRIALS = 700;

  test.each([
    { rounds: 5, perRound: 40, drift: 0, quantile: 0.5 },
    { rounds: 5, perRound: 40, drift: 0.05, quantile: 0.5 },
    { rounds: 5, perRound: 40, drift: 0.05, quantile: 0.9 },
    { rounds: 5, perRound: 200, drift: 0, quantile: 0.95 },
    { rounds: 5, perRound: 200, drift: 0.05, quantile: 0.95 },
    { rounds: 4, perRound: 50, drift: 0.05, quantile: 0.5 },
    { rounds: 10, perRound: 40, drift: 0.05, quantile: 0.5 },
    { rounds: 2, perRound: 100, drift: 0, quantile: 0.5 },
  ])(
    '$rounds rounds of $perRound, drift $drift, quantile $quantile',
    ({ rounds, perRound, drift, quantile }) => {
      const random = createRandom(rounds * 1000 + perRound + quantile * 10);
      let covered = 0;
      for (let seed = 0; seed < TRIALS; seed++) {
        const draw = () => values(random, rounds, perRound, { ttftMs: 300, drift });
        const { low, high } = ratioOf(draw(), draw(), { quantile }, { seed, resamples: 1000 })!;
        if (low <= 1 && high >= 1) covered += 1;
      }
      expect(covered / TRIALS).toBeGreaterThanOrEqual(0.87);
      expect(covered / TRIALS).toBeLessThanOrEqual(0.93);
    },
  );

  test('of pairs in five shared rounds', () => {
    const random = createRandom(77);
    let covered = 0;
    for (let seed = 0; seed < TRIALS; seed++) {
      const luck = Array.from({ length: 5 }, () => Math.exp(0.05 * random.normal()));
      const draw = () => values(random, 5, 40, { ttftMs: 300 }, luck);
      const { low, high } = bootstrapPairedRatio([{ base: draw(), next: draw() }], P50, {
        seed,
        resamples: 1000,
      })!;
      if (low <= 1 && high >= 1) covered += 1;
    }
    expect(covered / TRIALS).toBeGreaterThanOrEqual(0.87);
    expect(covered / TRIALS).toBeLessThanOrEqual(0.94);
  });
});
