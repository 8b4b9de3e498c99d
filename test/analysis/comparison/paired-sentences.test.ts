import { expect, test } from 'vitest';
import { pairedSentence } from '../../../src/analysis/comparison/paired-sentences.ts';
import type { PairedRow } from '../../../src/model/paired-comparison.ts';

function said(changes: Partial<PairedRow> = {}): string {
  const row: PairedRow = {
    ...{ prompt: null, concurrency: 4, metric: 'ttft', statistic: 'p50', unit: 'ms', better: 'lower' },
    ...{ n: 200, a: 100, b: 180, factor: 1.8, low: 1.6, high: 2, drawn: 'rounds', verdict: 'a_better' },
    ...changes,
  };
  return pairedSentence([row], { a: 'x', b: 'y' });
}

test('the better side is named, with the factor, its range and the values', () => {
  expect(said()).toBe('first token 1.8x faster with x (1.6x to 2.0x): 100 ms instead of 180 ms');
  expect(said({ statistic: 'p95' })).toMatch(/^first token \(p95\) 1\.8x faster/);
  // From the other side the bounds change places.
  expect(said({ verdict: 'b_better', a: 200, b: 100, factor: 0.5, low: 0.25, high: 0.8 })).toBe(
    'first token 2.0x faster with y (1.3x to 4.0x): 100 ms instead of 200 ms',
  );
  expect(said({ metric: 'bytes', better: 'lower' })).toMatch(/^bytes 1\.8x lower with x/);
});

test('a factor near 1 has two decimals, and one from 10 on has none', () => {
  expect(said({ factor: 1.19, low: 1.194, high: 1.2 })).toContain('1.19x faster with x (1.19x to 1.2x)');
  expect(said({ factor: 9.94, low: 9.95, high: 123.4 })).toContain('9.9x faster with x (10x to 123x)');
  expect(said({ verdict: 'equivalent' })).toBe('first token equivalent (100 ms with x, 180 ms with y)');
});

test('bounds that the data does not set', () => {
  expect(said({ high: null })).toContain('(1.6x to unbounded)');
  expect(said({ low: null, verdict: 'inconclusive' })).toBe(
    'first token inconclusive: 0x to 2.0x faster with x (100 ms with x, 180 ms with y)',
  );
  expect(said({ low: null, high: null })).toBe('first token 1.8x faster with x: 100 ms instead of 180 ms');
  expect(said({ verdict: 'b_better', factor: 0.5, low: 0, high: 0.8 })).toContain('(1.3x to unbounded)');
});

test('what cannot be told', () => {
  expect(said({ factor: null, a: null, b: null, verdict: 'inconclusive' })).toBe('first token without data');
  expect(said({ n: 19, verdict: 'inconclusive' })).toBe(
    'first token inconclusive: 19 values per side, 20 needed',
  );
  expect(said({ n: 1, verdict: 'inconclusive' })).toContain('1 value per side');
  const failed = 'most requests of the other side failed';
  expect(said({ factor: null, b: null })).toBe(`first token faster with x: ${failed}`);
  expect(said({ factor: 0, a: null, verdict: 'b_better' })).toBe(`first token faster with y: ${failed}`);
  expect(said({ low: null, high: null, verdict: 'inconclusive' })).toBe(
    'first token inconclusive (100 ms with x, 180 ms with y)',
  );
  expect(said({ a: null, low: null, high: null, verdict: 'inconclusive' })).toBe(
    'first token inconclusive (failed requests with x, 180 ms with y)',
  );
  expect(pairedSentence([], { a: 'x', b: 'y' })).toBe('x and y have no prompt and load level in common');
});
