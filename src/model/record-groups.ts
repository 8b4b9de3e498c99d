import type { MetricSummary } from './report.ts';

// Parts of a cell's good answers that have figures of their own.

/** A part of a cell's good answers: on one side of a server's cache, or of one turn. */
export interface RecordGroup {
  requests: number;
  /** By metric name: ttft, ttfa, latency and total. A metric with no values is null. */
  metrics: Record<string, MetricSummary | null>;
}

/** How much of a cell's input a server had in its cache, over the good answers whose provider told it. */
export interface CacheReport {
  inputTokens: number;
  cachedTokens: number;
  /** cachedTokens / inputTokens. */
  share: number;
  /** Requests of which more than half of the input tokens were cached. */
  hit: RecordGroup;
  /** The others. */
  miss: RecordGroup;
}

/** Answers of a cell that were planned to find their prefix in a server's cache, or not to. */
export interface PlannedCacheGroup extends RecordGroup {
  /** Input tokens, and those of them that were cached, where the provider reports both; null where it does not. */
  inputTokens: number | null;
  cachedTokens: number | null;
}

/** The good answers of a cell with a shared prefix, by what was planned. */
export interface PlannedCacheReport {
  hit: PlannedCacheGroup;
  miss: PlannedCacheGroup;
}

/** The answers of one turn of a cell's sessions. */
export interface TurnGroup extends RecordGroup {
  /** From 1. */
  turn: number;
  /** Requests of this turn that were sent, failed ones included. */
  sent: number;
}

/** The sessions of a cell. */
export interface SessionReport {
  started: number;
  /** Sessions whose last turn was answered. */
  completed: number;
  /** Turns that were not sent, because the turn before failed or the run ended. */
  unsentTurns: number;
  /** Recorded results of tool calls that were left out, because the answer had no call. */
  skippedTurns: number;
  /** By turn, the first 100. */
  turns: TurnGroup[];
}
