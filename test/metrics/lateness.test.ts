import { describe, expect, test } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregate.ts';
import { latenessOf } from '../../src/metrics/lateness.ts';
import { clientReport } from '../../src/metrics/load-report.ts';
import { createStampTimes } from '../../src/metrics/stamps.ts';
import type { LoadSlice, LoopUtilization } from '../../src/model/load-report.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { manifest, record } from './records.ts';

/** A request of these times, from its start: first token, then `gaps`. */
function stream(startedMs: number, ttftMs: number, gaps: readonly number[], round = 0): RequestRecord {
  const firstToken = startedMs + ttftMs;
  const lastToken = gaps.reduce((at, gap) => at + gap, firstToken);
  return record({
    round,
    gaps: [...gaps],
    marks: {
      ...{
        scheduled: startedMs,
        started: startedMs,
        sent: startedMs,
        headers: firstToken,
        firstByte: firstToken,
      },
      ...{ firstEvent: firstToken, firstToken, firstAnswer: firstToken, lastToken, end: lastToken },
    },
  });
}

const load = (slices: readonly LoadSlice[], fromMs: number | undefined = 0): LoopUtilization => ({
  ...{ windowMs: 10_000, utilization: 0.1, delayP99Ms: 1, delayMaxMs: 2, gcMs: 1, cpuMs: 10 },
  ...(fromMs === undefined ? {} : { fromMs, slices }),
});

function latenessIn(records: readonly RequestRecord[], threads: LoopUtilization[][]) {
  const stamps = createStampTimes();
  const aggregator = createAggregator(manifest());
  for (const one of records) {
    stamps.add(one);
    aggregator.add(one);
  }
  const blocks = threads.map((each, round) => ({ round, cell: 0, threads: each }));
  return latenessOf({ blocks, stamps, metrics: aggregator.cells()[0]!.metrics });
}

const steady = Array.from({ length: 100 }, () => 50);

describe('the lateness of a figure', () => {
  // A burst of 60 ms at 300 ms, when the first tokens come, and nothing to do for the rest of 10 s.
  const burst = [
    [280, 5, 0.2],
    [60, 100, 40],
    [9_660, 5, 0.2],
  ] as const;

  test('of a round that was continued is judged by the load of each part', () => {
    const stamps = createStampTimes();
    const aggregator = createAggregator(manifest());
    const calm = Array.from({ length: 50 }, () => stream(0, 300, steady));
    const late = Array.from({ length: 50 }, () => ({ ...stream(60_000, 300, steady), part: 1 }));
    for (const one of [...calm, ...late]) {
      stamps.add(one);
      aggregator.add(one);
    }
    const { metrics } = aggregator.cells()[0]!;
    const first = { round: 0, cell: 0, threads: [load([[10_000, 5, 0.2]])] };
    const second = { round: 0, part: 1, cell: 0, threads: [load(burst, 60_000)] };
    expect(latenessOf({ blocks: [first, second], stamps, metrics }).ttft!.lateMs).toBe(40);
    // The load of a part that crashed is not known: its stamps are not held against the load of another part.
    expect(latenessOf({ blocks: [first], stamps, metrics }).ttft!.lateMs).toBe(0.2);
  });

  test('is that of the slices that contain its stamps: an idle window does not hide late first tokens', () => {
    const found = latenessIn(
      Array.from({ length: 50 }, () => stream(0, 300, steady)),
      [[load(burst)]],
    );
    expect(found.ttft).toEqual({ verdict: 'strained', lateMs: 40, limitMs: 30, utilization: 1 });
    expect(found.gap).toMatchObject({ verdict: 'ok', lateMs: 0.2 });
    expect(found.total).toMatchObject({ verdict: 'ok', lateMs: 0.2 });
    expect(found.queue).toBeUndefined();
    expect(found.connect).toBeUndefined();
  });

  test('of first tokens that come later is small, with the same client', () => {
    const found = latenessIn(
      Array.from({ length: 50 }, () => stream(0, 500, steady)),
      [[load(burst)]],
    );
    expect(found.ttft).toMatchObject({ verdict: 'ok', lateMs: 0.2 });
  });

  test('is marked from a tenth of the figure, however long it is, but not below 3 ms', () => {
    const late = (ms: number) => [[10_000, 50, ms]] as const;
    const at = (ttftMs: number, lateMs: number) =>
      latenessIn([stream(0, ttftMs, steady)], [[load(late(lateMs))]]).ttft!.verdict;
    expect([at(10, 2.9), at(10, 3), at(60, 5), at(60, 6), at(500, 49), at(500, 51)]).toEqual([
      ...['ok', 'strained', 'ok', 'strained', 'ok', 'strained'],
    ]);
  });

  test('is marked where the median suffered, also if a long tail hides it from the p99', () => {
    const late = [[60_000, 50, 20]] as const;
    const short = Array.from({ length: 90 }, () => stream(0, 60, steady));
    const cold = Array.from({ length: 10 }, () => stream(0, 5_000, steady));
    expect(latenessIn([...short, ...cold], [[load(late)]]).ttft).toMatchObject({
      ...{ verdict: 'saturated', lateMs: 20, limitMs: 500 },
    });
  });

  test('is that of the worst thread, in the round of the stamps', () => {
    const records = [stream(0, 300, steady), stream(20_000, 300, steady, 1)];
    const calm = [[10_000, 5, 0.2]] as const;
    const found = latenessIn(records, [
      [load(calm), load(calm)],
      [load(calm, 20_000), load(burst, 20_000)],
    ]);
    expect(found.ttft!.lateMs).toBe(40);
  });

  test('is shared by all tokens of a rate', () => {
    const found = latenessIn([stream(0, 300, steady)], [[load([[10_000, 90, 100]])]]);
    expect(found.token_rate!.verdict).toBe('ok');
    // 100 ms are nothing for an answer of 5.3 s, and twice a gap.
    expect(found.total!.verdict).toBe('ok');
    expect(found.gap!.verdict).toBe('saturated');
  });

  test('is saturated from three times the limit on', () => {
    const late = (ms: number) =>
      latenessIn([stream(0, 60, steady)], [[load([[10_000, 50, ms]])]]).ttft!.verdict;
    // A tenth of 60 ms.
    expect([late(17.9), late(18)]).toEqual(['strained', 'saturated']);
  });

  test('of a rate is compared with a tenth of the time between first token and end', () => {
    const found = latenessIn([stream(0, 1000, steady)], [[load([[10_000, 90, 100]])]]);
    // Latency 6000 ms, first token 1000 ms.
    expect(found.tpot).toEqual({ verdict: 'ok', lateMs: 100, limitMs: 500, utilization: 0.9 });
    // Without a latency, the least limit.
    const stamps = createStampTimes();
    const aggregator = createAggregator(manifest());
    stamps.add(stream(0, 1000, steady));
    aggregator.add(stream(0, 1000, steady));
    const { tpot } = aggregator.cells()[0]!.metrics;
    const blocks = [{ round: 0, cell: 0, threads: [load([[10_000, 90, 100]])] }];
    expect(latenessOf({ blocks, stamps, metrics: { tpot: tpot! } }).tpot).toMatchObject({ limitMs: 3 });
  });

  test('since due includes the lateness of sending', () => {
    const due = stream(0, 300, steady);
    const one = { ...due, rate: 10, marks: { ...due.marks, scheduled: 0, started: 4, sent: 4 } };
    const stamps = createStampTimes();
    const aggregator = createAggregator(manifest({ cells: [] }));
    stamps.add(one);
    aggregator.add(one);
    const blocks = [{ round: 0, cell: 0, threads: [load([[10_000, 50, 2]])] }];
    const { metrics } = aggregator.cells()[0]!;
    const found = latenessOf({ blocks, stamps, metrics });
    expect(found.ttft!.lateMs).toBe(2);
    expect(found.ttft_scheduled!.lateMs).toBe(6);
    const { queue: _, ...older } = metrics;
    expect(latenessOf({ blocks, stamps, metrics: older }).ttft_scheduled!.lateMs).toBe(2);
  });

  test('is the p99 of the stamps: one in 100 may be later', () => {
    const slices = [
      [1000, 5, 0.5],
      [1000, 5, 40],
      [1000, 5, 7],
    ] as const;
    const first = (n: number, ms: number) => Array.from({ length: n }, () => stream(0, ms, steady));
    const lateMs = (...records: RequestRecord[]) => latenessIn(records, [[load(slices)]]).ttft!.lateMs;
    expect(lateMs(...first(1, 1500), ...first(99, 500))).toBe(0.5);
    expect(lateMs(...first(2, 1500), ...first(98, 500))).toBe(40);
    // The order in which the lateness was seen does not count: the late ones may come first.
    const early = [
      [1000, 5, 40],
      [1000, 5, 0.5],
    ] as const;
    const two = [...first(2, 500), ...first(98, 1500)];
    expect(latenessIn(two, [[load(early)]]).ttft!.lateMs).toBe(40);
    expect(lateMs(...first(1, 1500), ...first(50, 2500), ...first(49, 500))).toBe(7);
  });

  test('a stamp at the end of a slice is of that slice, and one after the last slice of the last', () => {
    const slices = [
      [305, 5, 1],
      [100, 5, 2],
      [100, 5, 4],
    ] as const;
    // A stamp is taken for the middle of its bin of 10 ms.
    const at = (ms: number) => latenessIn([stream(0, ms, steady)], [[load(slices)]]).ttft!.lateMs;
    expect([at(300), at(310), at(404), at(411), at(5000)]).toEqual([1, 2, 2, 4, 4]);
  });

  test('is unknown for a thread without slices, or without their start', () => {
    const { fromMs: _, ...unplaced } = load([[10_000, 5, 0.2]]);
    const { slices: _s, ...bare } = load([[10_000, 5, 0.2]]);
    for (const one of [unplaced, bare, load([])]) {
      expect(latenessIn([stream(0, 300, steady)], [[one]])).toEqual({});
    }
    // A figure without a stamp in these rounds.
    expect(latenessIn([stream(0, 300, steady, 1)], [[load([[10_000, 5, 0.2]])]])).toEqual({});
  });

  test('is unknown for a run whose load has no slices', () => {
    expect(latenessIn([stream(0, 300, steady)], [[load([], undefined)]])).toEqual({});
    expect(latenessIn([stream(0, 300, steady)], [])).toEqual({});
  });

  test("makes the client's verdict worse, and the reason names the figures", () => {
    const metrics = latenessIn([stream(0, 300, steady)], [[load(burst)]]);
    const figures = { latenessP99Ms: 0.2, newConnectionShare: 0, reads: 1, events: 1 };
    const report = clientReport([[load(burst)]], figures, metrics)!;
    expect(report.verdict).toBe('strained');
    expect(report.reason).toBe(
      'it took the stamps of ttfb, ttfb_body, ttfe, ttft and 1 more up to 40 ms late (p99)',
    );
    expect(report.metrics!.ttft!.verdict).toBe('strained');
  });
});

test('stamps of a long round are counted in wider bins, none is lost', () => {
  const stamps = createStampTimes();
  for (let i = 0; i < 20_000; i++) stamps.add(stream(i * 40, 5, []));
  let [total, bins] = [0, 0];
  stamps.each('firstToken', { round: 0 }, (_atMs, count) => {
    total += count;
    bins += 1;
  });
  expect(total).toBe(20_000);
  expect(bins).toBeLessThanOrEqual(4096);
});

test('stamps may come in any order, and from damaged records', () => {
  const stamps = createStampTimes();
  const times = [900_000, 5, 450_000, 30, 1_200_000, 0, Number.MAX_VALUE];
  for (const at of times) stamps.add(record({ gaps: [], marks: { scheduled: 0, started: 0, headers: at } }));
  const found: number[] = [];
  stamps.each('headers', { round: 0 }, (_atMs, count) => found.push(count));
  expect(found.reduce((sum, count) => sum + count, 0)).toBe(times.length);
});

test('of several timelines of a thread, the one that covers the stamp is used', () => {
  // Two stages one after the other: busy in the second, in which no stamp was taken.
  const calm = load([[1_000, 5, 0.2]]);
  const busy = load([[1_000, 100, 80]], 1_000);
  const requests = Array.from({ length: 50 }, () => stream(0, 300, [50, 50]));
  expect(latenessIn(requests, [[calm, busy]]).ttft).toMatchObject({ verdict: 'ok', lateMs: 0.2 });
});

test('a stamp is as late as the machine that took it, not as another', () => {
  const stamps = createStampTimes();
  const aggregator = createAggregator(manifest());
  for (const shard of [1, 2]) {
    for (let i = 0; i < 50; i++) {
      const one = { ...stream(100 * i, 50, steady), shard };
      stamps.add(one);
      aggregator.add(one);
    }
  }
  const { metrics } = aggregator.cells()[0]!;
  const late = (of: readonly number[]) =>
    latenessOf({
      blocks: of.map((shard) => ({
        ...{ round: 0, cell: 0, shard },
        threads: [load([[20_000, 10, shard === 1 ? 1 : 7]])],
      })),
      stamps,
      metrics,
    }).ttft;
  expect(late([1])).toMatchObject({ lateMs: 1 });
  expect(late([2])).toMatchObject({ lateMs: 7 });
  // Half of the stamps were up to 7 ms late.
  expect(late([1, 2])).toMatchObject({ lateMs: 7 });
});
