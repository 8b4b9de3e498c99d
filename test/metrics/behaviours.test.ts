import { describe, expect, test } from 'vitest';
import { parseObjective } from '../../src/analysis/thresholds/objective-parser.ts';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { manifest, record } from './records.ts';

function cellOf(records: readonly RequestRecord[], objectives: readonly string[] = []) {
  const aggregator = createAggregator(manifest(), objectives.map(parseObjective));
  for (const one of records) aggregator.add(one);
  return aggregator.cells()[0]!;
}

const { marks } = record();
const CANCEL = { kind: 'cancel', after: { tokens: 3 } } as const;
const SLOW = { kind: 'slow', bytesPerSecond: 2_000 } as const;
const later = (ms: number) => ({ ...marks, firstToken: marks.sent! + ms, lastToken: 9_000, end: 9_000 });

describe('what clients did on purpose', () => {
  const cell = cellOf(
    [
      record(),
      record({ afterCancel: true, marks: later(300) }),
      record({ behaviour: CANCEL, outcome: { kind: 'cancelled' }, contentEvents: 3 }),
      // It ended before it could be cancelled.
      record({ behaviour: CANCEL, contentEvents: 1, marks: later(7_000) }),
      record({ behaviour: SLOW, gaps: [5_000], marks: later(6_000) }),
    ],
    ['ttft < 200ms'],
  );

  test('is in no figure, and is no failure', () => {
    expect(cell.outcomes).toEqual({ ok: 4, cancelled: 1 });
    expect(cell.failures).toEqual([]);
    expect(cell.metrics.ttft?.samples).toEqual([100, 300]);
    expect(cell.metrics.gap?.max).toBe(20);
    expect(cell.metrics.total?.n).toBe(2);
    expect(cell.goodput).toMatchObject({ met: 1, requests: 2 });
  });

  test('has figures of its own', () => {
    expect(cell.behaviours?.cancelled).toMatchObject({ planned: 2, cancelled: 1, ended: 1, requests: 1 });
    expect(cell.behaviours?.cancelled?.metrics.ttft?.p50).toBe(100);
    expect(cell.behaviours?.cancelled?.afterCancel).toMatchObject({
      requests: 1,
      metrics: { ttft: { p50: 300 } },
    });
    expect(cell.behaviours?.cancelled?.others).toMatchObject({
      requests: 1,
      metrics: { ttft: { p50: 100 } },
    });
    expect(cell.behaviours?.slowReaders).toMatchObject({ requests: 1, metrics: { gap: { max: 5_000 } } });
  });

  test('a stream that the user interrupted is not a planned cancel', () => {
    const interrupted = cellOf([record({ outcome: { kind: 'cancelled', message: 'interrupted' } })]);
    expect(interrupted.behaviours).toBeUndefined();
    expect(interrupted.failures).toHaveLength(1);
  });
});

describe('retries', () => {
  const limited = { kind: 'rate_limited', status: 429, message: 'slow down' } as const;
  const first = { scheduled: 500, started: 502, sent: 505 };
  const cell = cellOf([
    record({ outcome: limited, attempt: { number: 1, retried: true } }),
    record({ attempt: { number: 2, first, waitedMs: 400 } }),
    record({ attempt: { number: 1 } }),
    record({ outcome: limited, attempt: { number: 1, retried: true } }),
    record({ outcome: limited, attempt: { number: 2, first, waitedMs: 600 } }),
  ]);

  test('a request counts once, by its last attempt', () => {
    expect(cell.outcomes).toEqual({ ok: 2, rate_limited: 1 });
    expect(cell.failures).toMatchObject([{ kind: 'rate_limited', count: 1 }]);
    expect(cell.retries).toEqual({
      ...{ attempts: 5, retried: 2, recovered: 1, failed: 1, waitedMs: 1_000 },
      causes: { 'rate_limited 429': 2 },
    });
    expect(cell.io?.reads).toBe(5 * record().reads);
  });

  test('the response counts from the first attempt, the other times from the last', () => {
    expect(cell.metrics.response?.samples).toEqual([marks.end! - 505, 200]);
    expect(cell.metrics.total?.samples).toEqual([200, 200]);
    expect(cell.metrics.retries?.samples).toEqual([1, 0]);
  });

  test('a request occupies its slot from the first attempt', () => {
    expect(cell.throughput.roundsMs).toBe(marks.end! - 502);
  });

  test('a run without retries has neither', () => {
    const plain = cellOf([record()]);
    expect([plain.retries, plain.metrics.retries, plain.metrics.response]).toEqual([undefined, null, null]);
  });
});
