/** The percentiles that a table can show. In a file of their own, because the command line reads them at every start. */
export const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;

/** One of `PERCENTILES`. */
export type Percentile = (typeof PERCENTILES)[number];
