import type { Environment } from './report.ts';
import type { Shard } from './shard.ts';

/** Which part of a run a machine measured. */
export interface ShardInfo extends Shard {
  /** Name of the machine. */
  host: string;
  /** Where its number comes from: `--shard`, or the scheduler's variable. */
  from?: string;
  /** The scheduler's job, or another text that only the shards of one run share. Absent: unknown. */
  group?: string;
  /** When all shards were to start, ISO 8601. The run's `startedAt` is then this time, by the machine's own clock. */
  startAt?: string;
}

/**
 * By how much a server's clock is ahead of the machine's, in ms, from the `date` headers of its responses: it is not below
 * `least` and not above `most`. The header has whole seconds, so the bounds get closer the more responses there are.
 */
export interface ClockOffset {
  target: string;
  least: number;
  most: number;
  responses: number;
}

/** One machine of a merged run. */
export interface ShardReport extends Shard, Pick<Environment, 'os' | 'arch' | 'cpus'> {
  host: string;
  /** The run of the shard. */
  run: string;
  group?: string;
  /** Start of its marks by its own clock, ISO 8601. */
  startedAt: string;
  /** Added to its marks, so that those of all machines count from the start of the first one. */
  shiftMs: number;
  /** With `--start-at`: how long after it the first request was started. Null without a request. */
  startLateMs?: number | null;
  requests: number;
  /** Why the shard is incomplete. */
  abortReason?: string;
  /** Of its busiest measuring thread, over all its windows, 0 to 1. Null if not measured. */
  utilization: number | null;
  /** The 99th percentile of its event loop delay, in the worst block. Null if not measured. */
  delayP99Ms: number | null;
  /** Its clock against those of the servers. Empty where no response had a `date`. */
  clock: readonly ClockOffset[];
  /** What its nonces are drawn from, with the seed. */
  salt?: string;
}

/** How far the shards of a block measured at the same time. */
export interface BlockOverlap {
  round: number;
  /** Index of the cell in the plan. */
  cell: number;
  /** The time in which all shards had requests in the block, over the time in which any had, 0 to 1. */
  share: number;
}

/** What is known about the machines of a merged run. */
export interface MergedShards {
  shards: readonly ShardReport[];
  /** The block in which the shards overlapped least; null without a block. */
  leastOverlap: BlockOverlap | null;
}
