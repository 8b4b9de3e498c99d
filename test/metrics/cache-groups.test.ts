import { describe, expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { manifest, record } from './records.ts';

/** A request with this time to first token, of whose 2000 input tokens so many were cached. */
function asked(ttftMs: number, cachedInput?: number, changes: Partial<RequestRecord> = {}): RequestRecord {
  const base = record();
  const firstToken = base.marks.sent! + ttftMs;
  return record({
    marks: {
      ...base.marks,
      firstToken,
      firstAnswer: firstToken,
      lastToken: firstToken + 80,
      end: firstToken + 90,
    },
    tokens: { ...base.tokens, input: 2000, cachedInput },
    ...changes,
  });
}

function cellOf(...records: RequestRecord[]) {
  const aggregator = createAggregator(manifest());
  for (const one of records) aggregator.add(one);
  return aggregator.cells()[0]!;
}

describe('the cached share', () => {
  test('is a metric of each request whose provider reports both counts', () => {
    const { metrics } = cellOf(asked(61, 1984), asked(1000, 0), asked(500));
    expect(metrics.cached_share).toMatchObject({ unit: 'ratio', n: 2, min: 0, max: 0.992, mean: 0.496 });
    expect(cellOf(asked(500)).metrics.cached_share).toBeNull();
    expect(cellOf(asked(500, 2001)).metrics.cached_share).toBeNull();
    expect(
      cellOf(record({ tokens: { output: 1, source: 'usage', cachedInput: 4 } })).metrics.cached_share,
    ).toBeNull();
  });
});

describe('the cache of a cell', () => {
  test('keeps hits and misses apart, and adds up all input tokens', () => {
    const { cache } = cellOf(
      asked(60, 1984),
      asked(62, 1984),
      asked(70, 1984),
      asked(1000, 0),
      asked(1010, 1000),
    );
    expect(cache).toMatchObject({ inputTokens: 10_000, cachedTokens: 6952, share: 0.6952 });
    expect([cache!.hit.requests, cache!.miss.requests]).toEqual([3, 2]);
    expect(cache!.hit.metrics.ttft).toMatchObject({ n: 3, p50: 62, max: 70 });
    expect(cache!.miss.metrics.ttft).toMatchObject({ n: 2, p50: 1000, max: 1010 });
    expect(cache!.hit.metrics.total).toMatchObject({ p50: 152 });
    expect(Object.keys(cache!.hit.metrics)).toEqual(['ttft', 'ttfa', 'latency', 'total']);
    // The values are in the cell's own metrics already.
    expect(cache!.hit.metrics.ttft).not.toHaveProperty('samples');
  });

  test('is null if no provider reports a cache, and excludes failed requests', () => {
    expect(cellOf(asked(60)).cache).toBeNull();
    expect(cellOf().cache).toBeNull();
    expect(cellOf(asked(60, 1984, { outcome: { kind: 'truncated', message: 'cut' } })).cache).toBeNull();
    expect(cellOf(asked(60, 0)).cache).toMatchObject({
      share: 0,
      hit: { requests: 0, metrics: { ttft: null } },
    });
  });
});
