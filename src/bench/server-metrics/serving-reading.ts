import type { BucketCounts, SampledValue, ServingReading, ServingSummary } from '../../model/load-report.ts';
import { ENGINES, type Engine, type MetricSource } from './engines.ts';
import { boundOf, type Exposition, type Series } from './exposition.ts';

/** Reads the metrics of an inference server; undefined where the exposition has those of none that is known. */
export function servingReading(exposition: Exposition): ServingReading | undefined {
  for (const engine of ENGINES) {
    const { name, queue, running, kvCache } = engine;
    const reading: ServingReading = {
      engine: name,
      // A server with several engines or models has one series for each.
      queue: first(queue, (source) => sum(exposition, source)),
      running: first(running, (source) => sum(exposition, source)),
      kvCache: first(kvCache, (source) => max(exposition, source)),
      prefixCache: prefixCacheOf(engine, exposition),
      ttft: engine.ttft === undefined ? null : bucketsOf(engine.ttft, exposition),
    };
    if (reading.queue !== null || reading.running !== null || reading.kvCache !== null) return reading;
  }
  return undefined;
}

function first<Source, Value>(
  sources: readonly Source[],
  read: (source: Source) => Value | null,
): Value | null {
  for (const source of sources) {
    const value = read(source);
    if (value !== null) return value;
  }
  return null;
}

function seriesOf(
  exposition: Exposition,
  { name, labels = {} }: MetricSource,
  suffix = '',
): readonly Series[] {
  const wanted = Object.entries(labels);
  return (exposition.get(name + suffix) ?? []).filter(
    (series) =>
      wanted.every(([key, value]) => series.labels.get(key) === value) &&
      // SGLang can report each rank of a tensor-parallel group: they all process the same requests.
      (series.labels.get('tp_rank') ?? '0') === '0',
  );
}

function valuesOf(exposition: Exposition, source: MetricSource, suffix?: string): number[] {
  return seriesOf(exposition, source, suffix)
    .map(({ value }) => value)
    .filter((value) => Number.isFinite(value) && value >= 0);
}

function sum(exposition: Exposition, source: MetricSource, suffix?: string): number | null {
  const values = valuesOf(exposition, source, suffix);
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
}

function max(exposition: Exposition, source: MetricSource): number | null {
  const values = valuesOf(exposition, source);
  return values.length === 0 ? null : Math.max(...values);
}

function prefixCacheOf({ prefixCache = [] }: Engine, exposition: Exposition): ServingReading['prefixCache'] {
  return first(prefixCache, (source) => {
    const lookups = sum(exposition, source.lookups);
    // A counter with labels has no series before its first event.
    return lookups === null ? null : { hits: sum(exposition, source.hits) ?? 0, lookups };
  });
}

/** The histogram of all series; null where it is not there, or where their buckets differ. */
function bucketsOf(source: NonNullable<Engine['ttft']>, exposition: Exposition): BucketCounts | null {
  const scale = source.unit === 's' ? 1000 : 1;
  const cumulative = new Map<number, number>();
  const members = new Map<number, number>();
  for (const series of seriesOf(exposition, source, '_bucket')) {
    const bound = boundOf(series);
    if (Number.isNaN(bound) || !Number.isFinite(series.value)) continue;
    cumulative.set(bound, (cumulative.get(bound) ?? 0) + series.value);
    members.set(bound, (members.get(bound) ?? 0) + 1);
  }
  const all = [...cumulative].sort(([a], [b]) => a - b);
  if (all.at(-1)?.[0] !== Number.POSITIVE_INFINITY || new Set(members.values()).size > 1) return null;
  const counts = all.map(([, count], index) => count - (all[index - 1]?.[1] ?? 0));
  if (counts.some((count) => count < 0)) return null;
  return {
    // Seconds such as 0.035 x 1000 are slightly off in binary.
    boundsMs: all.slice(0, -1).map(([bound]) => Number((bound * scale).toPrecision(12))),
    counts,
    sumMs: (sum(exposition, source, '_sum') ?? 0) * scale,
  };
}

/** Summarises the readings of a period. */
export interface ServingPeriod {
  /** `isEdge`: taken before the first request of the period or after the last one. */
  add(reading: ServingReading, isEdge?: boolean): void;
  /** Undefined without a reading. */
  summary(): ServingSummary | undefined;
}

/** Starts a period without readings. */
export function servingPeriod(): ServingPeriod {
  const edges: ServingReading[] = [];
  const inside: ServingReading[] = [];
  let begin: ServingReading | undefined;
  let end: ServingReading | undefined;
  return {
    add(reading, isEdge = false) {
      begin ??= reading;
      end = reading;
      // The histograms of all readings would take too much memory.
      (isEdge ? edges : inside).push({ ...reading, ttft: null });
    },
    summary() {
      if (begin === undefined || end === undefined) return undefined;
      // At its edges a server is idle, which says nothing about the period. A short one has no other readings.
      const read = inside.length > 0 ? inside : edges;
      return {
        engine: end.engine,
        queue: sampled(read.map(({ queue }) => queue)),
        running: sampled(read.map(({ running }) => running)),
        kvCache: sampled(read.map(({ kvCache }) => kvCache)),
        prefixCache: cacheBetween(begin.prefixCache, end.prefixCache),
        ttft: bucketsBetween(begin.ttft, end.ttft),
      };
    },
  };
}

function sampled(values: readonly (number | null)[]): SampledValue | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return {
    readings: known.length,
    sum: known.reduce((total, value) => total + value, 0),
    max: Math.max(...known),
  };
}

type PrefixCache = ServingReading['prefixCache'];

function cacheBetween(begin: PrefixCache, end: PrefixCache): PrefixCache {
  if (end === null) return null;
  const hits = end.hits - (begin?.hits ?? 0);
  const lookups = end.lookups - (begin?.lookups ?? 0);
  return hits < 0 || lookups < 0 ? null : { hits, lookups };
}

// A histogram with labels has no series before its first value.
function bucketsBetween(begin: BucketCounts | null, end: BucketCounts | null): BucketCounts | null {
  if (end === null || begin === null) return end;
  if (begin.boundsMs.join() !== end.boundsMs.join()) return null;
  const counts = end.counts.map((count, index) => count - (begin.counts[index] ?? 0));
  // A counter that went back: the server was restarted.
  if (counts.some((count) => count < 0)) return null;
  return { boundsMs: end.boundsMs, counts, sumMs: Math.max(0, end.sumMs - begin.sumMs) };
}
