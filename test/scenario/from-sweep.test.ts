import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_FACTS, sweepFacts, sweepOverrides } from '../../src/scenario/from-sweep.ts';
import { load, yaml } from './helpers.ts';

const NONE = NO_FACTS;

describe('the flags of a sweep', () => {
  test('replace the load levels and the thresholds of a scenario', () => {
    const text = yaml(
      'load: { rate: [5, 20], arrivals: constant, requests: 40, rounds: 2, warmup: 2 }\nthresholds: [ttft.p95 < 1s]',
    );
    const overrides = sweepOverrides({ slo: ['ttft.p95 < 800ms'], max: 32, precision: 0.07 }, NONE);
    const { scenario } = load(text, { overrides });
    expect(scenario.thresholds).toEqual([]);
    expect(scenario.load).toMatchObject({
      warmup: 2,
      sweep: { by: 'concurrency', slo: ['ttft.p95 < 800ms'], max: 32, precision: 0.07 },
    });
  });

  test('replace a course of stages and a warm-up of a time', () => {
    const text = yaml('load: { stages: [{ duration: 5s, rate: 3 }], warmup: 5s }');
    const facts = { ...NONE, hasTimedWarmup: true };
    const { load: loaded } = load(text, { overrides: sweepOverrides({ slo: ['a'] }, facts) }).scenario;
    expect(loaded).toMatchObject({ stages: undefined, warmup: 1, sweep: { slo: ['a'] } });
  });

  test('by rate keep how requests follow each other', () => {
    const text = yaml('load: { rate: 5, arrivals: constant, maxConcurrency: 30 }');
    const { load: loaded } = load(text, {
      overrides: sweepOverrides({ slo: ['a'], by: 'rate' }, NONE),
    }).scenario;
    expect(loaded.sweep).toMatchObject({ by: 'rate', arrivals: 'constant', maxConcurrency: 30 });
  });

  test('change single settings of a scenario with a sweep, and keep the rest', () => {
    const text = yaml('load: { sweep: { slo: [a], max: 9 } }\nthresholds: [capacity.concurrency >= 4]');
    const overrides = sweepOverrides({ slo: [], start: 3 }, { ...NONE, hasSweep: true });
    const { scenario } = load(text, { overrides });
    expect(scenario.thresholds).toEqual(['capacity.concurrency >= 4']);
    expect(scenario.load.sweep).toMatchObject({ slo: ['a'], start: 3, max: 9 });
  });

  test('a file says whether it has a sweep, and how many thresholds do not apply', () => {
    const folder = mkdtempSync(join(tmpdir(), 'streambench-'));
    const file = (text: string) => {
      const path = join(folder, 's.yaml');
      writeFileSync(path, text);
      return path;
    };
    expect(sweepFacts(file(yaml('thresholds: [a, b]')))).toEqual({ ...NONE, thresholds: 2 });
    expect(sweepFacts(file(yaml('load: { sweep: {} }\nthresholds: [a]')))).toEqual({
      ...NONE,
      hasSweep: true,
    });
    expect(sweepFacts(file('{ not yaml'))).toEqual(NONE);
    expect(sweepFacts(join(folder, 'missing.yaml'))).toEqual(NONE);
  });
});
