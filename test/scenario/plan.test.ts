import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunPlan, split } from '../../src/model/plan.ts';
import { planScenario, planSummary, roundOrders, usesSimulator } from '../../src/scenario/plan.ts';
import { load, yaml } from './helpers.ts';

interface Extent {
  targets: number;
  prompts: number;
  concurrency: number;
  modes: number;
  load: Record<string, unknown>;
  seed: number;
}

function plan(extent: Partial<Extent> = {}): RunPlan {
  const { targets = 2, prompts = 2, concurrency = 2, modes = 2, load: limits = {}, seed = 1 } = extent;
  const numbered = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const document = {
    version: 1,
    name: 'n',
    seed,
    targets: numbered(targets).map((n) => ({ name: `t${n}`, url: 'http://h', dialect: 'openai-chat' })),
    prompts: numbered(prompts).map((n) => ({ name: `p${n}`, text: 'x' })),
    modes: ['streaming', 'non-streaming'].slice(0, modes),
    load: { concurrency: numbered(concurrency), ...limits },
  };
  return planScenario(load(JSON.stringify(document)));
}

describe('split', () => {
  it('splits into integers that differ by at most one and have the same sum', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 200 }), (total, count) => {
        const parts = split(total, count);
        expect(parts).toHaveLength(count);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('roundOrders', () => {
  it('has every group once in every round, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        (count, rounds, seed) => {
          const orders = roundOrders(count, rounds, seed);
          expect(orders).toHaveLength(rounds);
          for (const order of orders) {
            expect([...order].sort((a, b) => a - b)).toEqual(
              Array.from({ length: count }, (_, index) => index),
            );
          }
          expect(roundOrders(count, rounds, seed)).toEqual(orders);
        },
      ),
    );
  });

  it('cancels a steady drift: over an even number of rounds all groups have the same mean position', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (count, pairs, seed) => {
          const orders = roundOrders(count, pairs * 2, seed);
          for (let group = 0; group < count; group++) {
            const positions = orders.map((order) => order.indexOf(group));
            expect(positions.reduce((sum, position) => sum + position, 0)).toBe(pairs * (count - 1));
          }
        },
      ),
    );
  });

  it('depends on the seed, 0 among them, and moves the first place around', () => {
    expect(roundOrders(12, 1, 0)).not.toEqual(roundOrders(12, 1, 1));
    expect(new Set(roundOrders(6, 6, 1).map((order) => order[0])).size).toBe(6);
  });
});

describe('planScenario', () => {
  it('makes the cells in the order of the table', () => {
    expect(plan().cells.slice(0, 5)).toEqual([
      { target: 't1', prompt: 'p1', concurrency: 1, mode: 'streaming' },
      { target: 't1', prompt: 'p1', concurrency: 1, mode: 'non-streaming' },
      { target: 't1', prompt: 'p1', concurrency: 2, mode: 'streaming' },
      { target: 't1', prompt: 'p1', concurrency: 2, mode: 'non-streaming' },
      { target: 't1', prompt: 'p2', concurrency: 1, mode: 'streaming' },
    ]);
    expect(plan().cells).toHaveLength(16);
  });

  it('runs every cell once a round; the requests of its rounds sum to what was asked', () => {
    const size = fc.integer({ min: 1, max: 3 });
    const shape = fc.record({
      targets: size,
      prompts: size,
      concurrency: size,
      modes: fc.integer({ min: 1, max: 2 }),
      seed: fc.nat(),
      load: fc.record({
        requests: fc.integer({ min: 1, max: 50 }),
        rounds: fc.integer({ min: 1, max: 9 }),
        warmup: fc.nat(3),
      }),
    });
    fc.assert(
      fc.property(shape, (extent) => {
        const { requests, rounds, warmup } = extent.load;
        // What would not reach its concurrency is refused.
        fc.pre(extent.concurrency === 1 || requests >= rounds * extent.concurrency);
        const made = plan(extent);
        const cells = extent.targets * extent.prompts * extent.concurrency * extent.modes;
        expect(planSummary(made)).toMatchObject({
          cells,
          rounds: Math.min(rounds, requests),
          requests: cells * requests,
          warmup: cells * warmup,
        });
        expect(made.blocks.map(({ round }) => round)).toEqual(
          made.blocks.map(({ round }) => round).toSorted((a, b) => a - b),
        );
        for (let cell = 0; cell < cells; cell++) {
          const own = made.blocks.filter((block) => block.cell === cell);
          expect(own.map(({ round }) => round)).toEqual(
            Array.from({ length: Math.min(rounds, requests) }, (_, r) => r),
          );
          expect(own.reduce((sum, block) => sum + block.requests!, 0)).toBe(requests);
          expect(own.every((block) => block.requests! > 0)).toBe(true);
          expect(own.map((block) => block.warmup)).toEqual([warmup, ...own.slice(1).map(() => 0)]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the modes of a pair side by side and swaps them from round to round', () => {
    const { blocks, cells } = plan({ load: { rounds: 4, requests: 8 } });
    for (let at = 0; at < blocks.length; at += 2) {
      const pair = [blocks[at]!, blocks[at + 1]!].map(({ cell }) => cells[cell]!);
      expect({ ...pair[0], mode: '' }).toEqual({ ...pair[1], mode: '' });
    }
    for (let group = 0; group < 8; group++) {
      const streamingFirst = [0, 1, 2, 3].map((round) => {
        const order = blocks.filter((block) => block.round === round).map(({ cell }) => cell);
        return order.indexOf(group * 2) < order.indexOf(group * 2 + 1);
      });
      expect(streamingFirst).toEqual([0, 1, 2, 3].map((round) => (round + group) % 2 === 0));
    }
  });

  it('splits a duration over the rounds, with or without a number of requests', () => {
    const timed = plan({ load: { duration: '30s', rounds: 3 } });
    expect(
      timed.blocks.every(({ durationMs, requests }) => durationMs === 10_000 && requests === undefined),
    ).toBe(true);
    expect(planSummary(timed).requests).toBeNull();
    const both = plan({ load: { duration: '30s', requests: 7, rounds: 3 } });
    expect(both.blocks.filter(({ cell }) => cell === 0).map(({ requests }) => requests)).toEqual([3, 2, 2]);
    expect(both.blocks[0]?.durationMs).toBe(10_000);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'rounds that are too small',
      { concurrency: [1, 4, 16], requests: 40, rounds: 5 },
      '40 requests are too few for 16 concurrent streams: a round of 5 has 8 per cell',
      'requests: 80 (16 in each of 5 rounds), or rounds: 2, or a concurrency of at most 8',
    ],
    [
      'fewer requests than streams',
      { concurrency: 64, requests: 40 },
      '40 requests are too few for 64 concurrent streams: the round has 40 per cell',
      'requests: 64, or a concurrency of at most 40',
    ],
  ])('refuses %s, with a remedy', (_name, fields, message, hint) => {
    expect(() => plan({ load: fields })).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            message: `load.requests: ${message}`,
            hint: `use ${hint}`,
            place: expect.objectContaining({ file: 's.yaml', line: 1 }),
          }),
        ],
      }),
    );
  });

  it.each<[string, Record<string, unknown>, number, number | null]>([
    ['as many requests as the rounds need', { concurrency: [1, 16], rounds: 5 }, 5, 80],
    ['as many requests as there are streams', { concurrency: 64 }, 1, 64],
    ['20 requests where they are enough', { concurrency: 4 }, 5, 20],
    ['no more rounds than its requests fill', { concurrency: 16, requests: 40 }, 2, 40],
    ['any concurrency for a time', { concurrency: 64, duration: '10s' }, 5, null],
    [
      'any limit on the streams of a rate',
      { concurrency: undefined, rate: 5, maxConcurrency: 100, requests: 10, rounds: 2 },
      2,
      10,
    ],
  ])('gives a cell %s', (_name, fields, rounds, requests) => {
    const made = plan({ targets: 1, prompts: 1, modes: 1, load: fields });
    const cells = made.cells.length;
    expect(planSummary(made)).toMatchObject({ rounds, requests: requests && requests * cells });
  });

  it('puts the prompts together', () => {
    const text = yaml(`  - { name: filed, file: long.txt, system: Be brief., maxTokens: 9 }
  - name: talk
    messages: [{ role: user, content: hi }, { role: assistant, content: yes? }]
`);
    const made = planScenario(load(text, { readText: () => '\uFEFFline one\nline two\n' }));
    expect(made.prompts).toEqual([
      { name: 'short', messages: [{ role: 'user', content: 'hello' }], unique: true },
      {
        name: 'filed',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'line one\nline two' },
        ],
        maxTokens: 9,
        unique: true,
      },
      {
        name: 'talk',
        messages: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: 'yes?' },
        ],
        unique: true,
      },
    ]);
  });

  it('contains limits, seed and keepText', () => {
    const made = planScenario(load(yaml('seed: 0\nkeepText: true\ntimeouts: { idle: 5s }\n')));
    expect(made).toMatchObject({ seed: 0, keepText: true, timeouts: { idleMs: 5000 } });
  });

  it('needs the simulator only for targets that have no address of their own', () => {
    const embedded = yaml()
      .replace('url: http://127.0.0.1:9/v1', 'provider: simulator')
      .replace('    dialect: openai-chat\n', '');
    expect(usesSimulator(load(embedded).scenario)).toBe(true);
    expect(usesSimulator(load(yaml().replace('dialect: openai-chat', 'provider: simulator')).scenario)).toBe(
      false,
    );
    expect(planScenario(load(embedded), { simulatorUrl: 'http://127.0.0.1:4' }).targets[0]?.baseUrl).toBe(
      'http://127.0.0.1:4/v1',
    );
    expect(() => planScenario(load(embedded))).toThrow('has not been started');
  });
});
