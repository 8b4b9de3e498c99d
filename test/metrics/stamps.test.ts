import { expect, test } from 'vitest';
import { createStampTimes, type Stamp } from '../../src/metrics/stamps.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { record } from './records.ts';

const marks = record().marks;

/** The bins of one stamp, as [middle in ms, count]. */
function binsOf(stamp: Stamp, ...records: RequestRecord[]): [number, number][] {
  const stamps = createStampTimes();
  for (const one of records) stamps.add(one);
  const found: [number, number][] = [];
  stamps.each(stamp, { round: 0 }, (atMs, count) => found.push([atMs, count]));
  return found;
}

const headersAt = (...times: number[]) =>
  times.map((headers) => record({ gaps: [], marks: { scheduled: 0, started: 0, headers } }));

test('a stamp is in a bin of 10 ms, reported by its middle', () => {
  expect(binsOf('headers', record())).toEqual([[1105, 1]]);
  expect(binsOf('headers', ...headersAt(1100, 1109.9, 1110, 1099.9))).toEqual([
    [1095, 1],
    [1105, 2],
    [1115, 1],
  ]);
  expect(binsOf('end', record())).toEqual([[1225, 1]]);
});

test('content is every read after the first token, at the sum of the gaps', () => {
  // The first token at 1120, then gaps of 20 ms.
  expect(binsOf('content', record())).toEqual([
    [1145, 1],
    [1165, 1],
    [1185, 1],
    [1205, 1],
  ]);
  const { firstToken: _, ...without } = marks;
  expect(binsOf('content', record({ marks: without }))).toEqual([]);
});

test('a connection is stamped where one was opened, at the end of its handshake', () => {
  expect(binsOf('connected', record())).toEqual([[1015, 1]]);
  const { tls: _, ...plain } = marks;
  expect(binsOf('connected', record({ marks: { ...plain, tcp: 1009 } }))).toEqual([[1005, 1]]);
  expect(binsOf('connected', record({ connection: { reused: true } }))).toEqual([]);
  expect(binsOf('connected', record({ connection: undefined }))).toEqual([]);
  expect(binsOf('connected', ...headersAt(5))).toEqual([]);
});

test('the stamps of each round are separate, also of a round without any', () => {
  expect(binsOf('headers', record({ round: 1 }))).toEqual([]);
  expect(binsOf('headers', record({ part: 1 }), record())).toEqual([[1105, 1]]);
});

test('a long round has wider bins, and every stamp stays within half a bin', () => {
  // 41 s do not fit into 4096 bins of 10 ms; they do into bins of 20 ms.
  expect(binsOf('headers', ...headersAt(5, 41_000))).toEqual([
    [10, 1],
    [41_010, 1],
  ]);
  expect(binsOf('headers', ...headersAt(41_000, 5))).toEqual([
    [10, 1],
    [41_010, 1],
  ]);
  // The last bin that fits, and the first that does not.
  expect(binsOf('headers', ...headersAt(5, 40_955))[1]).toEqual([40_955, 1]);
  expect(binsOf('headers', ...headersAt(5, 40_965))[1]).toEqual([40_970, 1]);
});

test('a round that begins late in the run has narrow bins too', () => {
  expect(binsOf('headers', ...headersAt(3_600_005, 3_640_005))).toEqual([
    [3_600_005, 1],
    [3_640_005, 1],
  ]);
});

test('bins grow to either side and keep what they hold', () => {
  const times = [20_005, 20_005, 19_005, 35_005, 5, 20_005, 12_345, 30_005];
  expect(binsOf('headers', ...headersAt(...times))).toEqual([
    [5, 1],
    [12_345, 1],
    [19_005, 1],
    [20_005, 3],
    [30_005, 1],
    [35_005, 1],
  ]);
  // Over 20 minutes a bin is 320 or 640 ms wide.
  for (const [atMs, count] of binsOf('headers', ...headersAt(900_000, 5, 450_000, 1_200_000))) {
    expect(count).toBe(1);
    expect(
      Math.min(...[900_000, 5, 450_000, 1_200_000].map((at) => Math.abs(at - atMs))),
    ).toBeLessThanOrEqual(320);
  }
});

test('a damaged mark is skipped and does not affect others', () => {
  const times = [Number.NaN, Number.POSITIVE_INFINITY, 1105, Number.NaN, 1105];
  expect(binsOf('headers', ...headersAt(...times))).toEqual([[1105, 2]]);
});
