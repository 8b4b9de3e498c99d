import { describe, expect, test } from 'vitest';
import { parseChecks } from '../../../src/analysis/regression/checks.ts';
import { historyMetrics, summarizeRun } from '../../../src/analysis/regression/summarize.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { manifest, record } from '../../metrics/records.ts';
import { collectSamples, records, request, runOf } from '../runs.ts';

const figuresOf = (list: readonly RequestRecord[]) => summarizeRun(runOf(list)).cells[0]!.figures;

describe('the summary of a run', () => {
  test('has the median and the mean of its records, computed by hand', () => {
    const list = Array.from({ length: 41 }, (_, index) => request(80 + index, 400, { round: index % 5 }));
    const figures = figuresOf(list);
    expect(figures['ttft.p50']).toMatchObject({ value: 100, n: 41, censored: 0, drawn: 'rounds' });
    expect(figures['ttft.mean']!.value).toBeCloseTo(100, 3);
    expect(figures['total.p50']!.value).toBe(500);
    // Too few values for a tail.
    expect(figures['ttft.p95']).toBeUndefined();
  });

  test('counts failed requests in percentiles and leaves them out of means', () => {
    const list = [
      ...Array.from({ length: 30 }, () => request(100, 400)),
      ...Array.from({ length: 10 }, () => record({ outcome: { kind: 'truncated' } })),
    ];
    const summary = summarizeRun(runOf(list)).cells[0]!;
    expect([summary.requests, summary.failed]).toEqual([40, 10]);
    expect(summary.figures['ttft.p50']).toMatchObject({ value: 100, n: 40, censored: 10, drawn: 'requests' });
    expect(summary.figures['ttft.mean']).toMatchObject({ value: 100, n: 30, censored: 0 });
    // A rate whose requests fail is 0, which is no token rate of 0.
    expect(summary.figures['token_rate.p50']!.value).toBeGreaterThan(0);
  });

  test('has no value where most requests failed', () => {
    const list = [
      ...Array.from({ length: 10 }, () => request(100, 400)),
      ...Array.from({ length: 30 }, () => record({ outcome: { kind: 'truncated' } })),
    ];
    const figures = figuresOf(list);
    for (const name of ['ttft.p50', 'token_rate.p50'])
      expect(figures[name]).toMatchObject({ value: null, logVariance: null, n: 40, censored: 30 });
  });

  test('knows the variance of a median: sigma² pi / 2 n', () => {
    const [sigma, n] = [0.3, 400];
    const variances = Array.from({ length: 20 }, (_, seed) => {
      const list = records(createRandom(seed + 1), 5, n / 5, { ttftMs: 100, sigma, outliers: 0 });
      return figuresOf(list)['ttft.p50']!.logVariance!;
    });
    const mean = variances.reduce((sum, value) => sum + value, 0) / variances.length;
    const expected = (sigma ** 2 * Math.PI) / (2 * n);
    expect(mean / expected).toBeGreaterThan(0.8);
    // The larger of two estimates.
    expect(mean / expected).toBeLessThan(2);
  });

  test('contains drift between rounds', () => {
    const calm = records(createRandom(1), 6, 40, { ttftMs: 100, outliers: 0 }, {}, [1, 1, 1, 1, 1, 1]);
    const restless = records(
      createRandom(1),
      6,
      40,
      { ttftMs: 100, outliers: 0 },
      {},
      [1, 1.4, 0.7, 1, 1.3, 0.8],
    );
    expect(
      figuresOf(restless)['ttft.p50']!.logVariance! / figuresOf(calm)['ttft.p50']!.logVariance!,
    ).toBeGreaterThan(3);
  });

  test('counts requests that reasoned', () => {
    const list = [record(), record({ chars: { answer: 5, thinking: 9 } })];
    expect(summarizeRun(runOf(list)).cells[0]!.reasoned).toBe(1);
  });

  test('has the figures of the checks besides', () => {
    const checks = parseChecks(['connect.p75']);
    const list = Array.from({ length: 50 }, () => record());
    const samples = collectSamples(manifest({ cells: [] }), list, historyMetrics(checks));
    expect(summarizeRun(samples, { checks }).cells[0]!.figures['connect.p75']).toMatchObject({
      value: 15,
      n: 50,
    });
  });

  test('is the same for the same records', () => {
    const list = records(createRandom(3), 5, 20, { ttftMs: 100 });
    expect(summarizeRun(runOf(list))).toEqual(summarizeRun(runOf(list)));
  });
});
