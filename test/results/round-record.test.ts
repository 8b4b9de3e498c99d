import { expect, test } from 'vitest';
import { roundRecord } from '../../src/results/round-record.ts';
import { record } from '../metrics/records.ts';

test('times are rounded to whole microseconds, and what did not happen stays absent', () => {
  const original = record({
    marks: { scheduled: 0.00049, started: 0.1 + 0.2, sent: 1.23456, end: 10.9999999 },
    gaps: [0.0004, 12.34567, -0.0001],
    secondTokenGap: 1.00051,
    tokens: { output: 5, source: 'chunks', first: 1.33333 },
  });
  const before = structuredClone(original);
  const rounded = roundRecord(original);
  expect(rounded.marks).toEqual({ scheduled: 0, started: 0.3, sent: 1.235, end: 11 });
  expect(rounded.gaps).toEqual([0, 12.346, 0]);
  expect(rounded.secondTokenGap).toBe(1.001);
  expect(rounded.tokens).toEqual({ output: 5, source: 'chunks', first: 1.333 });
  expect(original).toEqual(before);
});

test('rounding twice changes nothing, nor does the way through JSON', () => {
  const once = roundRecord(record({ gaps: [1 / 3, 2 / 3, 1e-9] }));
  expect(roundRecord(once)).toEqual(once);
  expect(JSON.parse(JSON.stringify(once))).toEqual(once);
});
