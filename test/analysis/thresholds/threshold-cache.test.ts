import { describe, expect, test } from 'vitest';
import { evaluateThresholds, parseThreshold } from '../../../src/analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { manifest, record } from '../../metrics/records.ts';

function asked(ttftMs: number, cachedInput: number | undefined): RequestRecord {
  const base = record();
  const marks = { ...base.marks, firstToken: base.marks.sent! + ttftMs };
  return record({ marks, tokens: { ...base.tokens, input: 2000, cachedInput } });
}

function judge(expression: string, records: readonly RequestRecord[]) {
  const { cells, ...rest } = manifest();
  const aggregator = createAggregator({ ...rest, cells: cells.filter(({ mode }) => mode === 'streaming') });
  for (const one of records) aggregator.add(one);
  const [gate] = evaluateThresholds([parseThreshold(expression)], aggregator.cells());
  return [gate!.verdict, gate!.actual];
}

const MIXED = [61, 62, 63].map((ms) => asked(ms, 1984)).concat([1000, 1001].map((ms) => asked(ms, 0)));

describe('a threshold on the cached share', () => {
  test('is a share, in per cent if so written', () => {
    expect(judge('cached_share.mean < 10%', MIXED)).toEqual(['fail', 0.5952]);
    expect(judge('cached_share.mean < 60%', MIXED)).toEqual(['pass', 0.5952]);
  });

  test('has no data where the provider does not tell it', () => {
    expect(judge('cached_share.mean < 10%', [asked(60, undefined)])).toEqual(['no-data', null]);
  });
});

describe('the label cache', () => {
  test('limits a figure to hits or to misses', () => {
    expect(judge('ttft.p50 < 100ms', MIXED)).toEqual(['pass', 63]);
    expect(judge('ttft.p50{cache=hit} < 100ms', MIXED)).toEqual(['pass', 62]);
    expect(judge('ttft.p50{cache=miss} < 100ms', MIXED)).toEqual(['fail', 1000]);
    expect(judge('ttft.p50{cache!=hit} < 100ms', MIXED)).toEqual(['fail', 1000]);
    expect(judge('ttft.n{cache=miss, target=flash} >= 2', MIXED)).toEqual(['pass', 2]);
  });

  test('without a request of that kind has no data, which is no pass', () => {
    expect(judge('ttft.p50{cache=hit} < 100ms', [asked(1000, 0)])).toEqual(['no-data', null]);
    expect(judge('ttft.p50{cache=miss} < 100ms', [asked(60, undefined)])).toEqual(['no-data', null]);
  });

  test.each([
    ['ttft.p50{cache=warm} < 1s', /unknown cache group "warm"/, /hit, miss/],
    [
      'gap.p50{cache=hit} < 1s',
      /"gap" is not measured separately for cache hits and misses/,
      /ttft, ttfa, latency, total/,
    ],
    ['errors.rate{cache=hit} < 1%', /"errors" is not measured/, /known/],
  ])('is refused in %s', (expression, message, hint) => {
    try {
      parseThreshold(expression);
    } catch (error) {
      const [problem] = (error as UserError).problems;
      expect(error).toBeInstanceOf(UserError);
      expect(problem!.message).toMatch(message);
      expect(problem!.hint).toMatch(hint);
      return;
    }
    throw new Error('not refused');
  });
});
