import { describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../../src/model/record.ts';
import { collectTraffic } from '../../../src/report/html/traffic.ts';
import { manifest, record } from '../../metrics/records.ts';

const CELL = { target: 'a', prompt: 'p', concurrency: 1, mode: 'streaming' } as const;
const run = manifest({ cells: [CELL], stallMs: 100 });

function request(changes: Partial<RequestRecord> = {}): RequestRecord {
  return record({
    ...CELL,
    marks: {
      scheduled: 10,
      started: 10,
      sent: 11,
      headers: 30,
      firstByte: 31,
      firstToken: 51,
      lastToken: 91,
      end: 92,
    },
    gaps: [15, 25],
    contentEvents: 3,
    ...changes,
  });
}

function collected(records: readonly RequestRecord[]) {
  const traffic = collectTraffic(run);
  for (const one of records) traffic.add(one);
  const cell = traffic.cells.get(CELL);
  if (cell === undefined) throw new Error('the cell has no traffic');
  return cell;
}

describe('the traffic of a run', () => {
  test('arrivals are the first content and the gaps after it, since the request was sent', () => {
    const [one] = collected([request()]).sample(300);
    expect(one).toMatchObject({
      sentMs: 11,
      arrivals: [40, 55, 80],
      firstByteMs: 20,
      endMs: 81,
      outcome: 'ok',
    });
    expect(one?.flush).toBeUndefined();
  });

  test('the arrival of every chunk, where the run kept it', () => {
    const chunks: RequestRecord['chunks'] = {
      deltasUs: [30_000, 11_000, 0, 5000, 6000],
      kinds: [
        ['other', 1],
        ['answer', 3],
        ['other', 1],
      ],
    };
    expect(collected([request({ chunks })]).sample(1)[0]?.arrivals).toEqual([40, 40, 45]);
  });

  test('content that arrived at once is marked where it did', () => {
    const at = (flush: RequestRecord['flush'], contentEvents = 10) =>
      collected([request({ flush, contentEvents })]).sample(1)[0]?.flush;
    expect(at({ events: 8, before: 0, waitMs: 40, spanMs: 0 })).toBe(0);
    expect(at({ events: 8, before: 2, waitMs: 25, spanMs: 0 })).toBe(2);
    expect(at({ events: 4, before: 2, waitMs: 25, spanMs: 0 })).toBeUndefined();
    expect(at({ events: 1, before: 0, waitMs: 40, spanMs: 0 }, 1)).toBeUndefined();
  });

  test('failures and stalls are counted; what the client ended is no failure', () => {
    const cell = collected([
      request(),
      request({ gaps: [250, 20] }),
      request({ outcome: { kind: 'truncated' } }),
      request({ outcome: { kind: 'cut' } }),
    ]);
    expect(cell.failures).toEqual([{ sentMs: 11, outcome: 'truncated' }]);
    expect(cell.stalls).toEqual([{ sentMs: 11, ttftMs: 40, longestMs: 250 }]);
    expect([...cell.answers.ttftMs]).toEqual([40, 40]);
    expect(cell.requests).toBe(4);
  });

  test('the sample is the same every time, has every size, and is even over the run', () => {
    const at = (ms: number) =>
      request({ marks: { scheduled: ms, started: ms, sent: ms, firstToken: ms + 1, end: ms + 2 } });
    const records = Array.from({ length: 20_000 }, (_, index) => at(index));
    const sample = collected(records).sample(300);
    expect(sample).toEqual(collected(records).sample(300));
    const times = sample.map(({ sentMs }) => sentMs);
    expect(times).toHaveLength(300);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    // Of 300 in four quarters, 75 each with a standard deviation of 7.5.
    for (const quarter of [0, 1, 2, 3]) {
      const share = times.filter((time) => Math.floor(time / 5000) === quarter).length;
      expect(Math.abs(share - 75)).toBeLessThan(30);
    }
    expect(collected(records).sample(10)).toHaveLength(10);
  });
});
