import type { Unit } from './format.ts';

/** The distribution of one metric in one cell. Percentile q is the value at rank ceil(q n). */
export interface MetricSummary {
  unit: Unit;
  n: number;
  min: number;
  mean: number;
  /** Sample standard deviation; 0 for a single value. */
  sd: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
  /** HDR histogram, V2 compressed, base64: whole microseconds for ms, thousandths for rates and ratios. */
  histogram: string;
  /** The values in order of arrival, while there are at most 20,000: percentiles are exact then. */
  samples?: number[];
}

/** The figures of a part of a cell's requests. */
export interface MetricGroup {
  requests: number;
  /** By metric name. A metric with no values is null. */
  metrics: Record<string, MetricSummary | null>;
}
