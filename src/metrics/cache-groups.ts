import type { RequestRecord } from '../model/record.ts';
import type { CacheGroup, CacheReport, MetricSummary } from '../model/report.ts';
import { METRICS, type MetricContext } from './definitions.ts';
import { createDistribution, tidy } from './distribution.ts';
import { cachedShare } from './formulas.ts';

/** How much of a cell's input a server had in its cache of prefixes, and what difference that made. */

/** A request hit the cache when more than this share of its input tokens came from there; otherwise it missed. */
export const HIT_SHARE = 0.5;

/** Names of the two groups, as thresholds call them. */
export const CACHE_GROUPS = ['hit', 'miss'] as const;

/** The metrics that are kept for hits and misses apart: those that the prompt's length bears on. */
export const CACHE_METRICS: readonly string[] = ['ttft', 'ttfa', 'latency', 'total'];

/** Collects the answers of a cell whose provider tells how many input tokens were cached. */
export interface CacheFold {
  /** Takes in a record that ended well. */
  add(record: RequestRecord): void;
  /** Null where no provider told it. */
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
  const kept = METRICS.filter(({ name }) => CACHE_METRICS.includes(name)).map((definition) => ({
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
          // The values are in the cell's own metric already.
          const { samples: _, ...rest } = summary;
          metrics[definition.name] = rest;
        }
      }
      return { requests, metrics };
    },
  };
}
