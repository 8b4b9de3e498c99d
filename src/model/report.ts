import type { AbGate, AbSettings, AbStop } from './ab-gate.ts';
import type { BehaviourReport, CancelNotice, RetryReport } from './behaviour-report.ts';
import type { Conclusion } from './conclusion.ts';
import type { Unit } from './format.ts';
import type { BlockUtilization, ClientReport, ServerIdle, ServerLoad, ServerReport } from './load-report.ts';
import type { MetricSummary } from './metric-summary.ts';
import type { Origin } from './origin.ts';
import type { PairedComparison } from './paired-comparison.ts';
import type { Cell, SameRequests } from './plan.ts';
import type { CostReport, TargetPrice } from './price.ts';
import type { PromptInfo } from './prompt-info.ts';
import type { OutcomeKind, TokenSource } from './record.ts';
import type { CacheReport, PlannedCacheReport, SessionReport } from './record-groups.ts';
import type { BaselineReport } from './run-comparison.ts';
import type { MergedShards, ShardInfo } from './shard-report.ts';
import type { StreamingReport } from './streaming-report.ts';
import type { SweepReport, SweepSettings } from './sweep.ts';
import type { TraceInfo, TraceReplay } from './trace.ts';

export type { BehaviourReport, RetryReport } from './behaviour-report.ts';
export type { MetricGroup, MetricSummary } from './metric-summary.ts';
export type { StreamArrivals, StreamCause, StreamingReport, VerdictKind } from './streaming-report.ts';

/** One kind of failure in a cell, with an example of what was said. */
export interface FailureSummary {
  kind: OutcomeKind;
  count: number;
  /** Of the first one. */
  message: string;
  /** True where the messages differ in their numbers or ids. */
  varied?: boolean;
  /** HTTP status, code and time limit, where there are any. */
  code?: string;
  body?: string;
  hint?: string;
}

/** How many of a cell's requests were good: they ended well and met every objective of the run. */
export interface GoodputReport {
  /** Good requests a second, over the measured windows of all rounds. */
  requestsPerSecond: number;
  /** Good ones among all requests, failed ones included. */
  share: number;
  met: number;
  requests: number;
}

/**
 * Over what throughput was counted:
 * - `full`: a closed loop, while all of its streams were open;
 * - `below`: a closed loop that never had all of its streams open: whole rounds;
 * - `arrivals`: an open loop, from the first due request to the last;
 * - `departures`: an open loop that the service did not keep up with: the time in which it answered.
 */
export type ThroughputBasis = 'full' | 'below' | 'arrivals' | 'departures';

/** Answers and tokens a second, and over which time. */
export interface ThroughputReport {
  /** Null where no request ended well. */
  requestsPerSecond: number | null;
  tokensPerSecond: number | null;
  /** The time over which they were counted, all rounds together. */
  windowMs: number;
  basis?: ThroughputBasis;
  /** From the first request's start to the last one's end, all rounds together. */
  roundsMs?: number;
  /** Closed loop: the share of the rounds in which all streams were open, 0 to 1. */
  heldShare?: number;
}

/** Requests in flight, as the client saw them. */
export interface ReachedLoad {
  /** Weighted by time, over the time in which throughput was counted; of an open loop while its requests were due. */
  mean: number;
  max: number;
  /** False where a closed loop never had its streams open, or fewer than three quarters of them on average. */
  met: boolean;
}

/** One cell of a run. */
export interface CellReport extends Cell {
  /** Requests by outcome; outcomes that did not happen are absent. Warm-up is not counted. */
  outcomes: Partial<Record<OutcomeKind, number>>;
  /** Most frequent first. */
  failures: FailureSummary[];
  /** By metric name. A metric with no values is null, never 0. */
  metrics: Record<string, MetricSummary | null>;
  throughput: ThroughputReport;
  /** The load that was reached. Null where no request was sent. */
  reached?: ReachedLoad | null;
  /** Null where the run states no objectives, or one that means nothing in this mode; and without a request. */
  goodput?: GoodputReport | null;
  /** Input tokens out of a cache of prefixes. Null where the provider does not tell; absent in reports of older versions. */
  cache?: CacheReport | null;
  /** By planned cache hits and misses. Absent for prompts without a shared prefix. */
  plannedCache?: PlannedCacheReport;
  /** Of conversations of several turns. Absent for single requests. */
  sessions?: SessionReport;
  /** How closely the requests followed the trace. Absent without one; null if no request was sent. */
  replay?: TraceReplay | null;
  /** What clients did on purpose (`client` in the scenario). Absent: nothing. */
  behaviours?: BehaviourReport;
  /** Absent in runs without retries. */
  retries?: RetryReport;
  connections: ConnectionCounts;
  /** Socket reads, events and body bytes of all requests. Absent in imported runs. */
  io?: { reads: number; events: number; bytes: number };
  /** Whether the answers really streamed. Null for non-streaming cells. */
  streaming?: StreamingReport | null;
  /** The server's process metrics. Null if the target has no metrics URL. */
  server?: ServerReport | null;
  /** Whether the client could keep up. Null where its load was not measured. */
  client?: ClientReport | null;
  /** Share of content events that came in the same read as the one before; null without content. */
  coalescedShare: number | null;
  /** What the requests cost. Absent if the target has no price; null if the provider reports no token counts. */
  cost?: CostReport | null;
  /** Where the token counts come from; null when there are none. */
  tokenSource: TokenSource | 'mixed' | null;
  /** Answers with reasoning that was counted but not sent as text. Absent: none. */
  hiddenReasoning?: number;
  /** Successful streams that the client cut as planned. They have no total time. Absent: none. */
  cutStreams?: number;
  /** Requests whose usage had counts that cannot be true, which were left out, with the first of them. Absent: none. */
  refusedCounts?: { requests: number; example: string };
}

/** How late this client stamps events at a load, measured against a server on the same machine that tells the truth. */
export interface NoiseFloor {
  streams: number;
  p50Ms: number;
  p99Ms: number;
}

/** Requests by the connection that carried them. */
export interface ConnectionCounts {
  new: number;
  reused: number;
  /** Sent again: an open connection was closed before it answered. Absent in reports of older versions. */
  reconnected?: number;
  /**
   * Their connection took the place of one that the server closed right after an answer, although it had promised to keep
   * it open. Absent in reports of older versions.
   */
  replaced?: number;
}

/** The result of one threshold. */
export interface GateResult {
  expression: string;
  verdict: 'pass' | 'fail' | 'no-data';
  /** The worst value of the cells judged, in `unit`: a number, a word for verdicts, null without data. */
  actual: number | string | null;
  unit: Unit | 'verdict';
  /** The cell that showed `actual`. */
  cell?: Cell;
  /** Set if the client's own lateness may affect the value in one of the cells. */
  clientLate?: true;
  /** The number of cells checked. */
  cells: { passed: number; failed: number; noData: number };
  /** Notes for the reader: too few samples, failed requests that the value does not include. */
  notes: string[];
}

/** The machine and the software that measured. */
export interface Environment {
  streambench: string;
  node: string;
  undici: string;
  os: string;
  arch: string;
  /** Count and memory are null in imported runs, whose machine is not recorded. */
  cpus: { model: string; count: number | null };
  memoryBytes: number | null;
  /** Commit of the repository that the run was started in, `-dirty` appended when it has changes. */
  gitCommit?: string;
  /** Branch of that repository; in a CI job the branch that the job names. */
  gitBranch?: string;
  ci?: boolean;
}

/** The scenario as the report keeps it: as it was written, so `${env:...}` stays unresolved. */
export interface ScenarioSummary {
  name: string;
  description?: string;
  /** SHA-256 over the scenario's content, prompts' files included; formatting and comments do not count. */
  hash: string;
  /** The document after command-line overrides, before `${env:...}` was resolved. */
  document: unknown;
}

/** Identity and extent of a run. */
export interface RunInfo {
  id: string;
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601; absent while the run goes on, or when it died. */
  endedAt?: string;
  /** Time the run took on the monotonic clock; absent in runs of older versions and where `endedAt` is. */
  durationMs?: number;
  /** True when the run did not do all that was planned. */
  aborted: boolean;
  /** Why it was aborted. */
  abortReason?: string;
  seed: number;
  /** Requests planned, without warm-up; null when limited by time. */
  planned: number | null;
  rounds: number;
  /** The trace that was replayed; absent without one. */
  trace?: TraceInfo;
  /** How requests were kept from sharing a prefix; absent in runs of versions that did not. */
  unique?: UniqueInfo;
  /** What prompts were drawn from, and their shared prefixes. Absent if all prompts are as written. */
  prompts?: readonly PromptInfo[];
  /** The times that it was continued with --resume; absent where it never was. */
  resumed?: readonly Resumption[];
  /** Measured requests that are in this report and not on disk, because writing failed; absent where all are. */
  unwritten?: number;
}

/** How a run's requests were kept from being answered out of a cache of prefixes. */
export interface UniqueInfo {
  /** With the seed it gives the nonces, up to the first time that the run was continued; see `createNonces`. */
  salt: string;
  /** Characters that a nonce adds in front of a prompt. */
  prefixChars: number;
  /** Targets and prompts whose requests were all the same bytes, and why. Empty: every request was unique. */
  same: readonly SameRequests[];
}

/** One continuation of a run that had ended before it was done. */
export interface Resumption {
  /** ISO 8601. */
  at: string;
  /** Records that the run had until then. */
  after: number;
  /** What the nonces of this part are drawn from, in place of the run's salt: the same would repeat its prompts. */
  salt?: string;
}

/** The process that is writing a run. */
export interface RunProcess {
  pid: number;
  host: string;
}

/** A run's report. Every output format is a pure function of this document. */
export interface Report {
  schema: 'streambench/report@3';
  run: RunInfo;
  environment: Environment;
  scenario: ScenarioSummary;
  /** The answer in a few lines. Absent in reports of older versions. */
  conclusion?: Conclusion;
  cells: CellReport[];
  /** Targets, and the modes of a target, compared within the run, with intervals. */
  pairedComparisons: PairedComparison[];
  /** The client's noise floor at each concurrency; empty where it was not measured. */
  floor: NoiseFloor[];
  /** What a request had to meet to count as good, as it was written. */
  objectives: readonly string[];
  gates: GateResult[];
  /** The search for the largest load that meets the objectives; absent where the run is no sweep. */
  sweep?: SweepReport;
  /** Against the baseline; absent where the run was compared with none. */
  baseline?: BaselineReport;
  /** Target B against target A; absent where the run is not gated on it. */
  ab?: AbGate;
  /** Which part of a run this is; absent for a whole one. Its gates are decided on the merged run. */
  shard?: ShardInfo;
  /** The machines that measured; absent where the run was not merged from shards. */
  machines?: MergedShards;
  /** The tool that measured; absent where streambench did. */
  origin?: Origin;
}

/** The part of a run's report that cannot be computed from its records. */
export interface Manifest {
  schema: 'streambench/manifest@1';
  run: RunInfo;
  environment: Environment;
  scenario: ScenarioSummary;
  /** The planned cells in table order, so that a cell without a single record still has its row. */
  cells: readonly Cell[];
  /** Gaps between content events of more than this are stalls. */
  stallMs: number;
  /** The thresholds, as written. */
  thresholds: readonly string[];
  /** What a request must meet to count as good, as it was written; absent where nothing was stated. */
  objectives?: readonly string[];
  /** The checks against a baseline, as they were written; absent where the defaults apply. */
  regressions?: readonly string[];
  /** The client's utilization; present once the run has ended. */
  loads?: readonly BlockUtilization[];
  /** How many requests the run has measured: its records, where all could be written; there when it ended. */
  records?: number;
  /** The scenario's file as the user named it: where relative paths of its document begin. */
  file?: string;
  /** The process that is writing the run; absent when it has ended. */
  process?: RunProcess;
  /** The comparison with the baseline; present once a run with a baseline has ended. */
  baseline?: BaselineReport;
  /** What the targets' tokens cost; absent where the scenario states no price. */
  prices?: readonly TargetPrice[];
  /** Metrics of the targets' servers before the first request. */
  servers?: readonly ServerIdle[];
  /** Metrics of the targets' servers during the run; present once the run has ended. */
  serverLoads?: readonly ServerLoad[];
  /** When the embedded simulator noticed planned cancels; present if there were any. Of the last part of a continued run. */
  cancelNotices?: readonly CancelNotice[];
  /** The client's noise floor at each load level; present if measured. */
  floor?: readonly NoiseFloor[];
  /** The settings of a sweep; absent for other runs. */
  sweep?: SweepSettings;
  /** True where the time limit of a sweep was over before the search had ended. */
  sweepOverBudget?: boolean;
  /** The gate of target B against target A. */
  ab?: AbSettings;
  /** Which part of a run this is; absent for a whole one. */
  shard?: ShardInfo;
  /** The machines that measured; absent where the run was not merged from shards. */
  machines?: MergedShards;
  /** Why a run with early stop ended when it did; present once it has ended. */
  abStop?: AbStop;
  /** The tool that measured; absent where streambench did. */
  origin?: Origin;
}
