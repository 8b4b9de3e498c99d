import { expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import { compareModes } from '../../src/metrics/modes.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { manifest, record, wholeRecord } from './records.ts';

function compared(...records: RequestRecord[]) {
  const aggregator = createAggregator(manifest());
  for (const one of records) aggregator.add(one);
  return compareModes(aggregator.cells())[0]!;
}

test('a quotient with a side that has no value is null', () => {
  const { firstToken: _, lastToken: _l, firstAnswer: _a, ...silent } = record().marks;
  expect(compared(record({ marks: silent }), wholeRecord())).toMatchObject({
    streaming: { ttft: null, total: 200, readerWait: null },
    firstTokenSooner: null,
    totalRatio: 1,
  });
  const { firstToken: _w, ...late } = wholeRecord().marks;
  expect(compared(record(), wholeRecord({ marks: late }))).toMatchObject({ firstTokenSooner: null });
});

test('nothing is a number of times sooner than 0 ms', () => {
  const { marks } = record();
  const instant = record({ marks: { ...marks, firstToken: marks.sent! } });
  expect(compared(instant, wholeRecord())).toMatchObject({ streaming: { ttft: 0 }, firstTokenSooner: null });
});

test('a report of an older version, without a metric, has null for it', () => {
  const aggregator = createAggregator(manifest());
  for (const one of [record(), wholeRecord()]) aggregator.add(one);
  const old = aggregator.cells().map((cell) => {
    const { reader_wait: _, ...metrics } = cell.metrics;
    return { ...cell, metrics };
  });
  expect(compareModes(old)[0]!.streaming.readerWait).toBeNull();
});
