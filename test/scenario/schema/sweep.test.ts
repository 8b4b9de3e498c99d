import { describe, expect, test } from 'vitest';
import { planScenario, planSummary, unstarted } from '../../../src/scenario/plan.ts';
import { shardPlan } from '../../../src/scenario/shard-plan.ts';
import { load, problems, userError, yaml } from '../helpers.ts';

const sweep = (text: string) => load(yaml(`load: { ${text} }`)).scenario.load.sweep;
const wrong = (text: string) => problems(yaml(`load: { ${text} }`));

describe('load.sweep', () => {
  test('has defaults for all but the objectives', () => {
    expect(sweep('sweep: { slo: ["ttft.p95 < 1s"] }')).toEqual({
      by: 'concurrency',
      slo: ['ttft.p95 < 1s'],
      start: 1,
      max: 256,
      precision: 0.05,
      repeats: 8,
      requests: undefined,
      durationMs: undefined,
      budgetMs: 1_800_000,
      maxConcurrency: 200,
      arrivals: 'poisson',
    });
    expect(
      sweep(
        'sweep: { slo: [a], by: rate, start: 0.5, precision: 2%, duration: 10s, budget: 1h }, arrivals: constant',
      ),
    ).toMatchObject({
      by: 'rate',
      start: 0.5,
      max: 1000,
      precision: 0.02,
      durationMs: 10_000,
      arrivals: 'constant',
    });
    // A first level above the default limit is the only one.
    expect(sweep('sweep: { slo: [a], start: 500 }')?.max).toBe(500);
  });

  test.each([
    ['sweep: {}', /slo/],
    ['sweep: { slo: [] }', /a list of objectives/],
    ['sweep: { slo: [a], by: streams }', /one of concurrency, rate/],
    ['sweep: { slo: [a], start: 0 }', /a number above 0/],
    [
      'sweep: { slo: [a], start: 1.5 }',
      /start is not a whole number of streams \| use a whole number, or by: rate/,
    ],
    ['sweep: { slo: [a], start: 8, max: 4 }', /max is less than start/],
    ['sweep: { slo: [a], precision: 5 }', /a percentage from 1% to 50%/],
    ['sweep: { slo: [a], precision: 0.1% }', /a percentage from 1% to 50%/],
    ['sweep: { slo: [a], repeats: 1 }', /at least 2/],
    ['sweep: { slo: [a], prescision: 5% }', /precision/],
    ['sweep: { slo: [a] }, concurrency: 4', /chooses the load levels, and concurrency \| remove concurrency/],
    ['sweep: { slo: [a] }, requests: 4', /chooses the load levels, and requests/],
    ['sweep: { slo: [a] }, arrivals: constant', /arrivals needs rate/],
  ])('%s is refused with a remedy', (text, message) => {
    expect(wrong(text).join('\n')).toMatch(message);
  });

  test('plans the first level of each target, prompt and mode, and no blocks', () => {
    const text = yaml(
      'modes: [streaming, non-streaming]\nload: { sweep: { slo: [a], start: 2 }, warmup: 3 }',
    );
    const loaded = load(text);
    const plan = planScenario(loaded, unstarted(loaded.scenario));
    expect(plan).toMatchObject({ blocks: [], warmup: 3, sweep: { start: 2 } });
    expect(plan.cells).toMatchObject([
      { concurrency: 2, mode: 'streaming' },
      { concurrency: 2, mode: 'non-streaming' },
    ]);
    expect(planSummary(plan)).toMatchObject({ requests: null, rounds: 1 });
  });

  test('by rate the first level is a rate', () => {
    const loaded = load(yaml('load: { sweep: { slo: [a], by: rate, start: 2 }, maxConcurrency: 50 }'));
    expect(planScenario(loaded, unstarted(loaded.scenario)).cells).toMatchObject([
      { concurrency: 50, rate: 2 },
    ]);
  });

  test('cannot be split over machines', () => {
    const loaded = load(yaml('load: { sweep: { slo: [a] } }'));
    const plan = planScenario(loaded, unstarted(loaded.scenario));
    const error = userError(() => shardPlan(plan, { number: 1, of: 2 }, loaded));
    expect(error.problems[0]?.message).toMatch(/a sweep chooses/);
  });
});
