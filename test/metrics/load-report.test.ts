import { describe, expect, test } from 'vitest';
import { clientReport, clientReportOfMachines } from '../../src/metrics/load-report.ts';
import type { ClientVerdict, LoopUtilization, MetricLateness } from '../../src/model/load-report.ts';

const figures = { latenessP99Ms: 0.2, newConnectionShare: 0, reads: 10, events: 12 };
const load = (changes: Partial<LoopUtilization> = {}): LoopUtilization => ({
  ...{ windowMs: 1_000, utilization: 0.1, delayP99Ms: 1, delayMaxMs: 2, gcMs: 10, cpuMs: 200 },
  ...changes,
});

describe('whether the client kept up', () => {
  test.each<[string, LoopUtilization, number, string, RegExp]>([
    ['idle', load(), 0.2, 'ok', /utilization was 10 %/],
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

  test.each<[string, Partial<LoopUtilization>, number, string]>([
    ['half of the time', { utilization: 0.5 }, 0, 'strained'],
    ['just under half of it', { utilization: 0.4999 }, 0, 'ok'],
    ['70 % of it', { utilization: 0.7 }, 0, 'saturated'],
    ['a loop 10 ms late', { delayP99Ms: 10 }, 0, 'strained'],
    ['a loop 50 ms late', { delayP99Ms: 50 }, 0, 'saturated'],
    ['requests 5 ms late', {}, 5, 'strained'],
    ['requests 50 ms late', {}, 50, 'saturated'],
  ])('a limit is reached at its value: %s', (_name, changes, latenessP99Ms, verdict) => {
    expect(clientReport([[load(changes)]], { ...figures, latenessP99Ms })!.verdict).toBe(verdict);
  });

  test('reasons are joined, and requests without a lateness are no reason', () => {
    const one = load({ utilization: 0.6, delayP99Ms: 12 });
    expect(clientReport([[one]], { ...figures, latenessP99Ms: null })!.reason).toBe(
      'its event loop utilization was 60 %; its event loop was 12 ms late (p99)',
    );
  });

  test('reports the longest delay, the worst share of garbage collection, and the CPU time', () => {
    const rounds = [
      [load({ delayMaxMs: 3, gcMs: 10 }), load({ delayMaxMs: 90, gcMs: 250 })],
      // A block without a measured thread, and one without a window.
      [],
      [load({ windowMs: 0, gcMs: 5, cpuMs: 0 })],
    ];
    expect(clientReport(rounds, figures)).toMatchObject({ delayMaxMs: 90, gcShare: 0.25, cpuCores: 0.2 });
    expect(clientReport([[load({ windowMs: 0 })]], figures)).toMatchObject({
      ...{ utilization: 0, gcShare: 0, cpuCores: 0, verdict: 'ok' },
    });
  });

  describe('for the figures', () => {
    const late = (lateMs: number, verdict: ClientVerdict) => ({
      verdict,
      lateMs,
      limitMs: 3,
      utilization: 1,
    });
    const reportOf = (metrics: Record<string, MetricLateness>, one = load()) =>
      clientReport([[one]], figures, metrics)!;

    test('names the latest first, and how late it was', () => {
      const report = reportOf({
        ttfb: late(1, 'ok'),
        ttft: late(4, 'strained'),
        total: late(12.34, 'saturated'),
      });
      expect(report.verdict).toBe('saturated');
      expect(report.reason).toBe('it took the stamps of total, ttft up to 12 ms late (p99)');
    });

    test('up to four are named', () => {
      expect(reportOf({ ttft: late(4, 'strained') }).reason).toBe(
        'it took the stamps of ttft up to 4.0 ms late (p99)',
      );
      const four = { a: late(9, 'strained'), b: late(8, 'strained'), c: late(7, 'strained') };
      expect(reportOf({ ...four, d: late(6, 'strained') }).reason).toContain(
        'the stamps of a, b, c, d up to',
      );
      expect(reportOf({ ...four, d: late(6, 'strained'), e: late(5, 'strained') }).reason).toContain(
        'the stamps of a, b, c, d and 1 more up to',
      );
    });

    test('decide about strained: a busy or late loop that harmed no figure is ok', () => {
      const busy = load({ utilization: 0.6, delayP99Ms: 60 });
      expect(reportOf({ ttft: late(0.4, 'ok') }, busy).verdict).toBe('ok');
      // Of older runs only the load as a whole is known.
      expect(reportOf({}, busy).verdict).toBe('saturated');
      // Close to its limit a client underestimates its lateness.
      expect(reportOf({ ttft: late(0.4, 'ok') }, load({ utilization: 0.75 })).verdict).toBe('saturated');
    });

    test('requests sent late count if they are late for the time to first token', () => {
      const sentLate = (latenessP99Ms: number, ttftMs: number) =>
        clientReport([[load()]], { ...figures, latenessP99Ms, ttftMs }, { ttft: late(0.1, 'ok') })!.verdict;
      expect([sentLate(6, 30), sentLate(6, 300), sentLate(60, 300), sentLate(100, 300)]).toEqual([
        ...['strained', 'ok', 'strained', 'saturated'],
      ]);
    });

    test('a client with its own reason keeps it, and the worse verdict', () => {
      const report = reportOf({ ttft: late(4, 'strained') }, load({ utilization: 0.8 }));
      expect(report.verdict).toBe('saturated');
      expect(report.reason).toBe(
        'its event loop utilization was 80 %; it took the stamps of ttft up to 4.0 ms late (p99)',
      );
    });
  });

  test('is null without a measured block', () => {
    expect(clientReport([], figures)).toBeNull();
    expect(clientReport([[]], figures)).toBeNull();
  });
});

describe('whether the clients of several machines kept up', () => {
  test('is whether each did: an average would hide one that did not', () => {
    const machines = new Map([
      [1, [[load({ utilization: 0.1 })], [load({ utilization: 0.1 })]]],
      [2, [[load({ utilization: 0.9 })], [load({ utilization: 0.9 }), load()]]],
      [3, [[load({ utilization: 0.2, delayP99Ms: 12 })]]],
    ]);
    expect(clientReportOfMachines(machines, figures)).toMatchObject({
      ...{ verdict: 'saturated', utilization: 0.9, threads: 4 },
      reason: 'shard 2: its event loop utilization was 90 %',
    });
  });

  test('is not known where none was measured', () => {
    expect(clientReportOfMachines(new Map([[1, []]]), figures)).toBeNull();
  });
});
