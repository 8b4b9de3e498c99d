import { describe, expect, test } from 'vitest';
import { type Executor, localRunner } from '../../src/engine/block.ts';
import type { Arrivals, Block, Cell } from '../../src/model/plan.ts';
import type { Observation } from '../../src/model/record.ts';
import { dealtTo, type Shard } from '../../src/model/shard.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { observation } from './observations.ts';

// Machines on one clock, each with its part of a block.

interface Sent {
  scheduled: number;
  started: number;
  kind: string;
}

const CELL: Cell = { target: 't', prompt: 'p', mode: 'streaming', concurrency: 12 };

async function run(cell: Cell, whole: Block, lifeMs: number, shard?: Shard): Promise<Sent[]> {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const executor: Executor = {
    async send({ scheduledAt }) {
      const started = clock.now();
      await clock.sleep(lifeMs);
      return observation(scheduledAt, started, clock.now());
    },
    warm: async () => {},
  };
  const signals = { drain: new AbortController().signal, kill: new AbortController().signal };
  const runner = localRunner({ clock, sleep: clock.sleep, executor, originAt: 0, signals });
  const recorded = ({ marks: { scheduled, started }, outcome }: Observation) =>
    void sent.push({ scheduled, started: toNanoseconds(started), kind: outcome.kind });
  const done = runner.run(part(whole, cell, shard), cell, { recorded, warmedUp: () => {} });
  await clock.advance(100_000);
  await done;
  return sent;
}

// The fake clock adds up waits, which differ in the last digits.
function toNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}

/** As `shardPlan` makes it. */
function part(block: Block, { rate, concurrency }: Cell, shard: Shard | undefined): Block {
  if (shard === undefined) return block;
  const period = rate === undefined ? concurrency : shard.of;
  const share = { shard, period };
  return { ...block, share, requests: block.requests && dealtTo(share, block.requests) };
}

const byTime = (a: Sent, b: Sent) => a.scheduled - b.scheduled;

describe.each([1, 2, 3, 7])('%i machines', (of) => {
  const shards = Array.from({ length: of }, (_, index) => ({ number: index + 1, of }));

  test.each([{ process: 'poisson' }, { process: 'constant' }] as const)(
    'send the schedule of one: %j',
    async ({ process }) => {
      const arrivals: Arrivals = { process, seed: 5 };
      const cell = { ...CELL, rate: 50, concurrency: 1_000 };
      const block: Block = { round: 0, cell: 0, warmup: 0, requests: 200, arrivals };
      const one = (await run(cell, block, 5)).sort(byTime);
      const parts = await Promise.all(shards.map((shard) => run(cell, block, 5, shard)));
      // Every n-th request each, so that all machines are as busy.
      for (const own of parts) expect(own.length).toBeGreaterThanOrEqual(Math.floor(200 / of));
      expect(parts.flat().sort(byTime)).toEqual(one);
    },
  );

  test('send the schedule of one until the duration is over', async () => {
    const cell = { ...CELL, rate: 50, concurrency: 1_000 };
    const arrivals: Arrivals = { process: 'poisson', seed: 5 };
    const block: Block = { round: 0, cell: 0, warmup: 0, durationMs: 2_000, arrivals };
    const one = (await run(cell, block, 5)).sort(byTime);
    const parts = await Promise.all(shards.map((shard) => run(cell, block, 5, shard)));
    expect(parts.flat().sort(byTime)).toEqual(one);
  });

  test('keep as many streams open as one', async () => {
    const block: Block = { round: 0, cell: 0, warmup: 0, requests: 120 };
    const parts = await Promise.all(shards.map((shard) => run(CELL, block, 1_000, shard)));
    const all = parts.flat();
    expect(all).toHaveLength(120);
    // 12 streams of 1 s: ten waves of 12, over all machines together.
    for (let wave = 0; wave < 10; wave++)
      expect(all.filter(({ started }) => started === wave * 1_000)).toHaveLength(12);
  });

  test.each([
    ['rate', { rate: 60, concurrency: 1_000 }, { from: 6, to: 60 }],
    ['concurrency', { concurrency: 12 }, { from: 1, to: 12 }],
  ] as const)('follow a ramp of the %s as one', async (_, load, ramp) => {
    const cell = { ...CELL, ...load };
    const phases = [
      { cell: 0, durationMs: 3_000, ...ramp },
      { cell: 0, durationMs: 1_000, from: ramp.to, to: ramp.to },
    ];
    const arrivals: Arrivals | undefined = 'rate' in load ? { process: 'poisson', seed: 4 } : undefined;
    const block: Block = { round: 0, cell: 0, warmup: 0, phases, arrivals };
    // Streams that last: each time at which one more is opened shows.
    const one = (await run(cell, block, 90_000)).sort(byTime);
    const parts = await Promise.all(shards.map((shard) => run(cell, block, 90_000, shard)));
    expect(one.length).toBeGreaterThan(11);
    expect(parts.flat().sort(byTime)).toEqual(
      one.map(({ scheduled, started, kind }) => ({
        scheduled: expect.closeTo(scheduled, 5),
        started: expect.closeTo(started, 5),
        kind,
      })),
    );
  });

  test('have as many slots in an open loop as one', async () => {
    const cell = { ...CELL, rate: 1_000, concurrency: 14 };
    const arrivals: Arrivals = { process: 'constant', seed: 1 };
    const block: Block = { round: 0, cell: 0, warmup: 0, requests: 140, arrivals };
    const parts = await Promise.all(shards.map((shard) => run(cell, block, 50_000, shard)));
    expect(parts.flat().filter(({ kind }) => kind === 'ok')).toHaveLength(14);
    expect(parts.flat().filter(({ kind }) => kind === 'dropped')).toHaveLength(126);
  });
});
