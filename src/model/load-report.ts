/**
 * A slice of a window: its length in ms, the event loop's utilization in percent, and by how many ms a timestamp taken in it
 * may be late.
 */
export type LoadSlice = readonly [lengthMs: number, busyPercent: number, lateMs: number];

/** How busy one measuring thread was during a window. */
export interface LoopUtilization {
  /** Load with stages: the stage that the window belongs to. */
  stage?: string;
  windowMs: number;
  /** Share of the window in which the event loop was not waiting, 0 to 1. */
  utilization: number;
  /** Event loop delay, less the monitor's resolution. */
  delayP99Ms: number;
  delayMaxMs: number;
  /** Time spent in garbage collection. */
  gcMs: number;
  /** CPU time of the whole process, all threads. */
  cpuMs: number;
  /** When the window opened, in ms from the start of the run. Absent in runs of older versions, as `slices` is. */
  fromMs?: number;
  /** The window in slices, in order. */
  slices?: readonly LoadSlice[];
}

/** The client's utilization in one block: one entry per measuring thread. */
export interface BlockUtilization {
  round: number;
  /** Which continuation of the run (--resume), from 1; absent before the first. */
  part?: number;
  /** In a merged run: the number of the shard, from 1. */
  shard?: number;
  /** Index of the cell in the plan. */
  cell: number;
  threads: LoopUtilization[];
}

/** Whether the client could keep up. Unless `ok`, its own lateness may affect the figures. */
export type ClientVerdict = 'ok' | 'strained' | 'saturated';

/** How late the client was for the timestamps of one metric. */
export interface MetricLateness {
  /** Unless `ok`, the client's lateness may affect the metric. */
  verdict: ClientVerdict;
  /** By how much the figure's p99 may be too high: the p99 of the stamps' estimated lateness. */
  lateMs: number;
  /** From this on the figure is marked. */
  limitMs: number;
  /** Mean utilization of the event loop while these stamps were taken, 0 to 1. */
  utilization: number;
}

/** The client's utilization and lateness in one cell. */
export interface ClientReport {
  /** The worst of the cell as a whole and of its figures. */
  verdict: ClientVerdict;
  /** Why, in words and numbers. */
  reason: string;
  /** Of the busiest thread, over all rounds. */
  utilization: number;
  delayP99Ms: number;
  delayMaxMs: number;
  /** Share of the window in garbage collection, the worst thread's. */
  gcShare: number;
  /** CPU time of the process over the windows' time: 1 is one core. */
  cpuCores: number;
  /** `started` after `scheduled`; null without a request. */
  latenessP99Ms: number | null;
  /** Share of requests that had to open a connection; null where none is known. */
  newConnectionShare: number | null;
  reads: number;
  events: number;
  threads: number;
  /** By metric. Empty for a run whose utilization was not recorded in slices. */
  metrics?: Readonly<Record<string, MetricLateness>>;
}

/** Process metrics scraped from the target; null if not exposed. */
export interface ServerReading {
  /** Resident memory. */
  memoryBytes: number | null;
  /** CPU time since its start. */
  cpuSeconds: number | null;
  openFiles: number | null;
  /** Metrics of an inference server; absent where the names are of none that is known. */
  serving?: ServingReading;
}

/** The state of an inference server at one moment; null where it does not expose a value. */
export interface ServingReading {
  /** Its name, such as `vLLM`. */
  engine: string;
  /** Requests that wait for their first token without being processed. */
  queue: number | null;
  /** Requests that are being processed. */
  running: number | null;
  /** Used share of the KV cache, 0 to 1. */
  kvCache: number | null;
  /** Prompt tokens since the server's start: found in the prefix cache, and looked up in it. */
  prefixCache: { hits: number; lookups: number } | null;
  /** Times to first token since the server's start. */
  ttft: BucketCounts | null;
}

/** A histogram with given buckets. */
export interface BucketCounts {
  /** Upper bounds of the buckets in ms, ascending. One more bucket without an upper bound follows. */
  boundsMs: readonly number[];
  /** Values by bucket: one more than there are bounds. */
  counts: readonly number[];
  sumMs: number;
}

/** A server's metrics before the first request; null if they could not be read. */
export interface ServerIdle {
  target: string;
  reading: ServerReading | null;
  /** Why there is no reading. */
  failure?: string;
}

/** The largest values of a server's metrics over a period; null if never exposed. */
export interface ServerSummary {
  readings: number;
  /** Failed readings. */
  failed: number;
  memoryBytes: number | null;
  openFiles: number | null;
  /** CPU time over wall time: 1 is one core. */
  cpuCores: number | null;
  /** Absent for a server that is no known inference server. */
  serving?: ServingSummary;
}

/** A value that was read several times. */
export interface SampledValue {
  readings: number;
  sum: number;
  max: number;
}

/** The metrics of an inference server over a period; null where it does not expose a value. */
export interface ServingSummary {
  engine: string;
  queue: SampledValue | null;
  running: SampledValue | null;
  kvCache: SampledValue | null;
  /** Prompt tokens of the period. Also null if the server was restarted. */
  prefixCache: { hits: number; lookups: number } | null;
  /** Times to first token of the period. Also null if the server was restarted. */
  ttft: BucketCounts | null;
}

/** A server's metrics in one block. */
export interface ServerLoad extends ServerSummary {
  round: number;
  /** Index of the cell in the plan. */
  cell: number;
}

/** A server's metrics in one cell. */
export interface ServerReport {
  /** Resident memory, `before` anything was sent in the run, and at most while the cell was measured. */
  memoryBytes: { before: number; max: number } | null;
  /**
   * The growth over `before`, shared among the streams at once. An upper bound: what cells of higher concurrency left
   * behind is in it.
   */
  memoryPerStreamBytes: number | null;
  openFiles: { before: number; max: number } | null;
  /** CPU time over wall time, in the busiest round: 1 is one core. */
  cpuCores: number | null;
  readings: number;
  /** Failed readings. */
  failed: number;
  /** What an inference server reports of the cell; absent for other servers. */
  serving?: ServingReport;
}

/** Mean and maximum of the readings of a value. */
export interface LevelReport {
  mean: number;
  max: number;
}

/** A percentile that was estimated from the buckets of a histogram. */
export interface PercentileEstimate {
  /** Interpolated in the bucket, in ms; the last bucket's lower bound where it has no upper bound. */
  value: number;
  /** The bucket's bounds in ms: the percentile is between them. */
  low: number;
  /** Null in the last bucket, which has no upper bound. */
  high: number | null;
}

/** What an inference server reports of one cell; null where it does not expose a value. It includes traffic of other clients. */
export interface ServingReport {
  /** Its name, such as `vLLM`. */
  engine: string;
  /** Requests that waited for being processed. */
  queue: LevelReport | null;
  /** Requests that were processed. */
  running: LevelReport | null;
  /** Used share of the KV cache, 0 to 1. */
  kvCache: LevelReport | null;
  /** Share of the prompt tokens that were found in the prefix cache. */
  prefixCacheHits: number | null;
  /** Time to first token, as the server measured it. `n`: requests that it counted. */
  ttft: {
    n: number;
    meanMs: number;
    p50: PercentileEstimate;
    p95: PercentileEstimate;
    p99: PercentileEstimate;
  } | null;
}
