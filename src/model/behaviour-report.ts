import type { MetricGroup } from './metric-summary.ts';

/** When the embedded simulator noticed that clients had cancelled, by its own log. */
export interface CancelNotice {
  /** Index of the cell in the plan. */
  cell: number;
  /** Cancels that it noticed. */
  n: number;
  /** From the cancel to the notice; null where it noticed none. */
  p50Ms: number | null;
  maxMs: number | null;
  /** Cancels that it did not notice, because it had sent the whole answer. */
  missed: number;
}

/** Streams that the client cancelled as planned. They are in no latency figure of the cell. Metrics: ttft and chunks. */
export interface CancelledReport extends MetricGroup {
  /** Streams that were to be cancelled. */
  planned: number;
  cancelled: number;
  /** Those that ended well before they could be cancelled. They count as ok, and are in no figure. */
  ended: number;
  /** Closed loop: the other requests whose slot a cancelled stream had freed. Metric: ttft. */
  afterCancel: MetricGroup;
  /** With the embedded simulator: when it noticed the cancels. */
  noticed?: Omit<CancelNotice, 'cell'>;
  /** The others, among which are the first requests of each slot. Metric: ttft. */
  others: MetricGroup;
}

/** Requests that were read slowly. Their gaps and times are the client's own. Metrics: ttft, gap and total. */
export interface SlowReadersReport extends MetricGroup {
  /** The mean rate that was reached from the first byte to the end; null without an answer. */
  bytesPerSecond: number | null;
}

/** Streams that were continued with Last-Event-ID after their connection broke. */
export interface ResumedReport {
  streams: number;
  times: number;
  /** Events that are missing between two ids, and events that came twice, where ids are numbered. */
  lost: number;
  doubled: number;
  /** From the last event before a break to the first one after it; null where none came. */
  outageMs: { p50: number; max: number } | null;
}

/** What the clients of a cell did on purpose. */
export interface BehaviourReport {
  cancelled?: CancelledReport;
  slowReaders?: SlowReadersReport;
  resumed?: ResumedReport;
}

/**
 * The attempts of a cell's requests. Outcomes, error rate and figures count requests, by their last attempt; `connections`
 * and `io` count attempts.
 */
export interface RetryReport {
  attempts: number;
  /** Requests with more than one attempt. */
  retried: number;
  /** Of these, those whose last attempt succeeded or was cancelled as planned, and the others. */
  recovered: number;
  failed: number;
  /** Time waited between attempts, summed over all requests. */
  waitedMs: number;
  /** Attempts that were retried, by outcome and status. */
  causes: Record<string, number>;
}
