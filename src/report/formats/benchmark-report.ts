import { originInWords } from '../../model/origin.ts';
import { isEndedByClient } from '../../model/record.ts';
import type { CellReport, MetricSummary, Report } from '../../model/report.ts';
import { jsonText } from '../../model/visible.ts';
import { cellName, requestsOf } from '../wording/notes.ts';

/** The version of llm-d's Benchmark Report: `br_v0_2_1_json_schema.json` of llm-d-benchmark. */
const VERSION = '0.2.1';

/**
 * llm-d's Benchmark Report, which describes one load level: one document per cell. JSON, which is also YAML; several cells are a
 * YAML stream with `---` between its documents. What a cell has no values for is absent. `scenario` is left out: its load needs
 * the length of the input in tokens, and its stack the servers' configuration.
 */
export function benchmarkReport(report: Report): string {
  const documents = report.cells.map((cell, index) => jsonText(documentOf(report, cell, index), 2));
  return `${documents.join('\n---\n')}\n`;
}

function documentOf(report: Report, cell: CellReport, index: number): unknown {
  const { run, scenario, origin, environment } = report;
  const { target, prompt, mode, concurrency, rate } = cell;
  const tool = origin === undefined ? `streambench ${environment.streambench}` : originInWords(origin);
  return {
    version: VERSION,
    run: {
      uid: `${run.id}/${index}`,
      eid: run.id,
      time: {
        start: run.startedAt,
        end: run.endedAt,
        duration: run.durationMs === undefined ? undefined : `PT${seconds(run.durationMs)}S`,
      },
      description: `${scenario.name}: ${cellName(cell)}, measured by ${tool}`,
      keywords: [
        'streambench',
        `target=${target}`,
        `prompt=${prompt}`,
        `mode=${mode}`,
        rate === undefined ? `concurrency=${concurrency}` : `rate_qps=${rate}`,
      ],
    },
    results: { request_performance: { aggregate: aggregateOf(cell) } },
  };
}

function aggregateOf(cell: CellReport): unknown {
  const { metrics, outcomes, throughput, coalescedShare } = cell;
  const incomplete = (outcomes.cut ?? 0) + (outcomes.cancelled ?? 0);
  const failures = Object.entries(outcomes).reduce(
    (sum, [kind, count]) => (kind === 'ok' || isEndedByClient(kind) ? sum : sum + count),
    0,
  );
  return {
    requests: {
      total: requestsOf(cell),
      failures,
      incomplete,
      output_length: statistics(metrics.output_tokens, 'count'),
    },
    latency: {
      time_to_first_token: statistics(metrics.ttft, 'ms'),
      time_per_output_token: statistics(metrics.tpot, 'ms/token'),
      // A gap lies between two reads: it is that between two chunks only where no read brought several.
      inter_token_latency: coalescedShare === 0 ? statistics(metrics.gap, 'ms/token') : undefined,
      request_latency: statistics(metrics.total ?? metrics.latency, 'ms'),
    },
    throughput: {
      output_token_rate: rateOf(throughput.tokensPerSecond, 'tokens/s'),
      request_rate: rateOf(throughput.requestsPerSecond, 'queries/s'),
    },
  };
}

/** Undefined without values. */
function statistics(summary: MetricSummary | null | undefined, units: string): unknown {
  if (summary === null || summary === undefined) return undefined;
  const { mean, sd, min, p50, p90, p95, p99, max } = summary;
  return { units, mean, stddev: sd, min, p50, p90, p95, p99, max };
}

function rateOf(mean: number | null, units: string): unknown {
  return mean === null ? undefined : { units, mean };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
