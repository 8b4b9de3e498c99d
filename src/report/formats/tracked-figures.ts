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
 * Bencher Metric Format, for `bencher run --adapter json`: a benchmark for each cell (`flash/short/c4/streaming`), a
 * measure for each figure (`ttft.p95 (ms)`: the format has no other place for the unit), with its 90 % interval.
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
 * JSON for github-action-benchmark with `tool: customSmallerIsBetter`. As the name says, only figures of which less is
 * better: instead of tokens a second it has the time per token, and the shares of requests that failed.
 */
export function benchmarkActionReport(report: Report): string {
  const entries = trackedFigures(report)
    .filter(({ better }) => better === 'lower')
    .map(({ cell, name, unit, value, range, n }) => ({
      name: `${cell}/${name}`,
      unit,
      value,
      ...(range ? { range: `${range.low} to ${range.high}` } : {}),
      extra: `of ${n} ${n === 1 ? 'value' : 'values'}`,
    }));
  return `${jsonText(entries, 2)}\n`;
}

/** The figures of a run that are worth following from commit to commit, under names that stay the same. */

/** One figure of one cell. */
interface TrackedFigure {
  /** `flash/short/c4/streaming`; a slash inside a name is written `%2F`. */
  cell: string;
  /** As thresholds call it: `ttft.p95`. */
  name: string;
  unit: string;
  better: 'lower' | 'higher';
  value: number;
  /** The values it comes from. */
  n: number;
  /**
   * 90 % interval from the spread inside this run, by order statistics or Wilson's; how much runs differ from each
   * other is not in it. Absent where there are too few values, and where requests have several.
   */
  range?: { low: number; high: number };
}

// Few on purpose: each is a chart for each cell, and an alert that someone will have to answer.
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

/** The figures of all cells that have them: one that was not measured is left out, never 0. */
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
  // Several values of one request go together; taking them for independent would make the interval far too narrow.
  const range = summary.n <= (cell.outcomes.ok ?? 0) ? quantileRange(summary, quantity.quantile) : undefined;
  return [{ ...base, unit: quantity.unit, better, value, ...(range ? { range } : {}) }];
}

/** The cell as a path. The same cell has the same name in every run, and no two cells share one. */
function stableName({ target, prompt, concurrency, rate, mode }: CellReport): string {
  return [part(target), part(prompt), rate === undefined ? `c${concurrency}` : `r${rate}`, mode].join('/');
}

function part(name: string): string {
  return Array.from(name, (char) => {
    if (char !== '%' && char !== '/' && !isInvisible(char)) return char;
    // Half of a surrogate pair has no UTF-8.
    return /\p{Cs}/u.test(char) ? `%u${char.charCodeAt(0).toString(16)}` : encodeURIComponent(char);
  }).join('');
}

// Microseconds of milliseconds: below that, nothing is measured.
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const LEVEL = 0.9;

/** The values between which the quantile lies: ranks around its own, as wide as chance makes them (binomial). */
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
