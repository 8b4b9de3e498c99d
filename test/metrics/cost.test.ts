import { describe, expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import { costOf, createCostFold } from '../../src/metrics/cost.ts';
import { formatMoney } from '../../src/model/price.ts';
import { record } from './records.ts';

// Worked out by hand: 1,000 input tokens of which 400 are cached, 500 output tokens, at 2.50, 1.25 and 10 per million.
const price = { input: 2.5, cachedInput: 1.25, output: 10 };
const usage = { input: 1_000, cachedInput: 400, output: 500, source: 'usage' } as const;

describe('the cost of a request', () => {
  test('is that of its tokens, cached ones at their own price', () => {
    // 600 * 2.5 + 400 * 1.25 + 500 * 10 = 7000 millionths.
    expect(costOf(record({ tokens: usage }), price)).toBeCloseTo(0.007, 12);
    expect(costOf(record({ tokens: usage }), { input: 2.5, output: 10 })).toBeCloseTo(0.0075, 12);
  });

  test.each([
    ['chunks were counted', { ...usage, source: 'chunks' as const }],
    ['a tokenizer counted', { ...usage, source: 'tokenizer' as const }],
    ['the input is not known', { output: 500, source: 'usage' as const }],
    ['the output is not known', { ...usage, output: null }],
    ['more is cached than was sent', { ...usage, input: 100 }],
  ])('is not known where %s, and not 0', (_, tokens) => {
    expect(costOf(record({ tokens }), price)).toBeNull();
  });
});

describe('the cost of a cell', () => {
  test('counts failed requests that were charged, and names answers without a known cost', () => {
    const fold = createCostFold(price);
    expect(fold.report()).toBeNull();
    for (let i = 0; i < 3; i++) fold.add(record({ tokens: usage }));
    fold.add(record({ tokens: usage, outcome: { kind: 'truncated' } }));
    fold.add(record({ tokens: { output: 5, source: 'chunks' } }));
    fold.add(record({ tokens: { output: null, source: 'chunks' }, outcome: { kind: 'network' } }));
    const report = fold.report();
    expect(report).toMatchObject({ currency: 'USD', requests: 4, answers: 3, unknown: 1 });
    expect(report!.total).toBeCloseTo(0.028, 12);
    expect(report!.perRequest).toBeCloseTo(0.007, 12);
    expect(report!.perThousandAnswers).toBeCloseTo(28 / 3, 9);
  });

  test('is absent without a price, null without token counts, and of its own target', () => {
    const cells = ['flash', 'big', 'free'].map((target) => ({
      ...{ target, prompt: 'short', concurrency: 4, mode: 'streaming' as const },
    }));
    const prices = [
      { target: 'flash', ...price, currency: 'EUR' },
      { target: 'big', ...price },
    ];
    const aggregator = createAggregator({ cells, stallMs: 1_000, prices });
    aggregator.add(record({ target: 'flash', tokens: usage }));
    aggregator.add(record({ target: 'big', tokens: { output: 3, source: 'chunks' } }));
    aggregator.add(record({ target: 'free', tokens: usage }));
    expect(aggregator.cells().map(({ cost }) => cost)).toEqual([
      expect.objectContaining({ currency: 'EUR', requests: 1 }),
      null,
      undefined,
    ]);
  });
});

test.each([
  [12.345, 'USD', '$12.35'],
  [0.4249, 'USD', '$0.42'],
  [0.000_123_4, 'USD', '$0.00012'],
  [0, 'USD', '$0'],
  [0.0699, 'EUR', '0.070 EUR'],
])('%d %s is written %s', (amount, currency, text) => {
  expect(formatMoney(amount, currency)).toBe(text);
});
