import type {
  BucketCounts,
  LevelReport,
  PercentileEstimate,
  SampledValue,
  ServingReport,
  ServingSummary,
} from '../model/load-report.ts';
import { tidy } from './distribution.ts';

/** The metrics of an inference server in one cell; each item of `blocks` is a round. Undefined without one. */
export function servingReport(blocks: readonly ServingSummary[]): ServingReport | undefined {
  const [first] = blocks;
  if (first === undefined) return undefined;
  const prefix = sumOf(blocks.flatMap(({ prefixCache }) => prefixCache ?? []));
  return {
    engine: first.engine,
    queue: level(blocks.flatMap(({ queue }) => queue ?? [])),
    running: level(blocks.flatMap(({ running }) => running ?? [])),
    kvCache: level(blocks.flatMap(({ kvCache }) => kvCache ?? [])),
    prefixCacheHits: prefix.lookups > 0 ? tidy(prefix.hits / prefix.lookups) : null,
    ttft: ttftOf(blocks.flatMap(({ ttft }) => ttft ?? [])),
  };
}

function sumOf(caches: readonly { hits: number; lookups: number }[]): { hits: number; lookups: number } {
  return {
    hits: caches.reduce((sum, { hits }) => sum + hits, 0),
    lookups: caches.reduce((sum, { lookups }) => sum + lookups, 0),
  };
}

function level(values: readonly SampledValue[]): LevelReport | null {
  const readings = values.reduce((sum, value) => sum + value.readings, 0);
  if (readings === 0) return null;
  return {
    mean: tidy(values.reduce((sum, value) => sum + value.sum, 0) / readings),
    max: Math.max(...values.map(({ max }) => max)),
  };
}

function ttftOf(rounds: readonly BucketCounts[]): ServingReport['ttft'] {
  const all = addBuckets(rounds);
  const n = all?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  if (all === null || n === 0) return null;
  return {
    n,
    meanMs: tidy(all.sumMs / n),
    p50: percentileEstimate(all, 0.5),
    p95: percentileEstimate(all, 0.95),
    p99: percentileEstimate(all, 0.99),
  };
}

/** The sum of histograms with equal buckets; null where their buckets differ, and without any. */
function addBuckets(parts: readonly BucketCounts[]): BucketCounts | null {
  const [first, ...others] = parts;
  if (first === undefined) return null;
  const counts = [...first.counts];
  let { sumMs } = first;
  for (const part of others) {
    if (part.boundsMs.join() !== first.boundsMs.join()) return null;
    for (const [index, count] of part.counts.entries()) counts[index] = (counts[index] ?? 0) + count;
    sumMs += part.sumMs;
  }
  return { boundsMs: first.boundsMs, counts, sumMs };
}

/**
 * The value at rank ceil(q n), whose bucket is known and whose place in it is interpolated, as Prometheus' `histogram_quantile`
 * does. The histogram must not be empty.
 */
export function percentileEstimate({ boundsMs, counts }: BucketCounts, q: number): PercentileEstimate {
  const n = counts.reduce((sum, count) => sum + count, 0);
  // Without the tolerance, 0.95 x 100 has rank 96.
  const rank = Math.max(1, Math.ceil(q * n - 1e-9));
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const low = boundsMs[index - 1] ?? 0;
    const high = boundsMs[index] ?? null;
    if (below + count >= rank) {
      const value = high === null ? low : low + ((high - low) * (rank - below)) / count;
      return { value: tidy(value), low, high };
    }
    below += count;
  }
  throw new Error('an empty histogram has no percentiles');
}
