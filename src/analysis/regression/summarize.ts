import { METRICS } from '../../metrics/definitions.ts';
import {
  ACCEPTED_RUN_SCHEMA,
  type AcceptedCell,
  type AcceptedFigure,
  type AcceptedRun,
} from '../../model/accepted-run.ts';
import { cellKey } from '../../model/cells.ts';
import type { CellReport } from '../../model/report.ts';
import type { CellSamples, RunSamples } from '../comparison/samples.ts';
import { quantileOf } from '../quantities.ts';
import { bootstrapValue } from '../statistics/bootstrap.ts';
import { enoughFor } from '../statistics/significance.ts';
import type { GateCheck } from './checks.ts';

/** From the samples of a run to what the history of a baseline keeps of it. */

const STATISTICS = ['p50', 'p90', 'p95', 'p99', 'mean'];
const METRICS_KEPT = new Set([
  ...['ttfb', 'ttft', 'ttfa', 'ttst', 'gap', 'tpot', 'chunk_rate', 'token_rate', 'latency', 'total'],
  ...['reader_wait', 'longest_gap', 'ttft_scheduled', 'ttfa_scheduled', 'total_scheduled'],
]);

/** The metrics to sample for a history, with those that `checks` need besides. */
export function historyMetrics(checks: readonly GateCheck[] = []): string[] {
  const kept = METRICS.filter(({ name }) => METRICS_KEPT.has(name)).map(({ name }) => name);
  return [...new Set([...kept, ...checks.flatMap(({ metric }) => metric ?? [])])];
}

/**
 * Summarizes a run whose samples have `historyMetrics(checks)`. `reports`: its cells as reported, which have the goodput. The
 * same run gives the same summary.
 */
export function summarizeRun(
  { manifest, cells }: RunSamples,
  { reports = [], checks = [] }: { reports?: readonly CellReport[]; checks?: readonly GateCheck[] } = {},
): AcceptedRun {
  const { schema, run, environment, scenario, stallMs, origin } = manifest;
  const goodput = new Map(reports.map((cell) => [cellKey(cell), cell.goodput]));
  return {
    schema: ACCEPTED_RUN_SCHEMA,
    manifest: { schema, run, environment, scenario, stallMs, origin },
    cells: Array.from(cells, ([key, samples]) => summarizeCell(samples, checks, goodput.get(key))),
  };
}

function summarizeCell(
  samples: CellSamples,
  checks: readonly GateCheck[],
  goodput: CellReport['goodput'],
): AcceptedCell {
  const figures: Record<string, AcceptedFigure> = {};
  for (const metric of historyMetrics(checks)) {
    const own = checks.flatMap((check) => (check.metric === metric && check.statistic) || []);
    for (const statistic of new Set([...STATISTICS, ...own])) {
      const figure = figureOf(samples, metric, statistic);
      if (figure !== null) figures[`${metric}.${statistic}`] = figure;
    }
  }
  const { cell, requests, failed, reasoned } = samples;
  const met =
    goodput == null ? undefined : { met: goodput.met, requestsPerSecond: goodput.requestsPerSecond };
  return { ...cell, requests, failed, reasoned, goodput: met, figures };
}

/** Null without a value, and for a high percentile of too few values. */
function figureOf(samples: CellSamples, metric: string, statistic: string): AcceptedFigure | null {
  const quantile = quantileOf(statistic);
  const isMean = quantile === undefined;
  const counted = samples.count(metric);
  const n = isMean ? counted.n - counted.censored : counted.n;
  const [censored, few] = [isMean ? 0 : counted.censored, quantile !== undefined && n < enoughFor(quantile)];
  if (n === 0 || (few && statistic !== 'p50')) return null;
  const found = bootstrapValue(
    samples.rounds(metric, { failures: !isMean }),
    isMean ? 'mean' : { quantile },
    { seed: 1, dependent: metric === 'gap' },
  );
  if (found === null) return null;
  const { value, logVariance, drawn } = found;
  // A rate whose requests failed is 0, a time infinite: neither has a logarithm.
  const reached = !Number.isFinite(value) || (value === 0 && censored > 0);
  return {
    value: reached ? null : short(value),
    logVariance: reached ? null : short(Number.isFinite(logVariance) ? logVariance : 0),
    n,
    censored,
    drawn,
  };
}

/** To six digits, which is more than any figure is known to. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
