import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { parseScenario } from '../../src/scenario/load.ts';
import { planScenario, unstarted } from '../../src/scenario/plan.ts';
import { shardPlan, streamsByCell } from '../../src/scenario/shard-plan.ts';

function planned(load: string, more = '') {
  const text = `version: 1
name: s
targets: [{ name: t, url: "http://127.0.0.1:9/v1", dialect: openai-chat, model: m }]
prompts: [{ name: p, text: hi }]
load: ${load}
${more}`;
  const loaded = parseScenario(text, 's.yaml', { env: {} });
  return { loaded, plan: planScenario(loaded, unstarted(loaded.scenario)) };
}

function parts(load: string, of: number) {
  const { loaded, plan } = planned(load);
  return Array.from({ length: of }, (_, index) => shardPlan(plan, { number: index + 1, of }, loaded));
}

function refusal(load: string, of: number, more?: string) {
  const { loaded, plan } = planned(load, more);
  try {
    shardPlan(plan, { number: 1, of }, loaded);
  } catch (error) {
    if (error instanceof UserError) return error.problems[0];
    throw error;
  }
  return undefined;
}

describe('the parts of a plan', () => {
  test('have the streams of the whole, and its requests, in every block', () => {
    const { plan } = planned('{ concurrency: [4, 16], requests: 101, rounds: 3 }');
    const shards = parts('{ concurrency: [4, 16], requests: 101, rounds: 3 }', 3);
    expect(shards.map(streamsByCell)).toEqual([
      [2, 6],
      [1, 5],
      [1, 5],
    ]);
    for (const [index, block] of plan.blocks.entries()) {
      const own = shards.map((shard) => shard.blocks[index]!);
      expect(own.reduce((sum, { requests = 0 }) => sum + requests, 0)).toBe(block.requests);
      expect(own.every(({ round, cell }) => round === block.round && cell === block.cell)).toBe(true);
    }
  });

  test('keep the cells of the whole run', () => {
    const { plan } = planned('{ concurrency: 8, requests: 40 }');
    for (const shard of parts('{ concurrency: 8, requests: 40 }', 4)) expect(shard.cells).toEqual(plan.cells);
  });

  test('limited by time have the same time', () => {
    const durations = parts('{ concurrency: 8, duration: 10s, rounds: 2 }', 4).map(({ blocks }) =>
      blocks.map(({ durationMs, requests }) => [durationMs, requests]),
    );
    for (const own of durations)
      expect(own).toEqual([
        [5000, undefined],
        [5000, undefined],
      ]);
  });

  test('each warm up, because each machine has connections of its own', () => {
    const warmups = parts('{ concurrency: 8, requests: 40, rounds: 1, warmup: 2 }', 4).map(
      ({ blocks }) => blocks[0]!.warmup,
    );
    expect(warmups).toEqual([1, 1, 1, 1]);
    expect(parts('{ concurrency: 8, requests: 40, warmup: 0 }', 4)[0]!.blocks[0]!.warmup).toBe(0);
  });
});

describe('a load that cannot be split is refused, with its place and what to do', () => {
  test.each([
    ['{ concurrency: [2, 8], requests: 40, rounds: 1 }', 4, 'concurrency 2 cannot be split over 4 shards', 2],
    ['{ concurrency: [1, 8], requests: 40, rounds: 1 }', 4, 'run it on one machine', undefined],
    ['{ rate: 10, maxConcurrency: 3, requests: 40 }', 4, 'maxConcurrency 3 cannot be split', 3],
    ['{ rate: 10, requests: 10, rounds: 5 }', 4, 'a round of 2 requests cannot be split', 2],
  ] as const)('%s over %i', (load, of, words, most) => {
    const problem = refusal(load, of);
    expect(`${problem?.message} ${problem?.hint}`).toContain(words);
    if (most !== undefined) expect(problem?.hint).toContain(`at most ${most} shards`);
    expect(problem?.place).toMatchObject({ file: 's.yaml', line: 5 });
  });

  test('the length test', () => {
    expect(refusal('{ concurrency: 8, requests: 40, rounds: 1 }', 2, 'verdict: {}\n')?.message).toContain(
      'length test',
    );
  });
});
