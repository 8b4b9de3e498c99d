import type { RequestRecord } from '../model/record.ts';
import type { RecordGroup } from '../model/record-groups.ts';
import type { MetricSummary } from '../model/report.ts';
import { METRICS, type MetricContext, type MetricDefinition } from './definitions.ts';
import { createDistribution } from './distribution.ts';

/** The figures of a part of a cell's good answers. */

const DEFINITIONS = METRICS.filter(({ byCache }) => byCache);

/** Names of the metrics of a group: those that depend on the length of the prompt. */
export const GROUP_METRICS: readonly string[] = DEFINITIONS.map(({ name }) => name);

/** An empty group with the metrics of `GROUP_METRICS`. */
export function createGroup(context: MetricContext) {
  return createMetricGroup(DEFINITIONS, context);
}

/** An empty group with these metrics. */
export function createMetricGroup(metrics: readonly MetricDefinition[], context: MetricContext) {
  const kept = metrics.map((definition) => ({
    definition,
    distribution: createDistribution(definition.unit),
  }));
  let requests = 0;
  return {
    add(record: RequestRecord): void {
      requests += 1;
      for (const { definition, distribution } of kept) {
        const value = definition.values(record, context);
        if (value === null) continue;
        if (typeof value === 'number') distribution.add(value);
        else for (const one of value) distribution.add(one);
      }
    },
    report(): RecordGroup {
      const summaries: Record<string, MetricSummary | null> = {};
      for (const { definition, distribution } of kept) {
        const summary = distribution.summary();
        if (summary === null) summaries[definition.name] = null;
        else {
          // The samples are already in the cell's own metric.
          const { samples: _, ...rest } = summary;
          summaries[definition.name] = rest;
        }
      }
      return { requests, metrics: summaries };
    },
  };
}
