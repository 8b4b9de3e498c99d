import { METRICS } from '../metrics/definitions.ts';
import { decodeHistogram } from '../metrics/histogram.ts';
import { percentileOf } from '../metrics/percentile.ts';
import type { Unit } from '../model/format.ts';
import type { ServerReport } from '../model/load-report.ts';
import type { Mode } from '../model/record.ts';
import type { CellReport, MetricSummary } from '../model/report.ts';
import { nameOfVerdict, VERDICT_KINDS } from './streaming/streaming-verdict.ts';

/**
 * What a condition on a run can be about: every metric under each of its aggregations, and the figures that belong to
 * a cell as a whole. One table, read by the parser of thresholds, by its hints and by the evaluation.
 */

/** What a quantity is measured in; `verdict` is a word. */
export type QuantityUnit = Unit | 'verdict';

/** What a cell shows of a quantity. `null`: it was not measured there. */
export type Reading = { value: number | string; n: number } | null;

/** Something that can be compared with a limit. */
export interface Quantity {
  /** As it is written: `ttft.p95`, `errors.rate`, `goodput`. */
  readonly name: string;
  readonly unit: QuantityUnit;
  /** The modes in which it means anything. */
  readonly modes: readonly Mode[];
  /** True where a threshold that names no mode is about all modes, not about streaming alone. */
  readonly everyMode: boolean;
  /** True for what is measured only where the run states objectives. */
  readonly ofObjectives?: boolean;
  /** For percentiles: 0 to 1. */
  readonly quantile?: number;
  /** The words that it can be, for verdicts. */
  readonly words?: readonly string[];
  /** True for what a server tells of itself, where it is asked. */
  readonly ofServer?: boolean;
  read(cell: CellReport): Reading;
}

/** The aggregations of a metric; any other percentile (`p75`, `p99.9`) works too. */
const AGGREGATIONS = ['p50', 'p90', 'p95', 'p99', 'mean', 'min', 'max', 'sd', 'n'] as const;

const BOTH: readonly Mode[] = ['streaming', 'non-streaming'];
const STREAMING: readonly Mode[] = ['streaming'];

/** Failed requests: all that did not end well, but for those that the user cancelled. */
export function failuresOf({ outcomes }: Pick<CellReport, 'outcomes'>): { failed: number; requests: number } {
  let requests = 0;
  for (const [kind, count] of Object.entries(outcomes)) if (kind !== 'cancelled') requests += count;
  return { failed: requests - (outcomes.ok ?? 0), requests };
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
      return value == null || !outcomes.ok ? null : { value, n: server!.readings };
    },
  };
}

/** The names before the dot: metrics first. */
export const FAMILIES: readonly string[] = [
  ...new Set([
    ...METRICS.map(({ name }) => name),
    ...Object.keys(SPECIALS).map((name) => name.split('.')[0]!),
  ]),
];

/** What can stand after the dot of a family; empty for one that stands alone. */
export function aggregationsOf(family: string): string[] {
  const metric = METRICS.some(({ name }) => name === family);
  const special = Object.keys(SPECIALS)
    .filter((name) => name.startsWith(`${family}.`))
    .map((name) => name.slice(family.length + 1));
  return [...special, ...(metric ? AGGREGATIONS : [])];
}

/** The quantity of that name; undefined where there is none. */
export function findQuantity(family: string, aggregation: string | undefined): Quantity | undefined {
  const name = aggregation === undefined ? family : `${family}.${aggregation}`;
  const special = Object.hasOwn(SPECIALS, name) ? SPECIALS[name] : undefined;
  if (special) return { name, modes: BOTH, everyMode: false, ...special };
  const metric = METRICS.find((known) => known.name === family);
  if (!metric || aggregation === undefined) return undefined;
  const base = { name, modes: metric.modes ?? BOTH, everyMode: false };
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

/** 0.95 for `p95`, 0.999 for `p99.9`; undefined for what is no percentile between 0 and 100, both excluded. */
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
  // Ranks below `low` are zeros: the first rank that is not is found by halving.
  let low = 1;
  let high = n + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((histogram.percentile(middle / n) ?? 0) >= 1) high = middle;
    else low = middle + 1;
  }
  return { value: (n + 1 - low) / n, n };
}

/** Streams about which nothing can be said, under the names of this version and of older ones. */
function undecided(counts: Partial<Record<string, number>> | undefined): number {
  return (counts?.inconclusive ?? 0) + (counts?.too_short ?? 0);
}

function judged(counts: Partial<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function known(value: number | null, n: number): Reading {
  return value === null ? null : { value, n };
}
