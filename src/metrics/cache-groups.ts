import type { RequestRecord } from '../model/record.ts';
import type { CacheReport, PlannedCacheGroup, PlannedCacheReport } from '../model/record-groups.ts';
import type { MetricContext } from './definitions.ts';
import { tidy } from './distribution.ts';
import { cachedShare } from './formulas.ts';
import { createGroup, GROUP_METRICS } from './record-group.ts';

/** A request is a cache hit if more than this share of its input tokens was cached; otherwise a miss. */
const HIT_SHARE = 0.5;

/** The two groups, by their names in thresholds. */
export const CACHE_GROUPS = ['hit', 'miss'] as const;

/** Names of the metrics that are also reported for hits and misses. */
export const CACHE_METRICS: readonly string[] = GROUP_METRICS;

/** Collects how much of a cell's input was in the server's prefix cache, and the figures of hits and misses. */
export interface CacheFold {
  /** Adds a successful record. */
  add(record: RequestRecord): void;
  /** Null if the provider does not report cached tokens. */
  report(): CacheReport | null;
}

/** An empty fold for one cell. */
export function createCacheFold(context: MetricContext): CacheFold {
  const groups = {
    hit: createGroup(context),
    miss: createGroup(context),
  };
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

/** Collects the figures of planned hits and misses. */
export interface PlannedCacheFold {
  /** Adds a successful record. */
  add(record: RequestRecord): void;
  /** Undefined if no record has a plan. */
  report(): PlannedCacheReport | undefined;
}

/** An empty fold for one cell. */
export function createPlannedCacheFold(context: MetricContext): PlannedCacheFold {
  let groups: { hit: PlannedGroup; miss: PlannedGroup } | undefined;
  return {
    add(record) {
      if (record.cachePlan === undefined) return;
      groups ??= { hit: createPlannedGroup(context), miss: createPlannedGroup(context) };
      groups[record.cachePlan].add(record);
    },
    report: () => groups && { hit: groups.hit.report(), miss: groups.miss.report() },
  };
}

type PlannedGroup = ReturnType<typeof createPlannedGroup>;

function createPlannedGroup(context: MetricContext) {
  const group = createGroup(context);
  let counts: { inputTokens: number; cachedTokens: number } | undefined;
  return {
    add(record: RequestRecord): void {
      group.add(record);
      if (cachedShare(record) === null) return;
      counts ??= { inputTokens: 0, cachedTokens: 0 };
      counts.inputTokens += record.tokens.input ?? 0;
      counts.cachedTokens += record.tokens.cachedInput ?? 0;
    },
    report: (): PlannedCacheGroup => ({
      ...group.report(),
      ...(counts ?? { inputTokens: null, cachedTokens: null }),
    }),
  };
}
