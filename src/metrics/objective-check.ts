import type { RequestRecord } from '../model/record.ts';
import type { MetricContext, MetricDefinition } from './definitions.ts';

/** A comparison operator. */
export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** A limit that a single request must meet to count for goodput. */
export interface Objective {
  /** As it was written: `ttft < 500ms`. */
  expression: string;
  metric: MetricDefinition;
  operator: Operator;
  /** In the metric's unit. */
  limit: number;
}

/** Evaluates `value operator limit`. */
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

/**
 * True for a successful request that meets every objective. Each value of a metric with several values must meet it. A missing
 * value fails the objective, unless the metric is optional.
 */
export function meets(
  record: RequestRecord,
  objectives: readonly Objective[],
  context: MetricContext,
): boolean {
  if (record.outcome.kind !== 'ok') return false;
  return objectives.every(({ metric, operator, limit }) => {
    const value = metric.values(record, context);
    if (value === null) return metric.optional === true;
    return typeof value === 'number'
      ? holds(value, operator, limit)
      : value.every((one) => holds(one, operator, limit));
  });
}
