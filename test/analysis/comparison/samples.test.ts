import { expect, test } from 'vitest';
import type { Rounds } from '../../../src/analysis/statistics/bootstrap.ts';
import { cellKey } from '../../../src/model/cells.ts';
import { manifest, record } from '../../metrics/records.ts';
import { collectSamples, request } from '../runs.ts';

const [planned] = manifest().cells;
const key = cellKey(planned!);

const valuesOf = (rounds: Rounds) => rounds.map((round) => Array.from(round));

test('values are kept by round, whatever order the rounds come in', () => {
  const list = [request(30, 0, { round: 2 }), request(10, 0), request(11, 0), request(31, 0, { round: 2 })];
  const cell = collectSamples(manifest(), list).cells.get(key)!;
  expect(valuesOf(cell.rounds('ttft'))).toEqual([[10, 11], [], [30, 31]]);
  expect(cell.count('ttft')).toEqual({ n: 4, censored: 0 });
  expect(cell.rounds('gap').map((round) => round.length)).toEqual([8, 0, 8]);
});

test('a failed request is the worst value there is, and what the user cancelled is none', () => {
  const list = [
    request(10, 0),
    record({ outcome: { kind: 'truncated' } }),
    record({ round: 1, outcome: { kind: 'rate_limited' } }),
    record({ round: 1, outcome: { kind: 'cancelled' } }),
  ];
  const cell = collectSamples(manifest(), list).cells.get(key)!;
  expect(valuesOf(cell.rounds('ttft'))).toEqual([[10, Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]]);
  expect(valuesOf(cell.rounds('token_rate')).at(1)).toEqual([0]);
  expect(valuesOf(cell.rounds('connect'))).toEqual([[15], []]);
  expect(cell.count('ttft')).toEqual({ n: 3, censored: 2 });
  expect([cell.failed, cell.requests]).toEqual([2, 3]);
  expect(cell.outcomes).toEqual({ ok: 1, truncated: 1, rate_limited: 1, cancelled: 1 });
});

test('memory is bounded, and what is kept is spread over the round', () => {
  const list = Array.from({ length: 25_000 }, (_, i) => request(i, 0));
  const cell = collectSamples(manifest(), list, ['ttft']).cells.get(key)!;
  const [round] = cell.rounds('ttft');
  expect(round!.length).toBeGreaterThanOrEqual(5000);
  expect(round!.length).toBeLessThan(10_000);
  expect(cell.count('ttft').n).toBe(25_000);
  // Halved at 10,000 and at 20,000 values: every fourth is left.
  expect(Array.from(round!)).toEqual(Array.from({ length: 6250 }, (_, i) => 4 * i));
  const mean = Array.from(round!).reduce((sum, value) => sum + value, 0) / round!.length;
  expect(mean / 12_500).toBeCloseTo(1, 2);
});

test('planned cells are there without a record, and unknown metrics are refused', () => {
  const { cells } = collectSamples(manifest(), []);
  expect([...cells.values()].map(({ requests }) => requests)).toEqual([0, 0]);
  expect(cells.get(key)!.rounds('ttft')).toEqual([]);
  expect(() => collectSamples(manifest(), [], ['tftt'])).toThrow(/unknown metric "tftt"/);
  expect(() => collectSamples(manifest(), [], ['ttft']).cells.get(key)!.rounds('total')).toThrow(
    /was not sampled/,
  );
});
