import { describe, expect, test } from 'vitest';
import { type Executor, localRunner, threadShares } from '../../src/engine/block.ts';
import { blockCounts, countsMemory } from '../../src/engine/counts.ts';
import { courseOf, dueTimesOf } from '../../src/engine/course.ts';
import type { Block, Cell } from '../../src/model/plan.ts';
import type { Observation } from '../../src/model/record.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { observation } from './observations.ts';

// Several runners on one fake clock, each with its own part of the block, as the threads of a run have it.

interface Sent {
  thread: number;
  scheduled: number;
  started: number;
  end: number;
  inFlight: number;
  kind: string;
  stage?: string;
}

interface Setup {
  block: Partial<Block>;
  cell: Partial<Cell>;
  threads: number;
  /** How long a thread takes to warm up. */
  warmMs?: (thread: number) => number;
  lifeMs: (thread: number, request: number) => number;
  forMs: number;
}

async function run({ block, cell, threads, warmMs = () => 0, lifeMs, forMs }: Setup) {
  const clock = new FakeClock();
  const drain = new AbortController();
  const whole: Block = { round: 0, cell: 0, warmup: 0, ...block };
  const full: Cell = { target: 't', prompt: 'p', mode: 'streaming', concurrency: 1, ...cell };
  const memory = countsMemory();
  const sent: Sent[] = [];
  let waiting = 0;
  let open = (_at: number) => {};
  const opensAt = new Promise<number>((resolve) => {
    open = resolve;
  });
  const parts = threadShares(whole, full, threads);
  const ready = () => {
    if (++waiting === parts.filter(Boolean).length) open(clock.now() + 20);
    return opensAt;
  };
  const done = parts.map(async (part, thread) => {
    if (part === undefined) return [];
    let requests = 0;
    const executor: Executor = {
      async send({ scheduledAt }) {
        const started = clock.now();
        await clock.sleep(lifeMs(thread, requests++));
        return observation(scheduledAt, started, clock.now());
      },
      warm: () => clock.sleep(warmMs(thread)),
    };
    const signals = { drain: drain.signal, kill: new AbortController().signal };
    const runner = localRunner({ clock, sleep: clock.sleep, executor, originAt: 0, signals });
    const recorded = ({ marks, inFlight = 0, outcome: { kind }, stage }: Observation) => {
      const { scheduled, started, end = started } = marks;
      sent.push({ thread, scheduled, started, end, inFlight, kind, stage });
    };
    return runner.run(whole, full, { recorded, warmedUp: () => {} }, part, {
      memory,
      counts: blockCounts(memory),
      ready,
    });
  });
  await clock.advance(forMs);
  drain.abort();
  await clock.advance(10_000);
  await Promise.all(done);
  return sent.sort((a, b) => a.scheduled - b.scheduled);
}

describe.each([1, 2, 4])('on %i threads', (threads) => {
  test.each([5, 50, 500])(
    '%i requests/s are due and sent at the requested intervals, after the slowest warm-up',
    async (rate) => {
      const sent = await run({
        ...{
          threads,
          block: { requests: 60, arrivals: { process: 'constant', seed: 1 } },
          cell: { rate, concurrency: 1_000 },
        },
        // One thread takes 1.5 s longer to be ready, and its answers take long.
        ...{
          warmMs: (thread) => 1_500 * thread,
          lifeMs: (thread) => (thread === 0 ? 3_000 : 5),
          forMs: 60_000,
        },
      });
      expect(sent).toHaveLength(60);
      const openedAt = 1_500 * (threads - 1) + 20;
      for (const [i, { scheduled, started }] of sent.entries()) {
        expect(scheduled).toBeCloseTo(openedAt + (i * 1000) / rate, 6);
        expect(started).toBeCloseTo(scheduled, 6);
      }
    },
  );

  test('a closed loop opens all streams at once and keeps them open until the last request', async () => {
    const sent = await run({
      ...{ threads, block: { requests: 400 }, cell: { concurrency: 40 } },
      ...{ warmMs: (thread) => 700 * thread, lifeMs: () => 1_000, forMs: 60_000 },
    });
    expect(sent).toHaveLength(400);
    const [first] = sent;
    expect(sent.filter(({ started }) => started === first!.started)).toHaveLength(40);
    expect(Math.max(...sent.map(({ end }) => end)) - first!.started).toBe(10_000);
    expect(Math.max(...sent.map(({ inFlight }) => inFlight))).toBe(40);
  });

  test('stages have one schedule, whatever the number of threads', async () => {
    const phases = [
      { cell: 0, stage: 'base', durationMs: 1_000, from: 10, to: 10 },
      { cell: 1, stage: 'ramp', durationMs: 1_000, from: 10, to: 60 },
      { durationMs: 500, from: 60, to: 60 },
      { cell: 2, stage: 'after', durationMs: 500, from: 5, to: 5 },
    ];
    const arrivals = { process: 'gamma', burstiness: 0.5, seed: 4 } as const;
    const sent = await run({
      ...{ threads, block: { phases, arrivals }, cell: { rate: 10, concurrency: 1_000 } },
      ...{ lifeMs: (thread) => (thread === 0 ? 900 : 5), forMs: 60_000 },
    });
    const course = courseOf({ cell: 0, phases }, { concurrency: 1_000, rate: 10 });
    const schedule = dueTimesOf(course, arrivals);
    const dues = Array.from({ length: 200 }, (_, i) => schedule(i)).filter(
      (at) => at < 2_000 || (at >= 2_500 && at < 3_000),
    );
    expect(sent.map(({ scheduled }) => scheduled - 20)).toEqual(dues.map((at) => expect.closeTo(at, 6)));
    expect(sent.map(({ stage }) => stage)).toEqual(
      dues.map((at) => (at < 1_000 ? 'base' : at < 2_000 ? 'ramp' : 'after')),
    );
  });

  test('a rising closed loop opens its streams at equal distances', async () => {
    const phases = [{ cell: 0, stage: 'up', durationMs: 1_000, from: 1, to: 11 }];
    const sent = await run({
      ...{ threads, block: { phases }, cell: { concurrency: 11 } },
      ...{ lifeMs: () => 5_000, forMs: 60_000 },
    });
    // The eleventh stream is open at the end of the ramp only.
    expect(sent.map(({ started }) => started - 20)).toEqual(
      Array.from({ length: 10 }, (_, i) => expect.closeTo(i * 100, 3)),
    );
  });

  test('a fast thread takes requests of a slow one: the streams stay open until the end', async () => {
    const sent = await run({
      ...{ threads, block: { requests: 330 }, cell: { concurrency: 8 } },
      ...{ lifeMs: (thread) => (thread === 0 ? 100 : 1_000), forMs: 200_000 },
    });
    expect(sent).toHaveLength(330);
    const opened = sent[0]!.started;
    const lastStart = Math.max(...sent.map(({ started }) => started));
    for (let at = opened + 50; at < lastStart; at += 100) {
      expect(sent.filter(({ started, end }) => started <= at && at < end)).toHaveLength(8);
    }
  });

  test('the limit of an open loop applies to all threads together', async () => {
    const sent = await run({
      ...{
        threads,
        block: { requests: 40, arrivals: { process: 'constant', seed: 1 } },
        cell: { rate: 100, concurrency: 10 },
      },
      ...{ lifeMs: () => 5_000, forMs: 60_000 },
    });
    expect(sent.map(({ kind }) => kind)).toEqual([...Array(10).fill('ok'), ...Array(30).fill('dropped')]);
    expect(sent.map(({ inFlight }) => inFlight)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => i + 1),
      ...Array(30).fill(10),
    ]);
  });
});

test('a run that is stopped while a thread warms up sends nothing, and ends', async () => {
  const sent = await run({
    ...{ threads: 2, block: { requests: 40 }, cell: { concurrency: 4 } },
    ...{ warmMs: (thread) => 5_000 * thread, lifeMs: () => 100, forMs: 1_000 },
  });
  expect(sent).toEqual([]);
});
