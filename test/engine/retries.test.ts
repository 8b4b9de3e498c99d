import { describe, expect, test } from 'vitest';
import { localRunner } from '../../src/engine/block.ts';
import { backoffMs, retryAfterMs, retrying } from '../../src/engine/retries.ts';
import type { RetryPolicy } from '../../src/model/behaviour.ts';
import type { Observation, Outcome } from '../../src/model/record.ts';
import { FakeClock } from '../support/fake-clock.ts';

const POLICY: RetryPolicy = { max: 3, on: [429, 503, 'connect'], backoffMs: 500, maxWaitMs: 30_000 };

function observation(clock: FakeClock, outcome: Outcome, changes: Partial<Observation> = {}): Observation {
  const at = clock.now();
  return {
    ...{ mode: 'streaming', outcome, marks: { scheduled: at, started: at, sent: at, headers: at, end: at } },
    ...{ reads: 1, events: 1, comments: 0, contentEvents: 0, coalesced: 0, bytes: 1, gaps: [] },
    chars: { answer: 1, thinking: 0 },
    tokens: { output: 1, source: 'chunks' },
    ...changes,
  };
}

const RATE_LIMITED: Outcome = { kind: 'rate_limited', status: 429 };
const UNAVAILABLE: Outcome = { kind: 'http_error', status: 503 };
const REFUSED: Outcome = { kind: 'network', code: 'ECONNREFUSED' };

/** Sends one request whose attempts end with these outcomes; the last one repeats. */
async function sent(
  outcomes: readonly (Outcome | Partial<Observation>)[],
  policy: Partial<RetryPolicy> = {},
  { seed = 1, number = 0, stopAtMs = Number.POSITIVE_INFINITY } = {},
) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const at: number[] = [];
  const records: Observation[] = [];
  const send = retrying({ ...POLICY, ...policy }, { seed, clock, wait: clock.sleep, stop: stop.signal });
  const done = send(
    { number, scheduledAt: 0 },
    async () => {
      const next = outcomes[Math.min(at.length, outcomes.length - 1)]!;
      at.push(clock.now());
      return 'kind' in next
        ? observation(clock, next)
        : observation(clock, next.outcome ?? RATE_LIMITED, next as Partial<Observation>);
    },
    (attempt) => records.push(attempt),
  ).then((last) => records.push(last));
  await clock.advance(Math.min(stopAtMs, 100_000));
  stop.abort();
  await clock.advance(1);
  await done;
  return { at, records };
}

describe('retries', () => {
  test('each attempt is a record; only the last one has the outcome of the request', async () => {
    const { at, records } = await sent([RATE_LIMITED, UNAVAILABLE, { kind: 'ok' }]);
    expect(records.map(({ outcome }) => outcome.kind)).toEqual(['rate_limited', 'http_error', 'ok']);
    expect(records.map(({ attempt }) => [attempt?.number, attempt?.retried])).toEqual([
      [1, true],
      [2, true],
      [3, undefined],
    ]);
    expect(records[2]?.attempt?.first).toEqual({ scheduled: 0, started: 0, sent: 0 });
    expect(records[2]?.attempt?.waitedMs).toBeCloseTo(at[2]! - at[1]!);
  });

  test('the waits double, lose up to half at random, and depend on the seed and the number only', async () => {
    const { at } = await sent([RATE_LIMITED], {}, { number: 5 });
    expect(at).toHaveLength(1 + POLICY.max);
    for (const [index, full] of [500, 1_000, 2_000].entries()) {
      const waited = at[index + 1]! - at[index]!;
      expect(waited).toBeGreaterThanOrEqual(full / 2);
      expect(waited).toBeLessThanOrEqual(full);
    }
    expect((await sent([RATE_LIMITED], {}, { number: 5 })).at).toEqual(at);
    expect((await sent([RATE_LIMITED], {}, { number: 6 })).at).not.toEqual(at);
    expect((await sent([RATE_LIMITED], {}, { number: 5, seed: 2 })).at).not.toEqual(at);
  });

  test('a wait never exceeds the limit', () => {
    expect(backoffMs({ ...POLICY, maxWaitMs: 700 }, 9, 1)).toBe(700);
  });

  test('Retry-After replaces the back-off, without jitter', async () => {
    const asked = { outcome: RATE_LIMITED, headers: { 'retry-after': '7' } };
    const { at, records } = await sent([asked, { kind: 'ok' }]);
    expect(at).toEqual([0, 7_000]);
    expect(records[1]?.attempt).toMatchObject({ waitedMs: 7_000, retryAfter: true });
  });

  test('a Retry-After over the limit is not waited for', async () => {
    const { at, records } = await sent([{ outcome: UNAVAILABLE, headers: { 'retry-after': '31' } }]);
    expect(at).toEqual([0]);
    expect(records).toHaveLength(1);
    expect(records[0]?.attempt).toEqual({ number: 1 });
  });

  test('connect is a request that was never sent; reset is one without a response', async () => {
    const unsent = { outcome: REFUSED, marks: { scheduled: 0, started: 0, end: 0 } };
    const lost = { outcome: REFUSED, marks: { scheduled: 0, started: 0, sent: 0, end: 0 } };
    const attempts = async (o: Partial<Observation>, on: RetryPolicy['on']) =>
      (await sent([o], { on, max: 1 })).at.length;
    expect(await attempts(unsent, ['connect'])).toBe(2);
    expect(await attempts(lost, ['connect'])).toBe(1);
    expect(await attempts(lost, ['reset'])).toBe(2);
    expect(await attempts(unsent, ['reset'])).toBe(1);
    expect(await attempts({ outcome: RATE_LIMITED }, ['connect', 'reset', 500])).toBe(1);
    expect(await attempts({ outcome: { kind: 'rate_limited' } }, [429])).toBe(2);
  });

  test('an answer that has begun is never requested again', async () => {
    expect((await sent([{ outcome: { kind: 'rate_limited' }, contentEvents: 1 }])).at).toEqual([0]);
  });

  test('a run that is stopped during a wait makes the attempt before it the last one', async () => {
    const { at, records } = await sent([RATE_LIMITED], {}, { stopAtMs: 100 });
    expect(at).toEqual([0]);
    expect(records.map(({ attempt }) => attempt)).toEqual([{ number: 1 }]);
  });

  test('a request keeps its slot while it waits, and every record says how many were in flight', async () => {
    const clock = new FakeClock();
    const never = new AbortController().signal;
    const records: Observation[] = [];
    let count = 0;
    const runner = localRunner({
      ...{ clock, sleep: clock.sleep, pause: clock.sleep, originAt: 0, retries: POLICY },
      signals: { drain: never, kill: never },
      executor: {
        warm: async () => {},
        async send() {
          await clock.sleep(10);
          return observation(clock, count++ === 0 ? RATE_LIMITED : { kind: 'ok' });
        },
      },
    });
    const cell = { target: 't', prompt: 'p', concurrency: 1, mode: 'streaming' } as const;
    const done = runner.run({ round: 0, cell: 0, requests: 3, warmup: 0 }, cell, {
      recorded: (record) => records.push(record),
      warmedUp: () => {},
    });
    await clock.advance(5_000);
    await done;
    expect(records.map(({ attempt, inFlight }) => [attempt?.number, inFlight])).toEqual([
      [1, 1],
      [2, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});

describe('Retry-After', () => {
  const now = new Date('Wed, 21 Oct 2015 07:28:00 GMT');
  test.each([
    ['5', undefined, 5_000],
    ['0', undefined, 0],
    ['1.5', undefined, 1_500],
    ['Wed, 21 Oct 2015 07:28:30 GMT', undefined, 30_000],
    // The server's clock is an hour ahead: its own date is what counts.
    ['Wed, 21 Oct 2015 08:28:30 GMT', 'Wed, 21 Oct 2015 08:28:00 GMT', 30_000],
    ['Wednesday, 21-Oct-15 07:28:30 GMT', undefined, 30_000],
    ['Wed Oct 21 07:28:30 2015', undefined, 30_000],
    ['2015-10-21T07:28:30Z', undefined, undefined],
    ['Wed, 21 Oct 2015 07:00:00 GMT', undefined, 0],
    ['-5', undefined, undefined],
    ['soon', undefined, undefined],
    ['', undefined, undefined],
  ])('%j with date %j is %s ms', (text, date, ms) => {
    const headers: Record<string, string> = { 'retry-after': text };
    if (date !== undefined) headers.date = date;
    expect(retryAfterMs(headers, now)).toBe(ms);
  });

  test('retry-after-ms is more precise', () => {
    expect(retryAfterMs({ 'retry-after': '1', 'retry-after-ms': '250' }, now)).toBe(250);
  });
});
