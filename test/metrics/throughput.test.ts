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

  test('one request per slot, of unequal lengths: near the steady rate', () => {
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

  test('a pause between two requests of a slot does not end the window, and lowers the mean', () => {
    const sent = Array.from({ length: 10 }, (_, i) =>
      [0, 1].map(() => ({ startedMs: i * 100, endMs: i * 100 + 95 })),
    ).flat();
    const { throughput, reached } = resultOf({ concurrency: 2 }, sent);
    expect(throughput.windowMs).toBe(995);
    expect(reached!.max).toBe(2);
    expect(reached!.mean).toBeCloseTo((2 * 950) / 995, 6);
  });

  test('that never has its streams open is marked, and is counted over whole rounds', () => {
    const { throughput, reached } = resultOf(
      { concurrency: 16 },
      closedLoop(8, 8, () => 1000),
    );
    expect(throughput).toMatchObject({ basis: 'below', windowMs: 1000, heldShare: 0, requestsPerSecond: 8 });
    expect(reached).toEqual({ mean: 8, max: 8, met: false });
  });

  test('half of whose streams start late reaches its load for a part of the round', () => {
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

describe('requests of unequal length', () => {
  // Two slots: 1000 and 3000 ms, 3000 and 1000 ms.
  const sent: Sent[] = [
    { startedMs: 0, endMs: 1000, tokens: 10 },
    { startedMs: 0, endMs: 3000, tokens: 30, kind: 'ok' },
    { startedMs: 1000, endMs: 4000, tokens: 30, kind: 'ok' },
    { startedMs: 3000, endMs: 4000, tokens: 10 },
  ];

  test('the advance of slots that start together is subtracted', () => {
    // `met` is true without a kind: the two short ones.
    const { throughput, goodPerSecond } = resultOf({ concurrency: 2 }, sent);
    // Mean 2000 ms, mean square 5e6: a slot is ahead by (5 / 4 - 1) / 2 = 0.125 requests, so 4 - 0.25 in 4 s.
    expect(throughput).toMatchObject({ requestsPerSecond: 0.9375, windowMs: 4000, heldShare: 1 });
    // Tokens come with the time: (20 * 5 / 4 - 50_000 / 2000) / 2 = 0.
    expect(throughput.tokensPerSecond).toBe(20);
    // (0.5 * 5 / 4 - 500 / 2000) / 2 = 0.1875 a slot: 2 - 0.375 in 4 s.
    expect(goodPerSecond).toBe(0.40625);
  });

  test('if that is more than a fifth, the mean length is used', () => {
    const { throughput } = resultOf({ concurrency: 2 }, [
      { startedMs: 0, endMs: 1000 },
      { startedMs: 0, endMs: 9000 },
    ]);
    // Two slots of requests of 5 s for one second.
    expect(throughput).toMatchObject({ windowMs: 1000, requestsPerSecond: 0.4, tokensPerSecond: 4 });
  });
});

describe('what is counted', () => {
  const add = (level: LoadLevel, ...records: RequestRecord[]) => {
    const fold = createThroughput(level);
    for (const one of records) fold.add(one, false);
    return fold.result(new TimelineRoom());
  };
  const one = request({ startedMs: 0, endMs: 1000 });

  test('tokens only of successful answers with a count', () => {
    const uncounted = { ...one, tokens: { output: null, source: 'chunks' as const } };
    expect(add({ concurrency: 1 }, uncounted).throughput).toMatchObject({
      requestsPerSecond: 1,
      tokensPerSecond: null,
    });
    const failed = request({ startedMs: 1000, endMs: 2000, kind: 'truncated' });
    expect(add({ concurrency: 1 }, uncounted, failed).throughput.tokensPerSecond).toBeNull();
    expect(add({ concurrency: 1 }, failed).throughput.requestsPerSecond).toBeNull();
  });

  test('a request without an end, as of a damaged record, is left out', () => {
    const { end: _, ...marks } = one.marks;
    const cut = { ...one, marks };
    const nulled = { ...one, marks: { ...marks, end: null as unknown as number } };
    expect(add({ concurrency: 1 }, one, cut, nulled)).toEqual(add({ concurrency: 1 }, one));
  });

  test('a dropped request takes no slot, and a round of dropped requests is skipped', () => {
    const dropped = { ...one, outcome: { kind: 'dropped' as const } };
    expect(add({ concurrency: 1 }, one, dropped)).toEqual(add({ concurrency: 1 }, one));
    expect(add({ concurrency: 1 }, one, { ...dropped, round: 1 })).toEqual(add({ concurrency: 1 }, one));
  });

  test('requests that take no time have no rate', () => {
    expect(add({ concurrency: 1 }, request({ startedMs: 5, endMs: 5 }))).toMatchObject({
      throughput: { requestsPerSecond: null, windowMs: 0, heldShare: 0 },
      goodPerSecond: null,
    });
  });
});

describe('the load of a closed loop is reached', () => {
  const busy = (slots: number, busyMs: number): Sent[] =>
    Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: slots }, () => ({ startedMs: i * 100, endMs: i * 100 + busyMs })),
    ).flat();

  test('with three quarters of it in the mean', () => {
    // 2 * 10 * 73 ms in 973 ms are 1.5005 streams, 2 * 10 * 72 ms in 972 ms are 1.4815.
    expect(resultOf({ concurrency: 2 }, busy(2, 73)).reached).toMatchObject({ max: 2, met: true });
    expect(resultOf({ concurrency: 2 }, busy(2, 72)).reached).toMatchObject({ max: 2, met: false });
  });

  test('and all of it once', () => {
    expect(resultOf({ concurrency: 40 }, busy(39, 100)).reached).toEqual({ mean: 39, max: 39, met: false });
    const all = [...busy(40, 100), ...busy(39, 100).map((one) => ({ ...one, round: 1 }))];
    expect(resultOf({ concurrency: 40 }, all).reached).toMatchObject({ max: 40, met: true });
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

  test('is counted from when requests were due, not from when they were sent', () => {
    const sent = due(10, () => 0).map(({ startedMs: dueMs }) => {
      const startedMs = 50 + 1.5 * dueMs;
      return { dueMs, startedMs, endMs: startedMs + 100 };
    });
    const { throughput } = resultOf(level, sent);
    expect(throughput).toMatchObject({ basis: 'arrivals', windowMs: 1000, requestsPerSecond: 10 });
  });

  test('reaches its load at any number in flight', () => {
    expect(
      resultOf(
        level,
        due(100, () => 500),
      ).reached,
    ).toMatchObject({ max: 5, met: true });
    // The most in flight is that of any round.
    const calm = due(100, () => 100).map((one) => ({ ...one, round: 1 }));
    expect(resultOf(level, [...due(100, () => 500), ...calm]).reached).toMatchObject({ max: 5, met: true });
  });

  const answeredEvery = (count: number, stepMs: number, order = (i: number) => i): Sent[] =>
    due(count, () => 0).map((one, i) => ({ ...one, endMs: 100_000 + order(i) * stepMs }));

  test('that is answered at half of its rate is behind from a certain number of requests on', () => {
    // Below 0.9, and below 1 - 3 / sqrt(n): 0.25 of 16 requests, 0.7 of 100.
    expect(resultOf(level, answeredEvery(16, 200)).throughput).toMatchObject({
      basis: 'arrivals',
      windowMs: 1600,
    });
    expect(resultOf(level, answeredEvery(100, 200)).throughput).toMatchObject({
      ...{ basis: 'departures', windowMs: 20_000, requestsPerSecond: 5 },
    });
    // Of 10,000 requests 0.97 would be below 0.97, but 0.9 is the least that counts as keeping up.
    expect(resultOf(level, answeredEvery(10_000, 105)).throughput.basis).toBe('arrivals');
  });

  test('that is behind is counted by its successful answers, in any order of their ends', () => {
    const sent = answeredEvery(200, 200, (i) => (i * 37) % 200).map((one, i) =>
      i % 2 ? { ...one, endMs: one.startedMs + 1, kind: 'truncated' as const } : one,
    );
    // (i * 37) % 200 of even i are the even numbers below 200: 100 answers, 400 ms apart.
    expect(resultOf(level, sent).throughput).toMatchObject({
      ...{ basis: 'departures', windowMs: 40_000, requestsPerSecond: 2.5 },
    });
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

describe('a ramp', () => {
  test('of a rate is counted over its time, at its mean rate', () => {
    // 5 to 25 requests/s in 10 s: 150 requests.
    const sent = Array.from({ length: 150 }, (_, n) => {
      const startedMs = 1000 * ((2 * n) / (5 + Math.sqrt(25 + 4 * n)));
      return { startedMs, endMs: startedMs + 300 };
    });
    const { throughput, reached } = resultOf({ concurrency: 99, rate: 25, from: 5, stage: 'up' }, sent);
    expect(throughput.basis).toBe('arrivals');
    expect(throughput.requestsPerSecond! / 15).toBeCloseTo(1, 1);
    expect(reached?.met).toBe(true);
  });

  test('of streams has no level that it could miss', () => {
    const sent = [1, 2, 3, 4].map((n) => ({ startedMs: n * 1000, endMs: 6000 }));
    const { throughput, reached } = resultOf({ concurrency: 8, from: 1, stage: 'up' }, sent);
    expect(throughput).toMatchObject({ basis: 'below', windowMs: 5000 });
    expect(reached).toMatchObject({ max: 4, met: true });
  });
});
