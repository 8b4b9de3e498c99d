import { describe, expect, test } from 'vitest';
import { clientReport } from '../../src/metrics/client-report.ts';
import type { LoopLoad } from '../../src/model/load-report.ts';

const figures = { latenessP99Ms: 0.2, newConnectionShare: 0, reads: 10, events: 12 };
const load = (changes: Partial<LoopLoad> = {}): LoopLoad => ({
  ...{ windowMs: 1_000, utilization: 0.1, delayP99Ms: 1, delayMaxMs: 2, gcMs: 10, cpuMs: 200 },
  ...changes,
});

describe('whether the client kept up', () => {
  test.each<[string, LoopLoad, number, string, RegExp]>([
    ['idle', load(), 0.2, 'ok', /10 % of the time/],
    ['busy', load({ utilization: 0.55 }), 0.2, 'strained', /55 %/],
    ['never idle', load({ utilization: 0.71 }), 0.2, 'saturated', /71 %/],
    ['late loop', load({ delayP99Ms: 60 }), 0.2, 'saturated', /60 ms late/],
    ['late requests', load(), 6, 'strained', /sent requests 6\.0 ms late/],
  ])('%s', (_name, one, latenessP99Ms, verdict, reason) => {
    const report = clientReport([[one]], { ...figures, latenessP99Ms })!;
    expect(report.verdict).toBe(verdict);
    expect(report.reason).toMatch(reason);
  });

  test('is about the busiest thread over all rounds, the worst delay, and the CPU of the process counted once', () => {
    const rounds = [
      [load({ utilization: 0.2 }), load({ utilization: 0.6 })],
      [load({ utilization: 0.2, delayP99Ms: 5 }), load({ utilization: 0.2 })],
      // A few milliseconds of work in a window of a few milliseconds say nothing.
      [load({ windowMs: 2, utilization: 1, cpuMs: 2 })],
    ];
    const report = clientReport(rounds, figures)!;
    expect(report.utilization).toBeCloseTo(0.4, 2);
    expect(report).toMatchObject({ verdict: 'ok', delayP99Ms: 5, threads: 2 });
    expect(report.cpuCores).toBeCloseTo(402 / 2002, 6);
  });

  test('is not known without a measured block', () => {
    expect(clientReport([], figures)).toBeNull();
    expect(clientReport([[]], figures)).toBeNull();
  });
});
