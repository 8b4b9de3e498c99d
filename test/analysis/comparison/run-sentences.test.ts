import { describe, expect, test } from 'vitest';
import { cellInWords, overallSentence, rowSentence } from '../../../src/analysis/comparison/run-sentences.ts';
import type { ErrorRateRow, RunComparisonRow } from '../../../src/model/run-comparison.ts';

const CELL = { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' } as const;

function row(changes: Partial<RunComparisonRow> = {}): RunComparisonRow {
  return {
    ...{ cell: CELL, metric: 'ttft', statistic: 'p50', unit: 'ms', better: 'lower' },
    base: { n: 200, censored: 0, value: 100 },
    next: { n: 200, censored: 0, value: 150 },
    ...{ ratio: 1.5, low: 1.4, high: 1.6, difference: 50, tolerance: 0.1, verdict: 'regression' },
    ...{ gated: true, pWorse: 0.01, pBetter: 1, drawn: 'rounds', moreRequests: null, mannWhitney: null },
    sentence: `sentence of ${changes.metric ?? 'ttft'}`,
    ...changes,
  };
}

const said = (changes: Partial<RunComparisonRow> = {}, byChance = false) =>
  rowSentence(row(changes), { needed: 20, figures: 5, byChance }).replace(
    'ttft p50 of flash / short / 4 streams: ',
    '',
  );

test('a cell is told with its mode where that is not streaming', () => {
  expect(cellInWords(CELL)).toBe('flash / short / 4 streams');
  expect(cellInWords({ ...CELL, mode: 'non-streaming' })).toBe('flash / short / 4 streams / non-streaming');
});

describe('a row in words', () => {
  test('has the figures, the interval and the conclusion', () => {
    const figures = '100 ms before, 150 ms now (+50 %; between +40 % and +60 %)';
    expect(said()).toBe(`${figures}: regression, worse by more than 10 %`);
    expect(said({ verdict: 'improvement' })).toBe(`${figures}: improvement by more than 10 %`);
    expect(said({ verdict: 'equivalent' })).toBe(`${figures}: equivalent`);
    expect(said({ verdict: 'not_comparable' })).toBe(`${figures}: not comparable`);
    expect(said({ low: null, high: null })).toContain('between −100 % and no upper bound');
  });

  test('names the side without values', () => {
    const none = { n: 0, censored: 0, value: null };
    expect(said({ base: none })).toBe('no values on the base side');
    expect(said({ next: none })).toBe('no values on the new side');
    expect(said({ base: none, next: none })).toBe('no values on either side');
  });

  test('has no value where failures reach up to the figure', () => {
    expect(said({ next: { n: 200, censored: 150, value: null }, ratio: null, verdict: 'inconclusive' })).toBe(
      '100 ms before, no value (150 of 200 failed) now: inconclusive',
    );
    expect(said({ next: { n: 200, censored: 3, value: 150 } })).toMatch(/150 ms now/);
    expect(said({ next: { n: 200, censored: 0, value: null }, ratio: null })).toMatch(/no value now/);
  });

  test('says how many values are missing, of the smaller side', () => {
    const few = { gated: false, base: { n: 12, censored: 0, value: 100 } };
    expect(said(few)).toMatch(/: not decided: 12 values, 20 needed$/);
  });

  test('says why it is open, and what would decide it', () => {
    const open = { verdict: 'inconclusive' } as const;
    expect(said(open)).toMatch(/: inconclusive$/);
    expect(said(open, true)).toMatch(/: inconclusive, not significant among 5 figures$/);
    expect(said({ ...open, moreRequests: 40 })).toMatch(
      /: inconclusive; about 40 more requests per side, in more rounds, would decide it$/,
    );
    expect(said({ ...open, moreRequests: 40, drawn: 'requests' })).toMatch(/per side would decide it$/);
  });
});

describe('the comparison in words', () => {
  const errors = [{ verdict: 'regression', sentence: 'errors rose' } as ErrorRateRow];
  const equivalent = { verdict: 'equivalent' } as const;

  test('is its first finding, and how many more there are', () => {
    expect(overallSentence('regression', [row()], [], [])).toBe('sentence of ttft');
    expect(
      overallSentence('regression', [row(), row({ metric: 'total' }), row(equivalent)], errors, []),
    ).toBe('sentence of ttft, and 2 more');
    // Figures that are shown only are no findings.
    expect(overallSentence('regression', [row({ gated: false }), row({ metric: 'total' })], [], [])).toBe(
      'sentence of total',
    );
    expect(overallSentence('improvement', [row({ verdict: 'improvement' })], [], [])).toBe(
      'sentence of ttft',
    );
    expect(overallSentence('regression', [], [], [])).toBe('regression');
  });

  test('counts what was compared, and what had too few values', () => {
    expect(overallSentence('equivalent', [row(equivalent)], [], [])).toBe(
      'equivalent: the only compared figure is within its tolerance',
    );
    const shown = row({ gated: false });
    expect(overallSentence('equivalent', [row(equivalent), row(equivalent), shown], [], [])).toBe(
      'equivalent: all 2 compared figures are within their tolerance; 1 more had too few values',
    );
  });

  test('counts what is open, errors included', () => {
    const open = { verdict: 'inconclusive' } as const;
    expect(overallSentence('inconclusive', [row(open), row(equivalent)], errors, [])).toBe(
      'inconclusive: 1 of 3 figures are undecided',
    );
    expect(overallSentence('inconclusive', [row({ ...open, gated: false })], errors, [])).toBe(
      'inconclusive: no figure has enough values',
    );
  });

  test('lists what stands in the way', () => {
    expect(overallSentence('not_comparable', [], [], ['a', 'b'])).toBe('not comparable: a; b');
  });
});
