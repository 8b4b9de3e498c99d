import { describe, expect, it, test } from 'vitest';
import { planScenario, planSummary } from '../../../src/scenario/plan.ts';
import { load, problems, yaml } from '../helpers.ts';

const planOf = (loadLine: string, more = '') => planScenario(load(yaml(`load: ${loadLine}\n${more}`)));

describe('stages', () => {
  const plan = planOf(
    '{ arrivals: constant, stages: [{ rate: 5, duration: 10s, measured: false }, { name: ramp, rate: { from: 5, to: 50 }, until: 30s }, { rate: 50, duration: 5s }] }',
    'modes: [streaming, non-streaming]\n',
  );

  it('are load levels with a name, the one with a ramp with its start', () => {
    const streaming = plan.cells.filter(({ mode }) => mode === 'streaming');
    expect(streaming).toEqual([
      {
        ...{ target: 'local', prompt: 'short', mode: 'streaming' },
        concurrency: 200,
        rate: 50,
        stage: 'ramp',
        from: 5,
      },
      { ...{ target: 'local', prompt: 'short', mode: 'streaming' }, concurrency: 200, rate: 50, stage: '3' },
    ]);
  });

  it('of one mode are one block, in one round by default', () => {
    expect(plan.blocks).toHaveLength(2);
    for (const { cell, phases, durationMs, requests, arrivals, round, graceMs } of plan.blocks) {
      expect(phases).toEqual([
        { durationMs: 10_000, from: 5, to: 5 },
        { durationMs: 20_000, from: 5, to: 50, cell, stage: 'ramp' },
        { durationMs: 5_000, from: 50, to: 50, cell: cell + 1, stage: '3' },
      ]);
      expect({ durationMs, requests, arrivals, round, graceMs }).toEqual({
        durationMs: 35_000,
        requests: undefined,
        arrivals: { process: 'constant', seed: 1 },
        round: 0,
        graceMs: 30_000,
      });
    }
    expect(planSummary(plan)).toMatchObject({ cells: 4, rounds: 1, requests: null });
  });

  it('of a closed loop are stages of concurrency', () => {
    const { cells, blocks } = planOf(
      '{ stages: [{ concurrency: { from: 1, to: 16 }, duration: 5s }, { concurrency: 4, duration: 5s }] }',
    );
    expect(cells).toMatchObject([
      { concurrency: 16, from: 1, stage: '1' },
      { concurrency: 4, stage: '2' },
    ]);
    expect(blocks[0]?.arrivals).toBeUndefined();
  });

  const one = (stages: string) => problems(yaml(`load: { stages: ${stages} }\n`));

  test.each([
    ['[{ rate: 0, duration: 5s }]', /load\.stages\[0\]\.rate: expected a number above 0, got 0/],
    [
      '[{ rate: { from: 0, to: 0 }, duration: 5s }]',
      /load\.stages\[0\]\.rate: the rate is 0 for the whole stage \| a ramp may start or end at 0/,
    ],
    [
      '[{ rate: 5, until: 30s }, { rate: 9, until: 20s }]',
      /load\.stages\[1\]\.until: the stage ends at 20s, but the one before it ends at 30s \| .*must be later/,
    ],
    ['[{ rate: 5, duration: -5s }]', /load\.stages\[0\]\.duration: expected a duration/],
    ['[{ rate: 5 }]', /load\.stages\[0\]: the stage has no length \| add duration: 30s/],
    ['[{ duration: 5s }]', /load\.stages\[0\]: the stage has no load \| add rate: 5/],
    ['[{ rate: 5, concurrency: 4, duration: 5s }]', /only one is allowed \| use rate in all stages/],
    [
      '[{ rate: 5, duration: 5s }, { concurrency: 4, duration: 5s }]',
      /load\.stages\[1\]: the stage has concurrency, but other stages have rate/,
    ],
    ['[{ rate: 5, duration: 5s, until: 9s }]', /load\.stages\[0\]: the stage has duration and until/],
    ['[{ rate: 5, duration: 5s, measured: false }]', /load\.stages: no stage is measured/],
    ['[]', /load\.stages: expected a list of stages .*at least one item, got an empty list/],
    [
      '[{ name: a, rate: 5, duration: 5s }, { name: a, rate: 6, duration: 5s }]',
      /two stages have the name "a"/,
    ],
    ['[{ name: "2", rate: 5, duration: 5s }, { rate: 6, duration: 5s }]', /two stages have the name "2"/],
    [
      '[{ concurrency: { from: 0, to: 4 }, duration: 5s }]',
      /\.from: expected a whole number of at least 1, got 0/,
    ],
  ])('are checked before anything is sent: %s', (stages, problem) => {
    const found = one(stages);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
    expect(found[0]).toMatch(/^10:\d+ /);
  });

  test.each(['rate: 5', 'concurrency: 4', 'requests: 40', 'duration: 30s', 'rampUp: 5s', 'coolDown: 5s'])(
    'cannot be combined with %s, and the error says what to use',
    (other) => {
      const [key] = other.split(':');
      const found = problems(yaml(`load: { ${other}, stages: [{ rate: 5, duration: 5s }] }\n`));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`load\\.${key}: ${key} cannot be combined with stages \\| .+`));
    },
  );
});

describe('the window', () => {
  it('has the load rise, run and continue outside of it, in every round', () => {
    const { blocks } = planOf(
      '{ concurrency: 8, duration: 20s, rounds: 2, rampUp: 4s, warmup: 2s, coolDown: 3s }',
    );
    expect(blocks).toHaveLength(2);
    for (const { phases, warmup, durationMs } of blocks) {
      expect(phases).toEqual([
        { durationMs: 4_000, from: 1, to: 8 },
        { durationMs: 2_000, from: 8, to: 8 },
        { durationMs: 10_000, from: 8, to: 8, cell: 0 },
        { durationMs: 3_000, from: 8, to: 8 },
      ]);
      expect({ warmup, durationMs }).toEqual({ warmup: 0, durationMs: 10_000 });
    }
  });

  it('may be limited by requests after the rise', () => {
    const { blocks } = planOf('{ rate: 10, requests: 40, rounds: 1, rampUp: 4s }');
    expect(blocks[0]).toMatchObject({
      requests: 40,
      phases: [
        { durationMs: 4_000, from: 0, to: 10 },
        { from: 10, to: 10, cell: 0 },
      ],
    });
    expect(blocks[0]?.graceMs).toBeUndefined();
  });

  it('has a grace where time limits it', () => {
    expect(planOf('{ duration: 10s }').blocks[0]?.graceMs).toBe(30_000);
    expect(planOf('{ duration: 10s, grace: 0s }').blocks[0]?.graceMs).toBe(0);
    // Streams that are read for a given time must be able to finish it.
    expect(planOf('{ duration: 10s }', 'for: 2m\n').blocks[0]?.graceMs).toBe(125_000);
  });
});

describe('arrivals', () => {
  it('are gamma where a burstiness is given', () => {
    expect(planOf('{ rate: 5, burstiness: 0.5 }').blocks[0]?.arrivals).toEqual({
      process: 'gamma',
      seed: 1,
      burstiness: 0.5,
    });
  });

  test.each([
    [
      '{ rate: 5, arrivals: gamma }',
      /load\.arrivals: arrivals: gamma needs burstiness \| add burstiness: 0\.5/,
    ],
    [
      '{ rate: 5, arrivals: poisson, burstiness: 2 }',
      /load\.burstiness: .*no meaning with arrivals: poisson/,
    ],
    ['{ concurrency: 5, burstiness: 2 }', /load\.burstiness: burstiness needs rate/],
    ['{ rate: 5, burstiness: 0 }', /load\.burstiness: expected a number from 0\.01 to 1000, got 0/],
    ['{ rate: 0 }', /load\.rate: expected a number above 0, got 0/],
    [
      '{ coolDown: 5s, requests: 9 }',
      /load\.coolDown: coolDown needs a measured time of fixed length \| use duration/,
    ],
    ['{ grace: 5s }', /load\.grace: grace needs duration/],
    ['{ warmup: soon }', /load\.warmup: expected a duration such as 250ms, 10s or 1m30s, got "soon"/],
  ])('and the rest of the load are checked: %s', (line, problem) => {
    const found = problems(yaml(`load: ${line}\n`));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });
});

describe('streams that are cut as planned', () => {
  it('have limits that let them be cut', () => {
    const plan = planOf('{ requests: 5 }', 'for: 10m\n');
    expect(plan.streamForMs).toBe(600_000);
    expect(plan.timeouts.totalMs).toBeGreaterThan(600_000);
    // A feed may be quiet.
    expect(plan.timeouts.idleMs).toBe(plan.timeouts.totalMs);
    expect(planOf('{ requests: 5 }', 'for: 10m\ntimeouts: { idle: 5s }\n').timeouts.idleMs).toBe(5_000);
  });

  test.each([
    [
      'for: 30s\nmodes: [streaming, non-streaming]\n',
      /modes: a non-streaming answer cannot be cut after a time/,
    ],
    [
      'for: 30s\ntimeouts: { total: 20s }\n',
      /timeouts\.total: the limit ends every stream before .*for: 30s/,
    ],
    ['for: 0s\n', /for: expected a duration of more than 0/],
    ['for: 30\n', /for: expected a duration .* \| add a unit: 30s/],
  ])('are checked: %s', (lines, problem) => {
    const found = problems(yaml(lines));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });
});
