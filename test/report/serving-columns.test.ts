import { expect, test } from 'vitest';
import { evaluateThresholds, parseThreshold } from '../../src/analysis/thresholds/thresholds.ts';
import type { ServingReport } from '../../src/model/load-report.ts';
import type { CellReport, MetricSummary } from '../../src/model/report.ts';
import { servingColumns, servingNotes, servingRows } from '../../src/report/serving-columns.ts';

const SERVING: ServingReport = {
  engine: 'vLLM',
  queue: { mean: 1.64, max: 4 },
  running: { mean: 2.5, max: 4 },
  kvCache: { mean: 0.38, max: 0.6 },
  prefixCacheHits: 0.35,
  ttft: {
    n: 24,
    meanMs: 600,
    p50: { value: 563, low: 500, high: 750 },
    p95: { value: 734, low: 500, high: 750 },
    p99: { value: 10_000, low: 10_000, high: null },
  },
};

function cell(serving: ServingReport | undefined, more: Partial<CellReport> = {}): CellReport {
  const server = { memoryBytes: null, memoryPerStreamBytes: null, openFiles: null, cpuCores: null };
  return {
    ...{ target: 'a', prompt: 'p', concurrency: 8, mode: 'streaming', outcomes: { ok: 24 }, failures: [] },
    metrics: { ttft: { unit: 'ms', n: 24, p50: 613, p95: 641 } as MetricSummary },
    server: { ...server, readings: 9, failed: 0, serving },
    ...more,
  } as CellReport;
}

const table = (cells: readonly CellReport[]) => {
  const rows = servingRows(cells);
  return servingColumns(rows).map(({ title, text }) => [title, ...rows.map((row) => text(row, ['p50']))]);
};

test('what the server reports is next to what the client measured', () => {
  expect(table([cell(SERVING)])).toEqual([
    ['streams', '8'],
    ['client TTFT', '613 / 641 ms'],
    ['server TTFT p50', '563 ms (500–750)'],
    ['server TTFT p95', '734 ms (500–750)'],
    ['queue', '1.6 / 4.0'],
    ['running', '2.5 / 4.0'],
    ['KV cache', '38 % / 60 %'],
    ['prefix hits', '35 %'],
  ]);
});

test('columns without a value are left out, and so are cells of other servers', () => {
  const tgi: ServingReport = { ...SERVING, engine: 'TGI', kvCache: null, prefixCacheHits: null, ttft: null };
  const cells = [cell(tgi), cell(undefined, { target: 'b' }), cell(SERVING, { outcomes: { network: 3 } })];
  expect(table(cells).map(([title]) => title)).toEqual(['streams', 'client TTFT', 'queue', 'running']);
  expect(servingNotes(cells)).toEqual([]);
});

test('traffic of other clients is pointed out', () => {
  const notes = servingNotes([cell(SERVING, { outcomes: { ok: 20, dropped: 9 } })]);
  expect(notes).toEqual([
    expect.stringContaining('estimated from the histogram of the server (vLLM)'),
    expect.stringContaining('counted 24 first tokens during a cell in which the client sent 20 requests'),
  ]);
  expect(servingNotes([cell(SERVING)])).toHaveLength(1);
});

test('thresholds apply to the figures of the server, with the error of an estimate', () => {
  const judged = (expression: string) => evaluateThresholds([parseThreshold(expression)], [cell(SERVING)])[0];
  expect(judged('server.queue.max < 4')).toMatchObject({ verdict: 'fail', actual: 4, notes: [] });
  expect(judged('server.kv_cache.max < 80%')).toMatchObject({ verdict: 'pass', actual: 0.6 });
  expect(judged('server.prefix_cache.hits > 30%')).toMatchObject({ verdict: 'pass' });
  expect(judged('server.ttft.p95 < 1s')).toMatchObject({
    verdict: 'pass',
    notes: ['estimated from a histogram: between 500 ms and 750 ms'],
  });
  expect(judged('server.ttft.p99 < 1m')?.notes).toEqual([expect.stringMatching(/above 10(\.0+)? s/)]);
  const none = evaluateThresholds([parseThreshold('server.queue.max < 4')], [cell(undefined)])[0];
  expect(none?.verdict).toBe('no-data');
  expect(() => parseThreshold('server.queue.p99 < 4')).toThrow(/has no figure "queue\.p99"/);
});
