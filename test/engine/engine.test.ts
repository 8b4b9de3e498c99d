import { describe, expect, test } from 'vitest';
import { WindowOver } from '../../src/client/outcome/evidence.ts';
import { type Executor, type Job, localRunner } from '../../src/engine/block.ts';
import { runPlan } from '../../src/engine/engine.ts';
import { type Block, DEFAULT_TIMEOUTS, type RunPlan } from '../../src/model/plan.ts';
import type { Observation, OutcomeKind, RequestRecord } from '../../src/model/record.ts';
import { FakeClock } from '../support/fake-clock.ts';

function planOf(concurrencies: number[], blocks: Block[]): RunPlan {
  return {
    targets: [],
    prompts: [],
    cells: concurrencies.map((concurrency) => ({ target: 't', prompt: 'p', concurrency, mode: 'streaming' })),
    blocks,
    timeouts: DEFAULT_TIMEOUTS,
    seed: 1,
    keepText: false,
  };
}

function observationOf(job: Job, endAt: number): Observation {
  return {
    mode: 'streaming',
    outcome: { kind: outcomeOf(job.signal) },
    marks: { scheduled: job.scheduledAt, started: job.scheduledAt, end: endAt },
    ...{ reads: 1, events: 1, comments: 0, contentEvents: 1, coalesced: 0, bytes: 1, gaps: [] },
    chars: { answer: 1, thinking: 0 },
    tokens: { output: 1, source: 'chunks' },
  };
}

function outcomeOf({ aborted, reason }: AbortSignal): OutcomeKind {
  if (reason instanceof WindowOver) return 'cut';
  return aborted ? 'cancelled' : 'ok';
}

/** An executor that takes `latencyMs` on a fake clock, and a log of what it was asked. */
function harness(plan: RunPlan, latencyMs: (n: number) => number = () => 100) {
  const clock = new FakeClock();
  const drain = new AbortController();
  const kill = new AbortController();
  const log: string[] = [];
  const records: RequestRecord[] = [];
  const inFlight = { now: 0, most: 0 };
  let sent = 0;
  const executor: Executor = {
    async send(job) {
      inFlight.most = Math.max(inFlight.most, ++inFlight.now);
      const killed = new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve()));
      await clock.sleep(latencyMs(sent++), killed);
      inFlight.now--;
      return observationOf(job, clock.now());
    },
    async warm(target, connections) {
      log.push(`warm ${target} ${connections}`);
    },
  };
  const signals = { drain: drain.signal, kill: kill.signal };
  const done = runPlan(plan, {
    runner: localRunner({ clock, sleep: clock.sleep, executor, originAt: 0, signals }),
    drain: drain.signal,
    observer: {
      blockStarted: (block, cell) => log.push(`round ${block.round} c${cell.concurrency}`),
      recorded: (record) => records.push(record),
      warmedUp: () => log.push('warm-up request'),
    },
  });
  return { clock, drain, kill, log, records, inFlight, done };
}

describe('the engine', () => {
  test('asks after each round but the last whether it is enough, and a run that ends so is complete', async () => {
    const rounds = [0, 1, 2].flatMap((round) =>
      [0, 1].map((cell) => ({ round, cell, requests: 1, warmup: 0 })),
    );
    const clock = new FakeClock();
    const never = new AbortController().signal;
    const executor: Executor = { send: async (job) => observationOf(job, clock.now()), warm: async () => {} };
    const asked: number[] = [];
    const records: RequestRecord[] = [];
    const outcome = await runPlan(planOf([1, 2], rounds), {
      runner: localRunner({
        ...{ clock, sleep: clock.sleep, executor, originAt: 0 },
        signals: { drain: never, kill: never },
      }),
      drain: never,
      observer: { recorded: (record) => records.push(record) },
      isEnough(done) {
        asked.push(done);
        return done === 2;
      },
    });
    expect(asked).toEqual([1, 2]);
    expect(records.map(({ round }) => round)).toEqual([0, 0, 1, 1]);
    expect(outcome).toMatchObject({ completed: true });
  });

  test('runs the blocks in order, warm connections and warm-up requests first, and records only measured requests', async () => {
    const blocks = [
      { round: 0, cell: 1, requests: 4, warmup: 2 },
      { round: 0, cell: 0, requests: 1, warmup: 0 },
      { round: 1, cell: 0, requests: 2, warmup: 0 },
    ];
    const run = harness(planOf([1, 3], blocks));
    await run.clock.advance(10_000);
    expect(await run.done).toMatchObject({ completed: true });
    expect((await run.done).loads.map(({ round, cell, threads }) => [round, cell, threads.length])).toEqual([
      [0, 1, 1],
      [0, 0, 1],
      [1, 0, 1],
    ]);
    expect(run.log).toEqual([
      ...['round 0 c3', 'warm t 3', 'warm-up request', 'warm-up request', 'warm t 3'],
      ...['round 0 c1', 'warm t 1', 'round 1 c1', 'warm t 1'],
    ]);
    expect(run.records.map(({ seq, round, concurrency }) => [seq, round, concurrency])).toEqual([
      ...[
        [0, 0, 3],
        [1, 0, 3],
        [2, 0, 3],
        [3, 0, 3],
      ],
      ...[
        [4, 0, 1],
        [5, 1, 1],
        [6, 1, 1],
      ],
    ]);
    expect(run.inFlight.most).toBe(3);
  });

  test('keeps the slots full: a slow request delays only its own slot', async () => {
    const run = harness(planOf([2], [{ round: 0, cell: 0, requests: 5, warmup: 0 }]), (n) =>
      n === 0 ? 1_000 : 100,
    );
    await run.clock.advance(5_000);
    await run.done;
    const ends = run.records.map((record) => [record.seq, record.marks.scheduled, record.marks.end]);
    expect(ends).toEqual([
      [0, 0, 100],
      [1, 100, 200],
      [2, 200, 300],
      [3, 300, 400],
      [4, 0, 1_000],
    ]);
  });

  test('issues requests for the duration of the block', async () => {
    const run = harness(planOf([1], [{ round: 0, cell: 0, durationMs: 450, warmup: 0 }]));
    await run.clock.advance(2_000);
    await run.done;
    expect(run.records.map((record) => record.marks.scheduled)).toEqual([0, 100, 200, 300, 400]);
  });

  test('an open loop sends requests when they are due, and drops those without a free slot', async () => {
    const plan = planOf(
      [2],
      [{ round: 0, cell: 0, requests: 6, warmup: 0, arrivals: { process: 'constant', seed: 1 } }],
    );
    // The first two take all slots until 350 ms.
    const run = harness({ ...plan, cells: [{ ...plan.cells[0]!, rate: 10 }] }, (n) =>
      n < 2 ? 350 - n * 100 : 10,
    );
    await run.clock.advance(2_000);
    await run.done;
    const seen = run.records.map(({ outcome, rate, marks }) => [outcome.kind, rate, marks.scheduled]);
    expect(seen).toEqual([
      ['dropped', 10, 200],
      ['dropped', 10, 300],
      ['ok', 10, 0],
      ['ok', 10, 100],
      ['ok', 10, 400],
      ['ok', 10, 500],
    ]);
    expect(run.log).toContain('warm t 2');
    expect(run.records[0]!.marks.end).toBeUndefined();
  });

  test('draining issues no more requests and waits for those in flight', async () => {
    const blocks = [
      { round: 0, cell: 0, requests: 50, warmup: 0 },
      { round: 1, cell: 0, requests: 50, warmup: 0 },
    ];
    const run = harness(planOf([2], blocks));
    await run.clock.advance(150);
    run.drain.abort();
    await run.clock.advance(1_000);
    expect(await run.done).toMatchObject({ completed: false });
    expect(run.records.map((record) => record.outcome.kind)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('killing ends the requests in flight, and records them as cancelled', async () => {
    const run = harness(planOf([2], [{ round: 0, cell: 0, requests: 50, warmup: 0 }]));
    await run.clock.advance(150);
    run.drain.abort();
    run.kill.abort();
    await run.clock.advance(0);
    expect(await run.done).toMatchObject({ completed: false });
    expect(run.records.map((record) => record.outcome.kind)).toEqual(['ok', 'ok', 'cancelled', 'cancelled']);
  });

  describe('when the time of a block is over', () => {
    const timed = (graceMs: number | undefined, rounds = 1): Block[] =>
      Array.from({ length: rounds }, (_, round) => ({
        round,
        cell: 0,
        durationMs: 1_000,
        graceMs,
        warmup: 0,
      }));

    test('requests in flight may end within the grace; the rest is cut', async () => {
      // One request takes 1.2 s, the other never ends.
      const run = harness(planOf([2], timed(500)), (n) => (n === 0 ? 1_200 : 1e9));
      await run.clock.advance(1_499);
      expect(run.records.map(({ outcome, marks }) => [outcome.kind, marks.end])).toEqual([['ok', 1_200]]);
      await run.clock.advance(1);
      expect(await run.done).toMatchObject({ completed: true });
      expect(run.records.map(({ outcome, marks }) => [outcome.kind, marks.end])).toEqual([
        ['ok', 1_200],
        ['cut', 1_500],
      ]);
    });

    test('without a grace they run to their end', async () => {
      const run = harness(planOf([1], timed(undefined)), () => 90_000);
      await run.clock.advance(100_000);
      await run.done;
      expect(run.records.map(({ outcome }) => outcome.kind)).toEqual(['ok']);
    });

    test('a target whose streams all had to be cut gets the grace only once', async () => {
      const run = harness(planOf([2], timed(30_000, 5)), () => 1e9);
      await run.clock.advance(5 * 1_000 + 30_000);
      expect(await run.done).toMatchObject({ completed: true });
      expect(run.records.map(({ outcome }) => outcome.kind)).toEqual(Array(10).fill('cut'));
    });

    test('the end of a block does not cut the requests of the next one', async () => {
      const run = harness(planOf([1], timed(500, 2)), () => 400);
      await run.clock.advance(10_000);
      await run.done;
      expect(run.records.map(({ outcome }) => outcome.kind)).toEqual(Array(6).fill('ok'));
    });
  });

  describe('stages', () => {
    const phases = [
      { durationMs: 1_000, from: 0, to: 4 },
      { cell: 0, stage: 'base', durationMs: 1_000, from: 4, to: 4 },
      { cell: 1, stage: 'spike', durationMs: 500, from: 20, to: 20 },
    ];
    const plan: RunPlan = {
      ...planOf([], [{ round: 0, cell: 0, phases, warmup: 0, arrivals: { process: 'constant', seed: 1 } }]),
      cells: [4, 20].map((rate, index) => ({
        ...{ target: 't', prompt: 'p', mode: 'streaming', concurrency: 99, rate },
        stage: ['base', 'spike'][index],
      })),
    };

    test('each request belongs to the cell of the stage in which it was due; others are not counted', async () => {
      const run = harness(plan);
      await run.clock.advance(10_000);
      await run.done;
      const base = [1_000, 1_250, 1_500, 1_750].map((at) => ['base', 4, at]);
      const spike = Array.from({ length: 10 }, (_, i) => ['spike', 20, 2_000 + i * 50]);
      const seen = run.records.map(({ stage, rate, marks }) => [stage, rate, Math.round(marks.scheduled)]);
      expect(seen).toEqual([...base, ...spike]);
      expect(run.log.filter((line) => line === 'warm-up request')).toHaveLength(2);
      const { loads } = await run.done;
      expect(loads.map(({ cell, threads }) => [cell, threads.map(({ stage }) => stage)])).toEqual([
        [0, ['base']],
        [1, ['spike']],
      ]);
    });

    test('a stage begins while streams of the one before are open', async () => {
      const run = harness(plan, () => 700);
      await run.clock.advance(10_000);
      await run.done;
      const first = run.records.find(({ stage }) => stage === 'spike');
      // Those of 1,500 and 1,750 ms are still open at 2,000 ms.
      expect(first?.inFlight).toBe(3);
    });

    test('a run that is continued starts where it ended', async () => {
      const run = harness({ ...plan, blocks: [{ ...plan.blocks[0]!, startMs: 2_201 }] });
      await run.clock.advance(10_000);
      await run.done;
      expect(run.records.map(({ stage, marks }) => [stage, Math.round(marks.scheduled)])).toEqual(
        Array.from({ length: 5 }, (_, i) => ['spike', 49 + i * 50]),
      );
    });
  });
});
