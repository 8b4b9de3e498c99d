import { describe, expect, test } from 'vitest';
import { serverReport } from '../../src/metrics/load-report.ts';
import type { ServerSummary } from '../../src/model/load-report.ts';

const block = (changes: Partial<ServerSummary> = {}): ServerSummary => ({
  ...{ readings: 2, failed: 0, memoryBytes: 500, openFiles: 7, cpuCores: 0.25 },
  ...changes,
});
const IDLE = { memoryBytes: 100, cpuSeconds: 1, openFiles: 9 };

describe('what a server reported', () => {
  test('is the maximum over all rounds; growth is divided by the streams', () => {
    const blocks = [block(), block({ memoryBytes: 900, failed: 1, cpuCores: 1.5, openFiles: 8 }), block()];
    expect(serverReport(IDLE, blocks, { concurrency: 3 })).toEqual({
      memoryBytes: { before: 100, max: 900 },
      // 800 bytes among 3 streams.
      memoryPerStreamBytes: 267,
      // It never had more than before the run.
      openFiles: { before: 9, max: 9 },
      cpuCores: 1.5,
      readings: 6,
      failed: 1,
    });
  });

  test('is null where it was not read, never 0', () => {
    const none = { memoryBytes: null, openFiles: null, cpuCores: null };
    const nothing = { memoryBytes: null, memoryPerStreamBytes: null, openFiles: null };
    expect(serverReport(null, [block()], { concurrency: 3 })).toMatchObject({ ...nothing, cpuCores: 0.25 });
    expect(serverReport(IDLE, [], { concurrency: 3 })).toEqual({
      ...nothing,
      cpuCores: null,
      readings: 0,
      failed: 0,
    });
    expect(serverReport(IDLE, [block(none)], { concurrency: 3 })).toMatchObject({
      ...nothing,
      cpuCores: null,
    });
    const partly = { ...IDLE, openFiles: null };
    expect(serverReport(partly, [block(none), block()], { concurrency: 1 })).toMatchObject({
      memoryBytes: { before: 100, max: 500 },
      openFiles: null,
      cpuCores: 0.25,
    });
  });

  test('memory is not divided by the streams of an open loop, whose number is unknown', () => {
    expect(serverReport(IDLE, [block()], { concurrency: 3, rate: 5 })).toMatchObject({
      memoryBytes: { before: 100, max: 500 },
      memoryPerStreamBytes: null,
    });
  });

  test('memory that did not grow is 0 a stream', () => {
    const { memoryPerStreamBytes } = serverReport(IDLE, [block({ memoryBytes: 50 })], { concurrency: 3 });
    expect(memoryPerStreamBytes).toBe(0);
  });
});
