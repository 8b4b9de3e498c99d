import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TOOL_DEFINITIONS } from '../../src/analysis/other-tools/definitions.ts';
import { createToolFold } from '../../src/analysis/other-tools/fold.ts';
import { weightedFigures } from '../../src/analysis/other-tools/weighted-figures.ts';
import { importFiles } from '../../src/imports/import-files.ts';
import { metric } from '../../src/metrics/definitions.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { ViewToolName } from '../../src/model/tool-names.ts';
import { roundRecord } from '../../src/results/round-record.ts';
import { manifest } from '../metrics/records.ts';
import { importFile } from './fixtures.ts';

// The witness is each tool's own summary of the run that its file holds.

async function imported(folder: string) {
  const { run } = await importFiles(importFile(folder));
  const records = run.records.map(
    (record, seq): RequestRecord => roundRecord({ schema: 'streambench/record@1', seq, ...record }),
  );
  return { run, records };
}

async function viewOf(folder: string, tool: ViewToolName) {
  const { run, records } = await imported(folder);
  const base = manifest({ cells: run.cells, origin: { ...run.origin, files: [] } });
  const whole = { ...base, run: { ...base.run, durationMs: run.durationMs } };
  const fold = createToolFold(TOOL_DEFINITIONS[tool], whole);
  for (const record of records) fold.add(record);
  const [cell] = fold.view(whole).cells;
  if (cell === undefined) throw new Error('no cell');
  const of = (label: string) => cell.distributions.find((one) => one.label === label)?.figures;
  const figure = (label: string) => cell.figures.find((one) => one.label === label)?.value;
  return { of, figure };
}

const json = (...path: string[]) => JSON.parse(readFileSync(importFile(...path), 'utf8'));

/** Equal within a microsecond, to which records are rounded. */
const near = (actual: number | undefined, printed: number) =>
  expect(Math.abs((actual ?? Number.NaN) - printed), `${actual} and ${printed}`).toBeLessThan(0.0011);

describe.each(['vllm', 'vllm-bench'])('%s prints what --as vllm prints of the imported run', (folder) => {
  test('in its result file', async () => {
    const printed = json(folder, 'result.json');
    const { of, figure } = await viewOf(folder, 'vllm');
    for (const label of ['TTFT', 'TPOT', 'ITL', 'E2EL']) {
      const name = label.toLowerCase();
      near(of(label)?.mean, printed[`mean_${name}_ms`]);
      near(of(label)?.p50, printed[`median_${name}_ms`]);
      near(of(label)?.p99, printed[`p99_${name}_ms`]);
    }
    expect(figure('Successful requests')).toBe(printed.completed);
    expect(figure('Failed requests')).toBe(printed.failed);
    near(figure('Request throughput') ?? undefined, printed.request_throughput);
    near(figure('Output token throughput') ?? undefined, printed.output_throughput);
  });

  test('on its terminal, to two decimals', async () => {
    const text = readFileSync(importFile(folder, 'printed.txt'), 'utf8');
    const { of } = await viewOf(folder, 'vllm');
    const lines = [...text.matchAll(/^(Mean|Median|P99) (TTFT|TPOT|ITL|E2EL) \(ms\): +([\d.]+)/gm)];
    expect(lines).toHaveLength(12);
    for (const [, statistic = '', label = '', value] of lines) {
      const name = ({ Mean: 'mean', Median: 'p50', P99: 'p99' } as const)[statistic];
      expect(Math.abs((of(label)?.[name!] ?? Number.NaN) - Number(value))).toBeLessThan(0.0062);
    }
  });
});

test('AIPerf prints what --as aiperf prints of the imported run', async () => {
  const printed = json('aiperf', 'profile_export_aiperf.json');
  const { of, figure } = await viewOf('aiperf', 'aiperf');
  for (const [label, name] of Object.entries({
    'Time to First Token': 'time_to_first_token',
    'Time to Second Token': 'time_to_second_token',
    'Request Latency': 'request_latency',
    'Inter Token Latency': 'inter_token_latency',
    'Inter Chunk Latency': 'inter_chunk_latency',
    'Output Sequence Length': 'output_sequence_length',
  })) {
    near(of(label)?.mean, printed[name].avg);
    near(of(label)?.p50, printed[name].p50);
    near(of(label)?.p90, printed[name].p90);
    near(of(label)?.p99, printed[name].p99);
    expect(of(label)?.n).toBe(printed[name].count);
  }
  near(figure('Request Throughput') ?? undefined, printed.request_throughput.avg);
  near(figure('Output Token Throughput') ?? undefined, printed.output_token_throughput.avg);
  expect(figure('Error Request Count')).toBe(printed.error_request_count.avg);
});

test('guidellm prints what --as guidellm prints of the imported run', async () => {
  const { metrics } = json('guidellm', 'result.json').benchmarks[0];
  const { of, figure } = await viewOf('guidellm', 'guidellm');
  for (const [label, [name, scale]] of Object.entries({
    TTFT: ['time_to_first_token_ms', 1],
    ITL: ['inter_token_latency_ms', 1],
    TPOT: ['time_per_output_token_ms', 1],
    'Request Latency': ['request_latency', 1000],
  } as const)) {
    const { mean, percentiles } = metrics[name].successful;
    near(of(label)?.mean, mean * scale);
    near(of(label)?.p50, percentiles.p50 * scale);
    near(of(label)?.p90, percentiles.p90 * scale);
    near(of(label)?.p99, percentiles.p99 * scale);
  }
  near(figure('Requests Per Sec') ?? undefined, metrics.requests_per_second.successful.mean);
  near(figure('Output Tokens Per Sec') ?? undefined, metrics.output_tokens_per_second.successful.mean);
  expect(figure('Requests Err')).toBe(2);
});

/** Our own metric over the successful records, with the tool's percentiles. */
const ours = (records: readonly RequestRecord[], name: string) =>
  weightedFigures(
    records
      .filter(({ outcome }) => outcome.kind === 'ok')
      .flatMap((record) => metric(name).values(record, { stallMs: 1000 }) ?? [])
      .map((value) => ({ value, weight: 1 })),
    'linear',
  );

test('inference-perf prints what our metrics say about the imported run', async () => {
  const { latency } = json('inference-perf', 'summary_lifecycle_metrics.json').successes;
  const { records } = await imported('inference-perf');
  for (const [name, theirs] of Object.entries({
    ttft: 'time_to_first_token',
    gap: 'inter_token_latency',
    tpot: 'time_per_output_token',
    total: 'request_latency',
  })) {
    const figures = ours(records, name);
    near(figures?.mean, latency[theirs].mean * 1000);
    near(figures?.p50, latency[theirs].median * 1000);
    near(figures?.p99, latency[theirs].p99 * 1000);
  }
});

test('genai-bench prints what our metrics say about the imported run', async () => {
  const { stats } = json(
    'genai-bench',
    'D10_20_text-to-text_num_concurrency_4_time_1s.json',
  ).aggregated_metrics;
  const { records } = await imported('genai-bench');
  for (const [name, theirs] of Object.entries({ ttft: 'ttft', total: 'e2e_latency' })) {
    const figures = ours(records, name);
    near(figures?.mean, stats[theirs].mean * 1000);
    near(figures?.p50, stats[theirs].p50 * 1000);
    near(figures?.p99, stats[theirs].p99 * 1000);
  }
});
