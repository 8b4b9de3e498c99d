import { describe, expect, test } from 'vitest';
import { TimelineRoom } from '../../src/metrics/request-spans.ts';
import { createThroughput } from '../../src/metrics/throughput.ts';
import type { LoadLevel } from '../../src/model/plan.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { record, seeded } from './records.ts';

interface Sent {
  startedMs: number;
  endMs: number;
  round?: number;
  dueMs?: number;
  tokens?: number;
  kind?: RequestRecord['outcome']['kind'];
}

function request({ startedMs, endMs, round = 0, dueMs = startedMs, tokens = 10, kind = 'ok' }: Sent) {
  return record({
    round,
    outcome: { kind },
    marks: { scheduled: dueMs, started: startedMs, ...(kind === 'dropped' ? {} : { end: endMs }) },
    tokens: { output: tokens, source: 'usage' },
  });
}

function resultOf(level: LoadLevel, sent: readonly Sent[]) {
  const fold = createThroughput(level);
  for (const one of sent) fold.add(request(one), one.kind === undefined);
  return fold.result(new TimelineRoom());
}

/** A closed loop: each slot sends its next request when the one before has ended. */
function closedLoop(slots: number, requests: number, lengthMs: () => number, round = 0): Sent[] {
  const freeAt = Array.from({ length: slots }, () => 0);
  return Array.from({ length: requests }, () => {
    const slot = freeAt.indexOf(Math.min(...freeAt));
    const startedMs = freeAt[slot]!;
    freeAt[slot] = startedMs + lengthMs();
    return { startedMs, endMs: freeAt[slot]!, round };
  });
}

/** Lengths of a lognormal distribution with this mean and coefficient of variation. */
function lognormal(meanMs: number, variation: number, seed: number): () => number {
  const random = seeded(seed);
  const sigma = Math.sqrt(Math.log(1 + variation ** 2));
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return meanMs * Math.exp(sigma * normal - sigma ** 2 / 2);
  };
}

describe('a closed loop', () => {
  test.each([
    [16, 32],
    [16, 40],
    [16, 16],
    [7, 50],
  ])(
    '%i streams, %i requests of a fixed second each: the rate is exact, whatever the last answers do',
    (slots, requests) => {
      const { throughput, reached } = resultOf(
        { concurrency: slots },
        closedLoop(slots, requests, () => 1000),
      );
      expect(throughput.requestsPerSecond).toBeCloseTo(slots, 6);
      expect(throughput.tokensPerSecond).toBeCloseTo(slots * 10, 5);
      expect(throughput.basis).toBe('full');
      expect(throughput.windowMs).toBe(Math.floor(requests / slots) * 1000);
      expect(throughput.roundsMs).toBe(Math.ceil(requests / slots) * 1000);
      expect(reached).toEqual({ mean: slots, max: slots, met: true });
    },
  );

  // The truth is slots / mean length of what was drawn. Many rounds, so that what is left is not chance.
  test.each([
    [0.2, 2],
    [0.2, 5],
    [0.5, 2],
    [0.5, 5],
    [0.5, 20],
    [1, 5],
    [1, 10],
  ])(
    'lognormal lengths, variation %f, %i requests a slot: within 1.5 %% of the true rate',
    (variation, each) => {
      const lengthMs = lognormal(1000, variation, 11);
      const sent = Array.from({ length: 400 }, (_, round) =>
        closedLoop(16, 16 * each, lengthMs, round),
      ).flat();
      const tokens = sent.map((one) => ({ ...one, tokens: (one.endMs - one.startedMs) / 10 }));
      const { throughput } = resultOf({ concurrency: 16 }, tokens);
      const meanMs = sent.reduce((sum, { startedMs, endMs }) => sum + endMs - startedMs, 0) / sent.length;
      const truth = (16 * 1000) / meanMs;
      expect(Math.abs(throughput.requestsPerSecond! / truth - 1)).toBeLessThan(0.015);
      // A token every 10 ms from each stream: all the time.
      expect(Math.abs(throughput.tokensPerSecond! / 1600 - 1)).toBeLessThan(0.015);
    },
  );

  test('one request a slot, of unequal lengths: near the rate of slots that go on so', () => {
    const lengthMs = lognormal(1000, 0.5, 3);
    const sent = Array.from({ length: 400 }, (_, round) => closedLoop(16, 16, lengthMs, round)).flat();
    expect(resultOf({ concurrency: 16 }, sent).throughput.requestsPerSecond! / 16).toBeCloseTo(1, 1);
  });

  test('failed requests take a slot and are not counted', () => {
    const sent = closedLoop(4, 40, () => 1000).map((one, i) =>
      i % 2 ? one : { ...one, kind: 'truncated' as const },
    );
    expect(resultOf({ concurrency: 4 }, sent).throughput.requestsPerSecond).toBeCloseTo(2, 6);
  });

  test('a moment between two requests of a slot does not end the window, and shows in the mean', () => {
    const sent = Array.from({ length: 10 }, (_, i) =>
      [0, 1].map(() => ({ startedMs: i * 100, endMs: i * 100 + 95 })),
    ).flat();
    const { throughput, reached } = resultOf({ concurrency: 2 }, sent);
    expect(throughput.windowMs).toBe(995);
    expect(reached!.max).toBe(2);
    expect(reached!.mean).toBeCloseTo((2 * 950) / 995, 6);
  });

  test('that never has its streams open says so, and is counted over whole rounds', () => {
    const { throughput, reached } = resultOf(
      { concurrency: 16 },
      closedLoop(8, 8, () => 1000),
    );
    expect(throughput).toMatchObject({ basis: 'below', windowMs: 1000, heldShare: 0, requestsPerSecond: 8 });
    expect(reached).toEqual({ mean: 8, max: 8, met: false });
  });

  test('half of whose streams start late has its load for a part of the round', () => {
    const late = closedLoop(5, 25, () => 1000).map(({ startedMs, endMs }) => ({
      startedMs: startedMs + 3_000,
      endMs: endMs + 3_000,
    }));
    const { throughput } = resultOf({ concurrency: 10 }, [...closedLoop(5, 25, () => 1000), ...late]);
    expect(throughput).toMatchObject({ basis: 'full', windowMs: 2000, roundsMs: 8000, heldShare: 0.25 });
  });

  test('rounds that had the load are counted, the others are not', () => {
    const sent = [...closedLoop(4, 8, () => 1000, 0), ...closedLoop(2, 2, () => 1000, 1)];
    const { throughput } = resultOf({ concurrency: 4 }, sent);
    expect(throughput).toMatchObject({ basis: 'full', windowMs: 2000, roundsMs: 3000, requestsPerSecond: 4 });
  });

  test('without a request there is nothing to count', () => {
    expect(resultOf({ concurrency: 4 }, [])).toMatchObject({
      throughput: { requestsPerSecond: null, tokensPerSecond: null, windowMs: 0 },
      reached: null,
      goodPerSecond: null,
    });
  });
});

describe('an open loop', () => {
  const level = { concurrency: 500, rate: 10 };
  const due = (count: number, lifeMs: (dueMs: number) => number): Sent[] =>
    Array.from({ length: count }, (_, i) => ({ startedMs: i * 100, endMs: i * 100 + lifeMs(i * 100) }));

  test('is counted while its requests are due: answers of 8 s do not lower the rate', () => {
    const { throughput, reached } = resultOf(
      level,
      due(100, () => 8_000),
    );
    expect(throughput).toMatchObject({ basis: 'arrivals', windowMs: 10_000, requestsPerSecond: 10 });
    expect(reached!.max).toBe(80);
    expect(reached!.mean).toBeCloseTo(48.4, 0);
  });

  test('a single answer that takes a minute does not lower the rate', () => {
    const sent = due(100, (at) => (at === 5_000 ? 60_000 : 500));
    expect(resultOf(level, sent).throughput).toMatchObject({ basis: 'arrivals', requestsPerSecond: 10 });
  });

  test('of a service that answers 6 a second is counted by when it answered', () => {
    const sent = due(300, () => 0).map((one, i) => ({ ...one, endMs: 500 + (i * 1000) / 6 }));
    const { throughput } = resultOf(level, sent);
    expect(throughput.basis).toBe('departures');
    expect(throughput.requestsPerSecond).toBeCloseTo(6, 1);
  });

  test('a request that was dropped was due, and is not counted', () => {
    const sent = due(100, () => 100).map((one, i) => (i % 2 ? one : { ...one, kind: 'dropped' as const }));
    expect(resultOf(level, sent).throughput).toMatchObject({ windowMs: 10_000, requestsPerSecond: 5 });
  });
});

describe('a round that was interrupted and continued', () => {
  const later = (sent: Sent[], byMs: number) =>
    sent.map((one) => ({ ...one, startedMs: one.startedMs + byMs, endMs: one.endMs + byMs }));
  const parts = (first: Sent[], second: Sent[], level: LoadLevel) => {
    const fold = createThroughput(level);
    for (const one of first) fold.add(request(one), true);
    for (const one of second) fold.add({ ...request(one), part: 1 }, true);
    return fold.result(new TimelineRoom());
  };

  test('has a window in each part: the pause, and the load that fell before it, are in neither', () => {
    const second = () => 1000;
    const { throughput, reached } = parts(
      closedLoop(4, 40, second),
      later(closedLoop(4, 20, second), 3_600_000),
      { concurrency: 4 },
    );
    expect(throughput).toMatchObject({ requestsPerSecond: 4, basis: 'full', roundsMs: 15_000, heldShare: 1 });
    expect(reached).toEqual({ mean: 4, max: 4, met: true });
  });

  test('reached its load where one part did, and the other had too few requests left', () => {
    const second = () => 1000;
    const { throughput, reached } = parts(
      closedLoop(4, 40, second),
      later(closedLoop(2, 2, second), 60_000),
      { concurrency: 4 },
    );
    expect(throughput).toMatchObject({ requestsPerSecond: 4, windowMs: 10_000, basis: 'full' });
    expect(reached!.met).toBe(true);
  });

  test('open loop: from the first due request of each part to its last', () => {
    const due = (count: number, fromMs: number): Sent[] =>
      Array.from({ length: count }, (_, i) => ({
        startedMs: fromMs + i * 100,
        endMs: fromMs + i * 100 + 50,
      }));
    const { throughput } = parts(due(30, 0), due(10, 900_000), { concurrency: 8, rate: 10 });
    expect(throughput).toMatchObject({ requestsPerSecond: 10, windowMs: 4000, basis: 'arrivals' });
  });
});
