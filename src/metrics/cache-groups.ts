import type { RequestRecord } from '../model/record.ts';
import type { CacheGroup, CacheReport, MetricSummary } from '../model/report.ts';
import { METRICS, type MetricContext } from './definitions.ts';
import { createDistribution, tidy } from './distribution.ts';
import { cachedShare } from './formulas.ts';

/** A request is a cache hit if more than this share of its input tokens was cached; otherwise a miss. */
const HIT_SHARE = 0.5;

/** The two groups, by their names in thresholds. */
export const CACHE_GROUPS = ['hit', 'miss'] as const;

const METRICS_BY_CACHE = METRICS.filter(({ byCache }) => byCache);

/** Names of the metrics that are also reported for hits and misses. */
export const CACHE_METRICS: readonly string[] = METRICS_BY_CACHE.map(({ name }) => name);

/** Collects how much of a cell's input was in the server's prefix cache, and the figures of hits and misses. */
export interface CacheFold {
  /** Adds a successful record. */
  add(record: RequestRecord): void;
  /** Null if the provider does not report cached tokens. */
  report(): CacheReport | null;
}

/** An empty fold for one cell. */
export function createCacheFold(context: MetricContext): CacheFold {
  const groups = { hit: createGroup(context), miss: createGroup(context) };
  let inputTokens = 0;
  let cachedTokens = 0;
  return {
    add(record) {
      const share = cachedShare(record);
      if (share === null) return;
      inputTokens += record.tokens.input ?? 0;
      cachedTokens += record.tokens.cachedInput ?? 0;
      groups[share > HIT_SHARE ? 'hit' : 'miss'].add(record);
    },
    report() {
      if (inputTokens === 0) return null;
      return {
        inputTokens,
        cachedTokens,
        share: tidy(cachedTokens / inputTokens),
        hit: groups.hit.report(),
        miss: groups.miss.report(),
      };
    },
  };
}

function createGroup(context: MetricContext) {
  const kept = METRICS_BY_CACHE.map((definition) => ({
    definition,
    distribution: createDistribution(definition.unit),
  }));
  let requests = 0;
  return {
    add(record: RequestRecord): void {
      requests += 1;
      for (const { definition, distribution } of kept) {
        const value = definition.values(record, context);
        if (typeof value === 'number') distribution.add(value);
      }
    },
    report(): CacheGroup {
      const metrics: Record<string, MetricSummary | null> = {};
      for (const { definition, distribution } of kept) {
        const summary = distribution.summary();
        if (summary === null) metrics[definition.name] = null;
        else {
          // The samples are already in the cell's own metric.
          const { samples: _, ...rest } = summary;
          metrics[definition.name] = rest;
        }
      }
      return { requests, metrics };
    },
  };
}
