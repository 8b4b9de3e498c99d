import { describe, expect, test } from 'vitest';
import {
  type CellPair,
  type ComparedFigure,
  comparePairs,
  toleranceOf,
} from '../../../src/analysis/comparison/paired-rows.ts';
import type { CellSamples } from '../../../src/analysis/comparison/samples.ts';

/** A cell whose every metric has these values, a list for each round. */
function cell(rounds: readonly number[][]): CellSamples {
  const n = rounds.flat().length;
  return { rounds: () => rounds, count: () => ({ n, censored: 0 }) } as unknown as CellSamples;
}

const ROUNDS = [0, 1, 2, 3, 4];
const constant = (value: number, each = 20) => ROUNDS.map(() => new Array<number>(each).fill(value));
const TTFT: ComparedFigure = { metric: 'ttft', statistic: 'p50' };

function compared(a: number[][], b: number[][], figures: ComparedFigure[] = [TTFT]) {
  const pair: CellPair = { prompt: 'short', level: { concurrency: 4 }, a: cell(a), b: cell(b) };
  return comparePairs({ a: 'x', b: 'y' }, [pair], { seed: 1, resamples: 1000, figures });
}

const verdictOf = (...args: Parameters<typeof compared>) => compared(...args).rows[0]!.verdict;

test('the settings of the comparison are in it', () => {
  expect(compared(constant(1), constant(1)).settings).toEqual({ seed: 1, resamples: 1000, level: 0.9 });
});

describe('the verdict on a pair', () => {
  test('names the side with the better figure, or none', () => {
    expect(verdictOf(constant(100), constant(200))).toBe('a_better');
    expect(verdictOf(constant(200), constant(100))).toBe('b_better');
    expect(verdictOf(constant(100), constant(105))).toBe('equivalent');
    const rate = [{ metric: 'token_rate', statistic: 'p50' }];
    expect(verdictOf(constant(100), constant(200), rate)).toBe('b_better');
  });

  test('needs as many values as the percentile asks for', () => {
    // 20 for a median.
    expect(verdictOf(constant(100, 4), constant(200, 4))).toBe('a_better');
    const few = constant(100, 4).map((round, i) => (i === 0 ? round.slice(1) : round));
    expect(verdictOf(few, constant(200, 4))).toBe('inconclusive');
    expect(verdictOf(constant(100, 4), constant(200, 4), [{ metric: 'ttft', statistic: 'p95' }])).toBe(
      'inconclusive',
    );
  });

  test('without values has no figures', () => {
    const { rows, sentences } = compared([[], []], constant(100));
    expect(rows[0]).toMatchObject({
      ...{
        verdict: 'inconclusive',
        n: 0,
        a: null,
        b: null,
        factor: null,
        low: null,
        high: null,
        drawn: null,
      },
    });
    expect(sentences).toEqual(['first token without data']);
  });

  // The mean of B is 4.6 % above that of A, by a factor of its own in each round: p is 0.03. With a tolerance of 0 nothing is equivalent.
  const MEAN: ComparedFigure = { metric: 'ttft', statistic: 'mean', tolerance: 0 };
  const TOTAL = { ...MEAN, metric: 'total' };
  const above = [1, 1, 1.05, 1.08, 1.1].map((factor) => new Array<number>(20).fill(100 * factor));

  test('leaves 1 out by chance more easily, the more rows there are: Holm takes the smaller p twice', () => {
    expect(verdictOf(constant(100), above, [MEAN])).toBe('a_better');
    expect(verdictOf(above, constant(100), [MEAN])).toBe('b_better');
    for (const [a, b] of [
      [constant(100), above],
      [above, constant(100)],
    ] as const) {
      const { rows } = compared(a, b, [MEAN, TOTAL]);
      expect(rows.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'inconclusive']);
      // Each interval by itself leaves 1 out.
      expect(rows[0]!.low! > 1 || rows[0]!.high! < 1).toBe(true);
    }
  });

  test('is open where the interval has 1 in it', () => {
    const around = [0.9, 1.2, 0.8, 1.3, 1].map((factor) => new Array<number>(20).fill(100 * factor));
    expect(verdictOf(constant(100), around, [MEAN])).toBe('inconclusive');
  });
});

test('a figure in which no direction is better is refused', () => {
  expect(() => compared(constant(1), constant(1), [{ metric: 'chunks', statistic: 'p50' }])).toThrow(
    /neither direction is better/,
  );
});

test('the tolerance is 10 % for medians and means, 15 % for other percentiles, or the stated one', () => {
  const of = (statistic: string, tolerance?: number) => toleranceOf({ metric: 'ttft', statistic, tolerance });
  expect([of('p50'), of('mean'), of('p95'), of('p99.9'), of('p50', 0.3), of('p95', 0)]).toEqual([
    ...[0.1, 0.1, 0.15, 0.15, 0.3, 0],
  ]);
});
