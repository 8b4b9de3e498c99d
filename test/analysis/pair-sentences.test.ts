import { expect, test } from 'vitest';
import { plainSentence } from '../../src/analysis/pair-sentences.ts';
import type { PairRow } from '../../src/model/contrast.ts';

function said(changes: Partial<PairRow> = {}): string {
  const row: PairRow = {
    ...{ prompt: null, concurrency: 4, metric: 'ttft', statistic: 'p50', unit: 'ms', better: 'lower' },
    ...{ n: 200, a: 100, b: 180, factor: 1.8, low: 1.6, high: 2, drawn: 'rounds', verdict: 'a_better' },
    ...changes,
  };
  return plainSentence([row], { a: 'x', b: 'y' });
}

test('the better side is the subject, with the factor and its range', () => {
  expect(said()).toBe('x answers first 1.8 times sooner (1.6 to 2.0)');
  expect(said({ statistic: 'p95' })).toBe('x answers first (p95) 1.8 times sooner (1.6 to 2.0)');
  // Seen from the other side, and the bounds change places.
  expect(said({ verdict: 'b_better', factor: 0.5, low: 0.25, high: 0.8 })).toBe(
    'y answers first 2.0 times sooner (1.3 to 4.0)',
  );
  expect(said({ metric: 'bytes', better: 'lower' })).toBe('x is 1.8 times lower (1.6 to 2.0)');
});

test('a factor near 1 has two decimals, and one from 10 on has none', () => {
  expect(said({ factor: 1.19, low: 1.194, high: 1.2 })).toContain('1.19 times sooner (1.19 to 1.2)');
  expect(said({ factor: 9.94, low: 9.95, high: 123.4 })).toContain('9.9 times sooner (10 to 123)');
  expect(said({ verdict: 'equivalent' })).toBe('time to first token is equivalent');
});

test('bounds that the data does not set', () => {
  expect(said({ high: null })).toContain('(1.6 to any)');
  expect(said({ low: null, verdict: 'inconclusive' })).toBe('time to first token is inconclusive (0 to 2.0)');
  expect(said({ low: null, high: null })).toBe('x answers first 1.8 times sooner');
  expect(said({ verdict: 'b_better', factor: 0.5, low: 0, high: 0.8 })).toContain('(1.3 to any)');
});

test('what cannot be told', () => {
  expect(said({ factor: null, a: null, b: null, verdict: 'inconclusive' })).toBe(
    'time to first token has no data',
  );
  expect(said({ n: 19, verdict: 'inconclusive' })).toBe(
    'time to first token is inconclusive: 19 answers are too few, 20 are needed',
  );
  // One side is there, the other fails.
  expect(said({ factor: null, b: null })).toBe('x answers first, as the other side mostly fails');
  expect(said({ factor: 0, a: null, verdict: 'b_better' })).toBe(
    'y answers first, as the other side mostly fails',
  );
  expect(said({ factor: null, b: null, low: null, high: null, verdict: 'inconclusive' })).toBe(
    'time to first token is inconclusive',
  );
  expect(plainSentence([], { a: 'x', b: 'y' })).toBe('nothing was measured of both x and y');
});
