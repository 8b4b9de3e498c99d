import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { firstTokenRatio, modePairColumns, modePairs } from '../../src/report/columns.ts';
import { manifest, record, wholeRecord } from '../metrics/records.ts';

function pairsOf(records: readonly RequestRecord[]) {
  const aggregator = createAggregator(manifest());
  for (const one of records) aggregator.add(one);
  return modePairs(aggregator.cells());
}

test('the medians of both modes are shown side by side', () => {
  const [pair, ...others] = pairsOf([record(), wholeRecord()]);
  expect(others).toEqual([]);
  expect(pair).toMatchObject({ target: 'flash', prompt: 'short', concurrency: 4 });
  expect(firstTokenRatio(pair!)).toBeCloseTo(2, 2);
  const texts = modePairColumns([pair!]).map(({ title, text }) => [title, text(pair!, ['p50'])]);
  expect(Object.fromEntries(texts)).toMatchObject({
    TTFB: '80 / 195 ms',
    TTFT: '100 / 200 ms',
    total: '200 / 200 ms',
    'reader start': '120 / 200 ms',
  });
});

test('a mode that was not planned or has no successful request makes no pair', () => {
  expect(pairsOf([record()])).toEqual([]);
  const ignored = { kind: 'not_a_stream', message: 'the server ignored stream: false' } as const;
  expect(pairsOf([record(), record({ mode: 'non-streaming', outcome: ignored })])).toEqual([]);
});
