import type { RequestRecord } from '../model/record.ts';
import type { MetricContext, MetricDefinition } from './definitions.ts';

/** How a value is held against its limit. */
export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** What a single request must meet to count as good. */
export interface Objective {
  /** As it was written: `ttft < 500ms`. */
  expression: string;
  metric: MetricDefinition;
  operator: Operator;
  /** In the metric's unit. */
  limit: number;
}

/** True where the value stands to the limit as the operator says. */
export function holds(value: number | string, operator: Operator, limit: number | string): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
    default:
      return operator satisfies never;
  }
}

// A good answer may do without these: over a connection that was open, or in one piece. There was nothing to wait for.
const MAY_BE_ABSENT = new Set([
  ...['connect', 'dns', 'tcp', 'tls'],
  ...['ttst', 'gap', 'longest_gap', 'tpot', 'chunk_rate', 'token_rate'],
]);

/**
 * True for a request that ended well and met every objective; of a metric with several values, each must meet it. A value
 * that is missing meets nothing, unless a good answer may do without it.
 */
export function meets(
  record: RequestRecord,
  objectives: readonly Objective[],
  context: MetricContext,
): boolean {
  if (record.outcome.kind !== 'ok') return false;
  return objectives.every(({ metric, operator, limit }) => {
    const value = metric.values(record, context);
    if (value === null) return MAY_BE_ABSENT.has(metric.name);
    return typeof value === 'number'
      ? holds(value, operator, limit)
      : value.every((one) => holds(one, operator, limit));
  });
}
