import type { MachinePart } from '../model/cells.ts';
import type {
  BlockUtilization,
  ClientVerdict,
  LoopUtilization,
  MetricLateness,
} from '../model/load-report.ts';
import type { MetricSummary } from '../model/report.ts';
import { METRICS, type MetricDefinition } from './definitions.ts';
import { tidy } from './distribution.ts';
import type { Stamp, StampTimes } from './stamps.ts';

/**
 * How late the client took the stamps of a metric. The client's load is known in slices of about 20 ms, and only the slices
 * that contain stamps of the metric count: a client that is idle for most of a window may still be late for every first token
 * if all requests start at once.
 */

/**
 * A metric is marked if its figures suffered: if the lateness of its stamps is a tenth of the figure, p99 against p99 or median
 * against median. Below `leastMs` lateness is the jitter of clock, event loop and machine.
 */
const LATENESS_LIMITS = { share: 0.1, leastMs: 3, saturated: 3 } as const;

/** The measurements of one cell that lateness is derived from. */
export interface LatenessSources {
  blocks: readonly BlockUtilization[];
  stamps: StampTimes;
  metrics: Readonly<Record<string, MetricSummary | null>>;
}

/** The client's lateness for each metric of a cell; empty if the load is not known in slices. */
export function latenessOf({ blocks, stamps, metrics }: LatenessSources): Record<string, MetricLateness> {
  const known = blocks.flatMap(({ round, part, shard, threads }) => {
    const timelines = threads.flatMap((load) => loadTimeline(load) ?? []);
    return timelines.length === 0 ? [] : [{ round, part, shard, timelines }];
  });
  const byStamp = new Map<Stamp, Late | null>();
  const lateAt = (stamp: Stamp) => {
    let late = byStamp.get(stamp);
    if (late === undefined) {
      late = weigh(known, stamps, stamp);
      byStamp.set(stamp, late);
    }
    return late;
  };
  const found: Record<string, MetricLateness> = {};
  for (const definition of METRICS) {
    const { name, stamp } = definition;
    const summary = metrics[name];
    const late = summary && stamp ? lateAt(stamp) : null;
    if (!summary || !late) continue;
    // A time since the request was due includes the client's delay in sending it.
    const sentLateMs = definition.sinceDue ? (metrics.queue?.p99 ?? 0) : 0;
    found[name] = judge(late, sentLateMs, limitsOf(definition, summary, metrics));
  }
  return found;
}

/** From which lateness on the p50 and the p99 of a figure are marked. */
interface Limits {
  p50Ms: number;
  p99Ms: number;
}

function limitsOf(
  { overSpan }: MetricDefinition,
  { p50, p99 }: MetricSummary,
  { latency, ttft }: LatenessSources['metrics'],
): Limits {
  const { share, leastMs } = LATENESS_LIMITS;
  const spanMs = (latency?.p50 ?? 0) - (ttft?.p50 ?? 0);
  const limit = (figureMs: number) => Math.max(leastMs, share * (overSpan ? spanMs : figureMs));
  return { p50Ms: limit(p50), p99Ms: limit(p99) };
}

function judge({ p50Ms, p99Ms, utilization }: Late, sentLateMs: number, limits: Limits): MetricLateness {
  const lateMs = p99Ms + sentLateMs;
  // In limits: how much of what is allowed was used up.
  const used = Math.max(lateMs / limits.p99Ms, p50Ms / limits.p50Ms);
  const verdict: ClientVerdict =
    used < 1 ? 'ok' : used < LATENESS_LIMITS.saturated ? 'strained' : 'saturated';
  return { verdict, lateMs: tidy(lateMs), limitMs: tidy(limits.p99Ms), utilization: tidy(utilization) };
}

interface Late {
  p50Ms: number;
  p99Ms: number;
  utilization: number;
}

interface LoadTimeline {
  fromMs: number;
  toMs: number;
  /** Where each slice ends, in ms from the start of the run. */
  ends: Float64Array;
  slices: NonNullable<LoopUtilization['slices']>;
}

function loadTimeline({ fromMs, slices }: LoopUtilization): LoadTimeline | undefined {
  if (fromMs === undefined || slices === undefined || slices.length === 0) return undefined;
  let at = fromMs;
  const ends = Float64Array.from(slices, ([lengthMs]) => (at += lengthMs));
  return { fromMs, toMs: at, slices, ends };
}

/** The lateness of these stamps, p50 and p99: each has the lateness of its slice, the worst of all threads. */
function weigh(
  blocks: readonly (MachinePart & { timelines: readonly LoadTimeline[] })[],
  stamps: StampTimes,
  stamp: Stamp,
): Late | null {
  const weights = new Map<number, number>();
  let total = 0;
  let busy = 0;
  for (const { timelines, ...block } of blocks) {
    stamps.each(stamp, block, (atMs, count) => {
      let [lateMs, busyPercent] = [0, 0];
      const covering = timelines.filter(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
      for (const timeline of covering.length > 0 ? covering : timelines) {
        const [, percent, late] = sliceAt(timeline, atMs);
        lateMs = Math.max(lateMs, late);
        busyPercent = Math.max(busyPercent, percent);
      }
      weights.set(lateMs, (weights.get(lateMs) ?? 0) + count);
      total += count;
      busy += (busyPercent / 100) * count;
    });
  }
  if (total === 0) return null;
  let below = 0;
  let p50Ms: number | undefined;
  for (const [lateMs, count] of [...weights].sort(([a], [b]) => a - b)) {
    below += count;
    if (below >= Math.ceil(0.5 * total)) p50Ms ??= lateMs;
    if (below >= Math.ceil(0.99 * total))
      return { p50Ms: p50Ms ?? lateMs, p99Ms: lateMs, utilization: busy / total };
  }
  return null;
}

/** The slice at this time. A timeline has at least one slice, and a binary search stays within it (`!`). */
function sliceAt(
  { ends, slices }: LoadTimeline,
  atMs: number,
): NonNullable<LoopUtilization['slices']>[number] {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return slices[low]!;
}
