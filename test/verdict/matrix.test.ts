import { expect, test } from 'vitest';
import { FAKE_KINDS } from './fake-kinds.ts';
import { count, emptyRow, kindTable, shares, summaryTable } from './matrix.ts';
import { REAL_KINDS } from './real-kinds.ts';
import { simulate } from './simulation.ts';

// A smaller part of `npm run verdict`, by simulation: 78 kinds, 8 services of each with 12 streams. Seeded.

const rows = [...REAL_KINDS, ...FAKE_KINDS].map((kind, index) => {
  const row = emptyRow(kind);
  const extent = { services: 8, streams: 12, perLength: 5 };
  for (const measured of simulate(kind, 1000 * index + 1, extent)) count(row, measured);
  return row;
});
const shown = () => `${summaryTable(rows)}\n\n${kindTable(rows)}`;

test('there are at least 40 real and 25 fake kinds', () => {
  expect(REAL_KINDS.length).toBeGreaterThanOrEqual(40);
  expect(FAKE_KINDS.length).toBeGreaterThanOrEqual(25);
  const names = rows.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('streams alone: hardly a fake is taken for a stream, and hardly a stream is accused', () => {
  expect(shares(rows, true, 'streams alone').live, shown()).toBeLessThanOrEqual(0.02);
  expect(shares(rows, false, 'streams alone').accused, shown()).toBeLessThan(0.01);
  expect(shares(rows, false, 'streams alone').live, shown()).toBeGreaterThanOrEqual(0.78);
});

test('with the whole answer beside', () => {
  expect(shares(rows, false, 'with a pair').accused, shown()).toBeLessThan(0.01);
  expect(shares(rows, false, 'with a pair').live, shown()).toBeGreaterThanOrEqual(0.95);
  expect(shares(rows, true, 'with a pair').live, shown()).toBeLessThan(0.01);
  // What is sent on within a few per cent of its making cannot be told by a dozen totals.
  expect(shares(rows, true, 'with a pair').accused, shown()).toBeGreaterThanOrEqual(0.88);
});

test.each(['with lengths', 'with both'] as const)('%s', (knowledge) => {
  expect(shares(rows, false, knowledge).accused, shown()).toBeLessThan(0.01);
  expect(shares(rows, false, knowledge).live, shown()).toBeGreaterThanOrEqual(0.95);
  expect(shares(rows, true, knowledge).accused, shown()).toBeGreaterThanOrEqual(0.99);
});
