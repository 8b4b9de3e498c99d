import { describe, expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import type { Outcome, RequestRecord } from '../../src/model/record.ts';
import { manifest, record, wholeRecord } from './records.ts';

function cellsOf(records: readonly RequestRecord[]) {
  const aggregator = createAggregator(manifest());
  for (const one of records) aggregator.add(one);
  return aggregator.cells();
}

function failed(outcome: Outcome): RequestRecord {
  return record({ outcome });
}

/** The record moved by `ms`, in round `round`. */
function moved(ms: number, round: number): RequestRecord {
  const one = record({ round });
  const marks = Object.fromEntries(Object.entries(one.marks).map(([name, mark]) => [name, mark + ms]));
  return { ...one, marks: marks as unknown as RequestRecord['marks'] };
}

describe('cells', () => {
  test('planned cells without a record are reported, with null instead of 0', () => {
    const [streaming, whole] = cellsOf([]);
    expect(streaming).toMatchObject({ mode: 'streaming', outcomes: {}, failures: [], tokenSource: null });
    expect(whole?.mode).toBe('non-streaming');
    expect(Object.values(streaming!.metrics).every((summary) => summary === null)).toBe(true);
    expect(streaming).toMatchObject({
      throughput: { requestsPerSecond: null, tokensPerSecond: null, windowMs: 0 },
      coalescedShare: null,
      connections: { new: 0, reused: 0, reconnected: 0, replaced: 0 },
    });
  });

  test('a record of a cell that was not planned gets its own row at the end', () => {
    expect(cellsOf([record({ target: 'other' })]).map(({ target }) => target)).toEqual([
      'flash',
      'flash',
      'other',
    ]);
  });

  test('figures are of successful answers only; all requests are counted', () => {
    const slow = record().marks;
    const [cell] = cellsOf([
      record(),
      record({ outcome: { kind: 'truncated', message: 'cut' }, marks: { ...slow, firstToken: 9000 } }),
      record({ outcome: { kind: 'timeout', phase: 'idle', message: 'idle' } }),
    ]);
    expect(cell!.outcomes).toEqual({ ok: 1, truncated: 1, timeout: 1 });
    expect(cell!.metrics.ttft).toMatchObject({ n: 1, max: 100 });
    expect(cell!.metrics.gap).toMatchObject({ n: 4, samples: [20, 20, 20, 20] });
    expect(cell!.connections).toEqual({ new: 3, reused: 0, reconnected: 0, replaced: 0 });
  });

  test('connections are counted for all requests, failed ones included', () => {
    const [cell] = cellsOf([
      record({ connection: { reused: true } }),
      record({ connection: { reused: true, replaced: true } }),
      record({ connection: { reused: false, replaced: true }, reconnected: true }),
      { ...failed({ kind: 'network' }), connection: undefined, reconnected: true },
    ]);
    expect(cell!.connections).toEqual({ new: 1, reused: 2, reconnected: 2, replaced: 2 });
  });

  test('outcomes have a fixed order', () => {
    const [a, b] = [record(), failed({ kind: 'empty' })];
    expect(Object.keys(cellsOf([b, a])[0]!.outcomes)).toEqual(Object.keys(cellsOf([a, b])[0]!.outcomes));
  });

  test('the window is the sum over rounds, without the time between them', () => {
    // Each round: first started 1002 + x, last end 1220 + x + 100.
    const [cell] = cellsOf([moved(0, 0), moved(100, 0), moved(100_000, 1), moved(100_100, 1)]);
    expect(cell!.throughput.windowMs).toBe(2 * 318);
    expect(cell!.throughput.requestsPerSecond).toBeCloseTo(4 / 0.636, 5);
    expect(cell!.throughput.tokensPerSecond).toBeCloseTo(40 / 0.636, 5);
  });

  test('failures extend the window but are not counted', () => {
    const [cell] = cellsOf([record(), { ...moved(100, 0), outcome: { kind: 'truncated' } }]);
    expect(cell!.throughput).toMatchObject({ windowMs: 318, requestsPerSecond: 3.144654 });
    expect(cellsOf([failed({ kind: 'network' })])[0]!.throughput.requestsPerSecond).toBeNull();
  });

  test('coalesced share and source of tokens', () => {
    const [cell, whole] = cellsOf([
      record({ contentEvents: 5, coalesced: 1 }),
      record({ contentEvents: 15, coalesced: 4, tokens: { output: 3, source: 'chunks' } }),
      wholeRecord(),
    ]);
    expect(cell).toMatchObject({ coalescedShare: 0.25, tokenSource: 'mixed' });
    expect(whole).toMatchObject({ coalescedShare: null, tokenSource: 'usage' });
  });
});

describe('what a cell adds up', () => {
  test('reads, events and bytes of all requests, failed ones included', () => {
    const one = { reads: 3, events: 5, bytes: 70 };
    const [cell] = cellsOf([record(one), record(one), record({ ...one, outcome: { kind: 'truncated' } })]);
    expect(cell!.io).toEqual({ reads: 9, events: 15, bytes: 210 });
    expect(cellsOf([])[0]!.io).toEqual({ reads: 0, events: 0, bytes: 0 });
  });

  test('answers with hidden reasoning; undefined without any', () => {
    const hidden = (hiddenReasoning: number) =>
      record({ tokens: { output: 10, source: 'usage', reasoning: 5, hiddenReasoning } });
    expect(cellsOf([hidden(5), hidden(0), record(), hidden(1)])[0]!.hiddenReasoning).toBe(2);
    expect(cellsOf([hidden(0), record()])[0]).not.toMatchObject({ hiddenReasoning: expect.anything() });
  });

  test('requests with impossible counts, with the first as the example', () => {
    const refusing = (...refused: string[]) =>
      record({ tokens: { output: null, source: 'chunks', refused } });
    expect(
      cellsOf([record(), refusing('a -5', 'b 2'), refusing('c 3'), refusing()])[0]!.refusedCounts,
    ).toEqual({
      requests: 2,
      example: 'a -5',
    });
    expect(cellsOf([record(), refusing()])[0]!.refusedCounts).toBeUndefined();
  });

  test('the token source is that of the answers with a count', () => {
    const uncounted = record({ tokens: { output: null, source: 'chunks' } });
    expect(cellsOf([record(), uncounted])[0]!.tokenSource).toBe('usage');
    expect(cellsOf([uncounted])[0]!.tokenSource).toBeNull();
  });

  test('outcomes that happened, and no others', () => {
    expect(Object.keys(cellsOf([record()])[0]!.outcomes)).toEqual(['ok']);
  });

  test('stalls by the limit of the run', () => {
    const aggregator = createAggregator(manifest({ stallMs: 19 }));
    aggregator.add(record());
    expect(aggregator.cells()[0]!.metrics.stalls).toMatchObject({ n: 1, max: 4 });
  });

  test('nothing of a length test', () => {
    const cells = manifest().cells.map((cell, i) => (i === 1 ? { ...cell, length: 64 } : cell));
    const aggregator = createAggregator(manifest({ cells }));
    aggregator.add(record({ length: 64 }));
    expect(aggregator.cells().map(({ mode, outcomes }) => [mode, outcomes])).toEqual([['streaming', {}]]);
  });
});

describe('failures', () => {
  test('the same are grouped, most frequent first, with the first as the example', () => {
    const [cell] = cellsOf([
      failed({ kind: 'network', code: 'ECONNRESET', message: 'reset' }),
      failed({ kind: 'http_error', status: 500, message: 'no', body: 'first', hint: 'try' }),
      failed({ kind: 'http_error', status: 500, message: 'no', body: 'second' }),
      failed({ kind: 'http_error', status: 503, message: 'no' }),
    ]);
    expect(cell!.failures).toEqual([
      { kind: 'http_error', count: 2, message: 'no', code: '500', body: 'first', hint: 'try' },
      { kind: 'network', count: 1, message: 'reset', code: 'ECONNRESET' },
      { kind: 'http_error', count: 1, message: 'no', code: '503' },
    ]);
  });

  test('messages that differ in numbers and ids alone are one group', () => {
    const message = (i: number) =>
      `request req_7${i.toString(16)}f failed at 10.0.0.${i}:80 after ${i} ms and ${i} event${i === 1 ? '' : 's'}`;
    const [cell] = cellsOf(
      Array.from({ length: 20 }, (_, i) => failed({ kind: 'truncated', message: message(i + 1) })),
    );
    expect(cell!.failures).toEqual([{ kind: 'truncated', count: 20, message: message(1), varied: true }]);
  });

  test('at most five are shown, and messages that differ in words do not fill the memory', () => {
    const word = (i: number) => i.toString(36).replaceAll(/\d/g, (digit) => 'ABCDEFGHIJ'[Number(digit)]!);
    const [cell] = cellsOf(
      Array.from({ length: 1000 }, (_, i) =>
        failed({ kind: 'http_error', status: 500, message: `id ${word(i)}` }),
      ),
    );
    expect(cell!.failures).toHaveLength(5);
    expect(cell!.failures[0]).toMatchObject({
      count: 900,
      message: expect.stringContaining('other failures'),
    });
    expect(cell!.outcomes).toEqual({ http_error: 1000 });
  });
});
