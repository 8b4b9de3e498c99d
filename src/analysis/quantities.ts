import { METRICS } from '../metrics/definitions.ts';
import { decodeHistogram } from '../metrics/histogram.ts';
import { percentileOf } from '../metrics/percentile.ts';
import { formatValue, type Unit } from '../model/format.ts';
import type { ServerReport } from '../model/load-report.ts';
import { isEndedByClient, type Mode } from '../model/record.ts';
import type { CellReport, MetricSummary } from '../model/report.ts';
import { nameOfVerdict, VERDICT_KINDS } from './streaming/streaming-verdict.ts';

/**
 * Everything that a threshold can limit: every metric under each of its aggregations, and the figures of a whole cell. The
 * parser of thresholds, its hints and the evaluation read this table.
 */

/** The unit of a quantity; a `verdict` is a word. */
export type QuantityUnit = Unit | 'verdict';

/** The value of a quantity in a cell, from `n` requests or readings. Null where it was not measured. */
export type Reading = { value: number | string; n: number } | null;

/** A quantity that can have a limit. */
export interface Quantity {
  /** As written in a threshold: `ttft.p95`, `errors.rate`, `goodput`. */
  readonly name: string;
  /** The name before the dot. */
  readonly family: string;
  readonly unit: QuantityUnit;
  /** The modes in which it is measured. */
  readonly modes: readonly Mode[];
  /** True where a threshold without a mode label applies to all modes, not only to streaming. */
  readonly everyMode: boolean;
  /** True where it needs objectives. */
  readonly ofObjectives?: boolean;
  /** For percentiles: 0 to 1. */
  readonly quantile?: number;
  /** The possible words of a verdict. */
  readonly words?: readonly string[];
  /** True where it needs server metrics. */
  readonly ofServer?: boolean;
  /** Limited to the requests of this side of a server's cache. */
  readonly cacheGroup?: string;
  /** Limited to this turn of sessions. */
  readonly turn?: number;
  /** What a reader of the cell's value has to know. */
  note?(cell: CellReport): string | undefined;
  /** True for the result of a sweep, which no cell has. */
  readonly ofSweep?: boolean;
  read(cell: CellReport): Reading;
}

/** The aggregations of a metric; any other percentile (`p75`, `p99.9`) works too. */
const AGGREGATIONS = ['p50', 'p90', 'p95', 'p99', 'mean', 'min', 'max', 'sd', 'n'] as const;

const BOTH: readonly Mode[] = ['streaming', 'non-streaming'];
const STREAMING: readonly Mode[] = ['streaming'];

/** Failed requests and all requests of a cell, without those that the client ended. */
export function failuresOf({ outcomes }: Pick<CellReport, 'outcomes'>): { failed: number; requests: number } {
  let requests = 0;
  for (const [kind, count] of Object.entries(outcomes)) if (!isEndedByClient(kind)) requests += count;
  return { failed: requests - (outcomes.ok ?? 0), requests };
}

/** {@link failuresOf} of several cells together. */
export function failuresOfAll(cells: readonly Pick<CellReport, 'outcomes'>[]): {
  failed: number;
  requests: number;
} {
  let failed = 0;
  let requests = 0;
  for (const cell of cells) {
    const counts = failuresOf(cell);
    failed += counts.failed;
    requests += counts.requests;
  }
  return { failed, requests };
}

type Special = Pick<Quantity, 'unit' | 'read'> & Partial<Quantity>;

const SPECIALS: Readonly<Record<string, Special>> = {
  'errors.rate': {
    unit: 'ratio',
    everyMode: true,
    read(cell) {
      const { failed, requests } = failuresOf(cell);
      return requests === 0 ? null : { value: failed / requests, n: requests };
    },
  },
  'errors.count': {
    unit: 'count',
    everyMode: true,
    read(cell) {
      const { failed, requests } = failuresOf(cell);
      return requests === 0 ? null : { value: failed, n: requests };
    },
  },
  'stalls.rate': { unit: 'ratio', modes: STREAMING, read: ({ metrics }) => shareAtLeastOne(metrics.stalls) },
  'streaming.verdict': {
    unit: 'verdict',
    modes: STREAMING,
    words: VERDICT_KINDS,
    read({ streaming }) {
      const n = judged(streaming?.counts);
      return streaming && n > 0 ? { value: nameOfVerdict(streaming.verdict), n } : null;
    },
  },
  'streaming.share': {
    unit: 'ratio',
    modes: STREAMING,
    read({ streaming }) {
      const n = judged(streaming?.counts) - undecided(streaming?.counts);
      return n > 0 ? { value: (streaming?.counts.streaming ?? 0) / n, n } : null;
    },
  },
  'throughput.requests': {
    unit: '1/s',
    read: (cell) => known(cell.throughput.requestsPerSecond, cell.outcomes.ok ?? 0),
  },
  'throughput.tokens': {
    unit: '1/s',
    read: (cell) => known(cell.throughput.tokensPerSecond, cell.outcomes.ok ?? 0),
  },
  'server.memory': ofServer('bytes', ({ memoryBytes }) => memoryBytes?.max),
  'server.memory_per_stream': ofServer('bytes', ({ memoryPerStreamBytes }) => memoryPerStreamBytes),
  'server.open_files': ofServer('count', ({ openFiles }) => openFiles?.max),
  'server.cpu': ofServer('count', ({ cpuCores }) => cpuCores),
  'server.queue.mean': ofServer('count', ({ serving }) => serving?.queue?.mean),
  'server.queue.max': ofServer('count', ({ serving }) => serving?.queue?.max),
  'server.running.mean': ofServer('count', ({ serving }) => serving?.running?.mean),
  'server.running.max': ofServer('count', ({ serving }) => serving?.running?.max),
  'server.kv_cache.mean': ofServer('ratio', ({ serving }) => serving?.kvCache?.mean),
  'server.kv_cache.max': ofServer('ratio', ({ serving }) => serving?.kvCache?.max),
  'server.prefix_cache.hits': ofServer('ratio', ({ serving }) => serving?.prefixCacheHits),
  'server.ttft.mean': ofServer('ms', ({ serving }) => serving?.ttft?.meanMs),
  'server.ttft.p50': ofServerTtft('p50'),
  'server.ttft.p95': ofServerTtft('p95'),
  'server.ttft.p99': ofServerTtft('p99'),
  'capacity.concurrency': { unit: 'count', everyMode: true, ofSweep: true, read: () => null },
  'capacity.rate': { unit: '1/s', everyMode: true, ofSweep: true, read: () => null },
  goodput: {
    unit: '1/s',
    ofObjectives: true,
    read: ({ goodput }) => (goodput ? { value: goodput.requestsPerSecond, n: goodput.requests } : null),
  },
  'goodput.rate': {
    unit: 'ratio',
    ofObjectives: true,
    read: ({ goodput }) => (goodput ? { value: goodput.share, n: goodput.requests } : null),
  },
};

function ofServer(unit: Unit, of: (server: ServerReport) => number | null | undefined): Special {
  return {
    unit,
    everyMode: true,
    ofServer: true,
    read({ server, outcomes }) {
      const value = server ? of(server) : null;
      return server == null || value == null || !outcomes.ok ? null : { value, n: server.readings };
    },
  };
}

// The limit may be inside the bucket that holds the percentile: the value alone would look exact.
function ofServerTtft(percentile: 'p50' | 'p95' | 'p99'): Special {
  const estimateOf = (server: ServerReport) => server.serving?.ttft?.[percentile];
  return {
    ...ofServer('ms', (server) => estimateOf(server)?.value),
    note({ server }) {
      const estimate = server ? estimateOf(server) : undefined;
      if (estimate === undefined) return undefined;
      const { low, high } = estimate;
      return high === null
        ? `estimated from a histogram: above ${formatValue(low, 'ms')}`
        : `estimated from a histogram: between ${formatValue(low, 'ms')} and ${formatValue(high, 'ms')}`;
    },
  };
}

/** All families: metrics first. */
export const FAMILIES: readonly string[] = [
  ...new Set([
    ...METRICS.map(({ name }) => name),
    ...Object.keys(SPECIALS).map((name) => name.replace(/\..*/, '')),
  ]),
];

/** The aggregations of a family; empty for one without any. */
export function aggregationsOf(family: string): string[] {
  const metric = METRICS.some(({ name }) => name === family);
  const special = Object.keys(SPECIALS)
    .filter((name) => name.startsWith(`${family}.`))
    .map((name) => name.slice(family.length + 1));
  return [...special, ...(metric ? AGGREGATIONS : [])];
}

/** The quantity of that name; undefined where it does not exist. */
export function findQuantity(family: string, aggregation: string | undefined): Quantity | undefined {
  const name = aggregation === undefined ? family : `${family}.${aggregation}`;
  const special = Object.hasOwn(SPECIALS, name) ? SPECIALS[name] : undefined;
  if (special) return { name, family, modes: BOTH, everyMode: false, ...special };
  const metric = METRICS.find((known) => known.name === family);
  if (!metric || aggregation === undefined) return undefined;
  const base = { name, family, modes: metric.modes ?? BOTH, everyMode: false };
  const quantile = quantileOf(aggregation);
  if (quantile !== undefined) {
    return {
      ...base,
      unit: metric.unit,
      quantile,
      read: ({ metrics }) => summarized(metrics[family], (summary) => quantileIn(summary, quantile)),
    };
  }
  if (aggregation === 'n') {
    return { ...base, unit: 'count', read: ({ metrics }) => summarized(metrics[family], ({ n }) => n) };
  }
  if (!isPlain(aggregation)) return undefined;
  return {
    ...base,
    unit: metric.unit,
    read: ({ metrics }) => summarized(metrics[family], (summary) => summary[aggregation]),
  };
}

function isPlain(name: string): name is 'mean' | 'min' | 'max' | 'sd' {
  return name === 'mean' || name === 'min' || name === 'max' || name === 'sd';
}

/** 0.95 for `p95`, 0.999 for `p99.9`; undefined for anything but a percentile between 0 and 100, both excluded. */
export function quantileOf(aggregation: string): number | undefined {
  const percent = /^p(\d{1,2}(?:\.\d+)?)$/.exec(aggregation)?.[1];
  return percent === undefined || Number(percent) === 0 ? undefined : Number(percent) / 100;
}

function quantileIn(summary: MetricSummary, quantile: number): number {
  const column = `p${+(quantile * 100).toFixed(6)}`;
  if (column === 'p50' || column === 'p90' || column === 'p95' || column === 'p99') return summary[column];
  if (summary.samples) return percentileOf(Float64Array.from(summary.samples).sort(), quantile);
  const found = decodeHistogram(summary.histogram, summary.unit).percentile(quantile) ?? summary.max;
  return Math.min(summary.max, Math.max(summary.min, found));
}

function summarized(
  summary: MetricSummary | null | undefined,
  take: (summary: MetricSummary) => number,
): Reading {
  return summary && summary.n > 0 ? { value: take(summary), n: summary.n } : null;
}

/** The share of requests with a count of 1 or more. */
function shareAtLeastOne(summary: MetricSummary | null | undefined): Reading {
  if (!summary || summary.n === 0) return null;
  const { n, samples } = summary;
  if (samples) return { value: samples.filter((count) => count >= 1).length / n, n };
  const histogram = decodeHistogram(summary.histogram, summary.unit);
  // Bisection for the first rank with a count of 1 or more.
  let low = 1;
  let high = n + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((histogram.percentile(middle / n) ?? 0) >= 1) high = middle;
    else low = middle + 1;
  }
  return { value: (n + 1 - low) / n, n };
}

/** Undecided streams, under the names of this version and of older ones. */
function undecided(counts: Partial<Record<string, number>> | undefined): number {
  return (counts?.inconclusive ?? 0) + (counts?.too_short ?? 0);
}

function judged(counts: Partial<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function known(value: number | null, n: number): Reading {
  return value === null ? null : { value, n };
}
