import { describe, expect, it } from 'vitest';
import { scenarioJsonSchema } from '../../../src/scenario/schema/json-schema.ts';
import { load, problems, yaml } from '../helpers.ts';

describe('scenario schema', () => {
  it('is published as it is: `npx vitest run test/scenario/schema.test.ts -u` writes the file', async () => {
    await expect(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../../schema/scenario.schema.json',
    );
  });

  it('describes every field', () => {
    const silent: string[] = [];
    const visit = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key !== 'properties') {
          visit(value, path);
          continue;
        }
        for (const [name, field] of Object.entries(value as Record<string, { description?: string }>)) {
          if (!field.description) silent.push(`${path}.${name}`);
          visit(field, `${path}.${name}`);
        }
      }
    };
    visit(scenarioJsonSchema(), '');
    expect(silent).toEqual([]);
  });

  it('fills in the defaults', () => {
    expect(load(yaml()).scenario).toMatchObject({
      seed: 1,
      modes: ['streaming'],
      load: { levels: [{ concurrency: 1 }], requests: 20, durationMs: undefined, rounds: 5, warmup: 1 },
      timeouts: { connectMs: 10_000, firstByteMs: 300_000, idleMs: 60_000, totalMs: 300_000 },
      stallMs: 1000,
      keepText: false,
      thresholds: [],
      objectives: [],
      tokenizer: 'none',
    });
  });

  it('turns durations to milliseconds, and makes total the limit of the first byte', () => {
    const { scenario } = load(
      yaml(
        'timeouts: { connect: 250ms, total: 1m30s }\nstall: 2s\nload: { duration: 30s, concurrency: 4 }\n',
      ),
    );
    expect(scenario.timeouts).toEqual({
      connectMs: 250,
      firstByteMs: 90_000,
      idleMs: 60_000,
      totalMs: 90_000,
    });
    expect(scenario.stallMs).toBe(2000);
    expect(scenario.load).toMatchObject({
      durationMs: 30_000,
      requests: undefined,
      levels: [{ concurrency: 4 }],
    });
  });

  it('keeps both limits when requests and duration are given', () => {
    const { scenario } = load(yaml('load: { duration: 30s, requests: 7 }\n'));
    expect(scenario.load).toMatchObject({ durationMs: 30_000, requests: 7 });
  });

  it('reads the profiles of the simulator', () => {
    const { scenario } = load(
      yaml(`simulator:
  seed: 0
  profiles:
    fast: { ttft: 200ms, gap: { mean: 8ms, sd: 2ms, max: 1s }, tokens: 12 }
    odd:
      ttft: { mean: 1s, shape: exponential }
      gap: { mean: 5ms, sd: 1ms, min: 0ms, shape: normal }
      tokens: { mean: 60, sd: 5, min: 10 }
      chunkTokens: 4
      mode: replay
      error: { rate: 0.1, kind: truncate }
`),
    );
    expect(scenario.simulator).toEqual({
      seed: 0,
      profiles: {
        fast: {
          ttft: { meanMs: 200, sdMs: 0, shape: 'lognormal' },
          gap: { meanMs: 8, sdMs: 2, maxMs: 1000, shape: 'lognormal' },
          tokens: { mean: 12, sd: 0, shape: 'lognormal' },
          chunkTokens: 1,
        },
        odd: {
          ttft: { meanMs: 1000, sdMs: 1000, shape: 'exponential' },
          gap: { meanMs: 5, sdMs: 1, minMs: 0, shape: 'normal' },
          tokens: { mean: 60, sd: 5, min: 10, shape: 'lognormal' },
          chunkTokens: 4,
          mode: 'replay',
          error: { rate: 0.1, kind: 'truncate' },
        },
      },
    });
  });

  it.each([
    ['load: { requests: 0 }', '10:19 load.requests: expected a whole number of at least 1, got 0'],
    ['load: { requests: 1.5 }', '10:19 load.requests: expected a whole number of at least 1, got 1.5'],
    ['load: { warmup: -1 }', '10:17 load.warmup: expected a whole number of at least 0, got -1'],
    [
      'load: { concurrency: [] }',
      '10:22 load.concurrency: expected a list of whole numbers of at least 1, with at least one item, got an empty list',
    ],
    [
      'load: { concurrency: two }',
      '10:22 load.concurrency: expected a whole number of at least 1, or a list of them such as [1, 4, 16], got "two"',
    ],
    ['load: { concurrency: [1, 4, 1] }', '10:29 load.concurrency[2]: 1 occurs twice'],
    [
      'load: 4',
      '10:7 load: expected a mapping (concurrency, rate, arrivals, burstiness, maxConcurrency, requests, duration, grace, rounds, warmup, rampUp, coolDown, stages, sweep, trace), got 4',
    ],
    ['load: { rate: 0 }', '10:15 load.rate: expected a number above 0, got 0'],
    ['load: { rate: [5, 5] }', '10:19 load.rate[1]: 5 occurs twice'],
    [
      'load: { rate: 5, concurrency: 2 }',
      '10:7 load: the load has concurrency and rate, but only one is allowed | with rate, use maxConcurrency to limit the concurrent streams',
    ],
    [
      'load: { concurrency: 2, arrivals: constant }',
      '10:35 load.arrivals: arrivals needs rate, which the load does not have | with concurrency, a request is sent when an earlier one has finished',
    ],
    [
      'stall: 5',
      '10:8 stall: expected a duration such as 250ms, 10s or 1m30s, got 5 | add a unit: 5s or 5ms',
    ],
    ['stall: 0s', '10:8 stall: expected a duration of more than 0 and at most 24h, got "0s"'],
    ['stall: 25h', '10:8 stall: expected a duration of more than 0 and at most 24h, got "25h"'],
    ['keepText: "yes"', '10:11 keepText: expected true or false, got "yes"'],
    ['description: 3', '10:14 description: expected text, got 3 | use quotes to make it text'],
    [
      'modes: []',
      '10:8 modes: expected a list of streaming, non-streaming, with at least one item, got an empty list',
    ],
    ['modes: [streaming, streaming]', '10:20 modes[1]: "streaming" occurs twice'],
    [
      'modes: [streamin]',
      '10:9 modes[0]: expected one of streaming, non-streaming, got "streamin" | did you mean "streaming" or "non-streaming"?',
    ],
    [
      'thresholds: ttft.p95 < 2s',
      '10:13 thresholds: expected a list of expressions such as "ttft.p95 < 2s", got "ttft.p95 < 2s"',
    ],
    [
      'simulator: { profiles: { a: { ttft: 5, gap: 1ms, tokens: 1 } } }',
      '10:37 simulator.profiles.a.ttft: expected a duration such as 250ms, 10s or 1m30s, or a mapping (mean, sd, min, max, shape), got 5 | add a unit: 5s or 5ms',
    ],
    [
      'simulator: { profiles: { a: { ttft: { mean: 5s, min: 3s, max: 2s }, gap: 1ms, tokens: 1 } } }',
      '10:63 simulator.profiles.a.ttft.max: max is less than min',
    ],
  ])('has a remedy: %s', (line, problem) => {
    expect(problems(yaml(line))).toEqual([problem]);
  });
});
