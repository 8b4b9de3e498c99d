import { failuresOf, findQuantity } from '../../analysis/quantities.ts';
import { normalQuantile } from '../../analysis/statistics/distributions.ts';
import { wilsonInterval } from '../../analysis/statistics/proportions.ts';
import { metric } from '../../metrics/definitions.ts';
import { decodeHistogram } from '../../metrics/histogram.ts';
import type { CellReport, MetricSummary, Report } from '../../model/report.ts';
import { isInvisible, jsonText } from '../../model/visible.ts';

interface Metric {
  value: number;
  lower_value?: number;
  upper_value?: number;
}

/**
 * Bencher Metric Format, for `bencher run --adapter json`: a benchmark for each cell (`flash/short/c4/streaming`) and a
 * measure for each figure, with its 90 % interval. The name of a measure has the unit (`ttft.p95 (ms)`), because the format
 * has no field for it.
 */
export function bmfReport(report: Report): string {
  const benchmarks: Record<string, Record<string, Metric>> = {};
  for (const { cell, name, unit, value, range } of trackedFigures(report)) {
    const measures = benchmarks[cell] ?? {};
    benchmarks[cell] = measures;
    measures[`${name} (${unit})`] = range
      ? { value, lower_value: range.low, upper_value: range.high }
      : { value };
  }
  return `${jsonText(benchmarks, 2)}\n`;
}

/**
 * JSON for github-action-benchmark with `tool: customSmallerIsBetter`. It has only figures of which less is better: time per
 * token instead of tokens per second, and error rates.
 */
export function benchmarkActionReport(report: Report): string {
  const entries = trackedFigures(report)
    .filter(({ better }) => better === 'lower')
    .map(({ cell, name, unit, value, range, n }) => ({
      name: `${cell}/${name}`,
      unit,
      value,
      range: range ? `${range.low} to ${range.high}` : undefined,
      extra: `of ${n} ${n === 1 ? 'value' : 'values'}`,
    }));
  return `${jsonText(entries, 2)}\n`;
}

/** One figure of one cell. */
interface TrackedFigure {
  /** `flash/short/c4/streaming`; a slash inside a name is written `%2F`. */
  cell: string;
  /** As in thresholds: `ttft.p95`. */
  name: string;
  unit: string;
  better: 'lower' | 'higher';
  value: number;
  /** Number of values. */
  n: number;
  /**
   * 90 % interval from the spread within this run (order statistics, or Wilson's interval for rates). It does not cover the
   * spread between runs. Absent with too few values, and for metrics with several values per request.
   */
  range?: { low: number; high: number };
}

// Only a few, because each one is a chart, and possibly an alert, for every cell.
const FIGURES = [
  'ttfb.p50',
  'ttfb.p95',
  'ttft.p50',
  'ttft.p95',
  'ttfa.p50',
  'gap.p95',
  'tpot.p50',
  'token_rate.p50',
  'total.p50',
  'total.p95',
  'throughput.requests',
  'goodput',
  'errors.rate',
] as const;

/** The tracked figures of all cells. A figure that was not measured is omitted, never 0. */
export function trackedFigures({ cells }: Report): TrackedFigure[] {
  return cells.flatMap((cell) => FIGURES.flatMap((name) => figureOf(cell, name)));
}

function figureOf(cell: CellReport, name: string): TrackedFigure[] {
  const [family = '', aggregation] = name.split('.');
  const quantity = findQuantity(family, aggregation);
  const reading = quantity?.read(cell);
  if (!quantity || !reading || typeof reading.value !== 'number') return [];
  const base = { cell: stableName(cell), name, n: reading.n };
  if (name === 'errors.rate') {
    const { failed, requests } = failuresOf(cell);
    const { low, high } = wilsonInterval(failed, requests);
    const range = { low: rounded(low * 100), high: rounded(high * 100) };
    return [{ ...base, unit: '%', better: 'lower', value: rounded(reading.value * 100), range }];
  }
  const value = rounded(reading.value);
  if (quantity.quantile === undefined) return [{ ...base, unit: quantity.unit, better: 'higher', value }];
  const better = metric(family).better === 'higher' ? 'higher' : 'lower';
  const summary = cell.metrics[family]!;
  // The values of one request are not independent; treating them as such would make the interval too narrow.
  const range = summary.n <= (cell.outcomes.ok ?? 0) ? quantileRange(summary, quantity.quantile) : undefined;
  return [{ ...base, unit: quantity.unit, better, value, range }];
}

/** The cell as a path: unique within a run and equal in every run. */
function stableName({ target, prompt, concurrency, rate, stage, mode }: CellReport): string {
  const load = rate === undefined ? `c${concurrency}` : `r${rate}`;
  const stages = stage === undefined ? [] : [part(stage)];
  return [part(target), part(prompt), ...stages, load, mode].join('/');
}

function part(name: string): string {
  return Array.from(name, (char) => {
    if (char !== '%' && char !== '/' && !isInvisible(char)) return char;
    // A lone surrogate has no UTF-8 encoding.
    return /\p{Cs}/u.test(char) ? `%u${char.charCodeAt(0).toString(16)}` : encodeURIComponent(char);
  }).join('');
}

// Times are measured to whole microseconds.
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const LEVEL = 0.9;

/** The 90 % interval of a quantile: order statistics by the binomial distribution of ranks. */
function quantileRange(summary: MetricSummary, quantile: number): TrackedFigure['range'] {
  const { n, samples } = summary;
  const spread = normalQuantile(0.5 + LEVEL / 2) * Math.sqrt(n * quantile * (1 - quantile));
  const low = Math.floor(n * quantile - spread);
  const high = Math.ceil(n * quantile + spread) + 1;
  if (low < 1 || high > n) return undefined;
  if (samples) {
    const sorted = Float64Array.from(samples).sort();
    return { low: rounded(sorted[low - 1]!), high: rounded(sorted[high - 1]!) };
  }
  const histogram = decodeHistogram(summary.histogram, summary.unit);
  const at = (rank: number) => rounded(histogram.percentile(rank / n) ?? summary.max);
  return { low: at(low), high: at(high) };
}
