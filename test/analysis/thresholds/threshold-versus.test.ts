import { expect, test } from 'vitest';
import {
  checkThresholds,
  evaluateThresholds,
  parseThreshold,
} from '../../../src/analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import type { ServerReport } from '../../../src/model/load-report.ts';
import type { CellReport } from '../../../src/model/report.ts';
import { manifest, record } from '../../metrics/records.ts';

const MB = 1e6;

/** Cells of two targets; the first token of `gateway` comes `addedMs` later than that of `direct`. */
function cells(addedMs: number): CellReport[] {
  const aggregator = createAggregator(manifest());
  for (const target of ['direct', 'gateway']) {
    const plain = record();
    const { sent, firstToken } = plain.marks;
    const later = target === 'gateway' ? addedMs : 0;
    const marks = { ...plain.marks, sent, firstToken: firstToken! + later };
    aggregator.add({ ...plain, target, marks });
  }
  return aggregator.cells().filter(({ target }) => target === 'direct' || target === 'gateway');
}

const judge = (expression: string, among: readonly CellReport[]) =>
  evaluateThresholds([parseThreshold(expression)], among)[0]!;

const server = (perStream: number | null): ServerReport => ({
  memoryBytes: perStream === null ? null : { before: 80 * MB, max: 100 * MB },
  memoryPerStreamBytes: perStream,
  openFiles: null,
  cpuCores: 0.5,
  readings: perStream === null ? 0 : 4,
  failed: perStream === null ? 4 : 0,
});

test('vs takes the figure of another target away', () => {
  expect(judge('ttft.p50{vs=direct} < 5ms', cells(4))).toMatchObject({
    verdict: 'pass',
    actual: 4,
    cells: { passed: 1, failed: 0, noData: 0 },
    cell: { target: 'gateway' },
    notes: expect.arrayContaining(['difference to direct']),
  });
  expect(judge('ttft.p50{target=gateway, vs=direct} < 5ms', cells(6)).verdict).toBe('fail');
  expect(judge('ttft.p50{vs=direct} < 5ms', cells(-3))).toMatchObject({ verdict: 'pass', actual: -3 });
});

test('vs without a figure to take away is no data', () => {
  const [, gateway] = cells(1);
  expect(judge('ttft.p50{vs=direct} < 5ms', [gateway!]).verdict).toBe('no-data');
  expect(judge('ttft.p50{target=direct, vs=direct} < 5ms', cells(1)).verdict).toBe('no-data');
});

test('a cell without a counterpart is no data, beside one that passes', () => {
  const [direct, gateway] = cells(4);
  const lonely = { ...gateway!, prompt: 'long' };
  expect(judge('ttft.p50{vs=direct} < 5ms', [direct!, gateway!, lonely])).toMatchObject({
    ...{ verdict: 'no-data', actual: 4, cells: { passed: 1, failed: 0, noData: 1 } },
    notes: expect.arrayContaining(['1 cell without a value here or for direct']),
  });
  expect(judge('ttft.p50{vs=direct} < 3ms', [direct!, gateway!, lonely])).toMatchObject({
    ...{ verdict: 'fail', cells: { passed: 0, failed: 1, noData: 1 } },
  });
});

test('vs is one target, and not for words', () => {
  expect(() => parseThreshold('ttft.p95{vs!=direct} < 5ms')).toThrow(/vs takes = and one target/);
  expect(() => parseThreshold('streaming.verdict{vs=direct} == streaming')).toThrow(/a word/);
  const scope = {
    targets: ['direct'],
    prompts: [],
    levels: [{ concurrency: 1 }],
    modes: ['streaming'] as const,
  };
  expect(checkThresholds([parseThreshold('ttft.p95{vs=dirct} < 5ms')], scope)).toMatchObject([
    { message: 'no vs "dirct" in this run (column 13)' },
  ]);
});

test('the memory of a server, a stream', () => {
  const [direct, gateway] = cells(1);
  const known = [
    { ...direct!, server: null },
    { ...gateway!, server: server(0.8 * MB) },
  ];
  expect(judge('server.memory_per_stream < 1MB', known)).toMatchObject({
    verdict: 'pass',
    actual: 800_000,
    unit: 'bytes',
    cells: { passed: 1, failed: 0, noData: 0 },
  });
  expect(judge('server.memory < 99 MB', known).verdict).toBe('fail');
  expect(judge('server.cpu < 1', known).verdict).toBe('pass');
  expect(judge('server.open_files < 100', known).verdict).toBe('no-data');
});

test('a server that could not be read is no data, also beside one that could', () => {
  const [direct, gateway] = cells(1);
  const half = [
    { ...direct!, server: server(null) },
    { ...gateway!, server: server(0.8 * MB) },
  ];
  expect(judge('server.memory_per_stream < 1MB', half)).toMatchObject({
    verdict: 'no-data',
    cells: { passed: 1, noData: 1 },
    notes: expect.arrayContaining(["1 cell whose server's metrics could not be read"]),
  });
});

test('a figure of a server that nobody asks is a mistake before the run', () => {
  const scope = {
    targets: ['direct', 'gateway'],
    prompts: [],
    levels: [{ concurrency: 1 }],
    modes: ['streaming'] as const,
    servers: ['gateway'],
  };
  const check = (text: string) => checkThresholds([parseThreshold(text)], scope);
  expect(check('server.memory < 99MB')).toEqual([]);
  expect(check('server.memory{target=gateway} < 99MB')).toEqual([]);
  expect(check('server.memory{target=direct} < 99MB')[0]?.hint).toMatch(/metricsUrl/);
});
