import type { RoundPart } from '../model/cells.ts';
import type { BlockLoad, ClientVerdict, LoopLoad, MetricLateness } from '../model/load-report.ts';
import type { MetricSummary } from '../model/report.ts';
import { tidy } from './distribution.ts';
import type { Stamp, StampTimes } from './stamps.ts';

/**
 * How late the client stamped what a figure is made of. The load of the client is known in slices of some 20 ms; of a figure
 * only the slices count in which its stamps fell: a client that is idle for most of a window may still be late for every
 * first token, where all requests begin at once.
 */

/** Which stamp a figure ends with. A figure that is not here is not a time, or is the client's own. */
const STAMP_OF: Readonly<Record<string, Stamp>> = {
  ttfb: 'headers',
  ttfb_body: 'firstByte',
  ttfe: 'firstEvent',
  ttft: 'firstToken',
  ttfa: 'firstAnswer',
  ttst: 'content',
  gap: 'content',
  longest_gap: 'content',
  tpot: 'lastToken',
  chunk_rate: 'lastToken',
  token_rate: 'lastToken',
  latency: 'lastToken',
  total: 'end',
  reader_wait: 'content',
  tail: 'end',
  connect: 'connected',
  dns: 'connected',
  tcp: 'connected',
  tls: 'connected',
  ttfb_scheduled: 'headers',
  ttft_scheduled: 'firstToken',
  ttfa_scheduled: 'firstAnswer',
  latency_scheduled: 'lastToken',
  total_scheduled: 'end',
};

/** Of the whole answer's time: one late stamp is shared by all of its tokens. */
const OF_THE_SPAN: ReadonlySet<string> = new Set(['tpot', 'chunk_rate', 'token_rate']);

/**
 * A figure is marked from this lateness (p99) on: a tenth of its own p99, but no less than the clock, the loop and the
 * machine cost anyway, and no more than a person would want to know of.
 */
export const LATENESS_LIMITS = { share: 0.1, leastMs: 3, mostMs: 10, saturated: 3 } as const;

/** What lateness is judged from. */
export interface LatenessSources {
  /** Of one cell. */
  blocks: readonly BlockLoad[];
  stamps: StampTimes;
  metrics: Readonly<Record<string, MetricSummary | null>>;
}

/** The client's lateness for each figure of a cell; empty where the load is not known in slices. */
export function latenessOf({ blocks, stamps, metrics }: LatenessSources): Record<string, MetricLateness> {
  const known = blocks.flatMap(({ round, part, threads }) => {
    const timelines = threads.flatMap((load) => timelineOf(load) ?? []);
    return timelines.length === 0 ? [] : [{ round, part, timelines }];
  });
  const byStamp = new Map<Stamp, Late | null>();
  const lateAt = (stamp: Stamp) => {
    if (!byStamp.has(stamp)) byStamp.set(stamp, weigh(known, stamps, stamp));
    return byStamp.get(stamp)!;
  };
  const found: Record<string, MetricLateness> = {};
  for (const [name, stamp] of Object.entries(STAMP_OF)) {
    const summary = metrics[name];
    const late = summary ? lateAt(stamp) : null;
    if (!summary || !late) continue;
    // Counted from when a request was due, what it was sent late is in the figure too.
    const sentLateMs = name.endsWith('_scheduled') ? (metrics.queue?.p99 ?? 0) : 0;
    found[name] = judge(late, sentLateMs, limitOf(name, summary, metrics));
  }
  return found;
}

function limitOf(
  name: string,
  { p99 }: MetricSummary,
  { latency, ttft }: LatenessSources['metrics'],
): number {
  const { share, leastMs, mostMs } = LATENESS_LIMITS;
  if (OF_THE_SPAN.has(name)) return Math.max(leastMs, share * ((latency?.p50 ?? 0) - (ttft?.p50 ?? 0)));
  return Math.min(mostMs, Math.max(leastMs, share * p99));
}

function judge({ p99Ms, utilization }: Late, sentLateMs: number, limitMs: number): MetricLateness {
  const lateMs = p99Ms + sentLateMs;
  const verdict: ClientVerdict =
    lateMs < limitMs ? 'ok' : lateMs < LATENESS_LIMITS.saturated * limitMs ? 'strained' : 'saturated';
  return { verdict, lateMs: tidy(lateMs), limitMs: tidy(limitMs), utilization: tidy(utilization) };
}

interface Late {
  p99Ms: number;
  utilization: number;
}

interface Timeline {
  /** Where each slice ends, in ms from the start of the run. */
  ends: Float64Array;
  slices: NonNullable<LoopLoad['slices']>;
}

function timelineOf({ fromMs, slices }: LoopLoad): Timeline | undefined {
  if (fromMs === undefined || slices === undefined || slices.length === 0) return undefined;
  let at = fromMs;
  return { slices, ends: Float64Array.from(slices, ([lengthMs]) => (at += lengthMs)) };
}

/** The lateness of these stamps, each that of the slice it fell in. Of several threads the worst one counts. */
function weigh(
  blocks: readonly (RoundPart & { timelines: readonly Timeline[] })[],
  stamps: StampTimes,
  stamp: Stamp,
): Late | null {
  const weights = new Map<number, number>();
  let total = 0;
  let busy = 0;
  for (const { timelines, ...block } of blocks) {
    stamps.each(stamp, block, (atMs, count) => {
      let [lateMs, busyPercent] = [0, 0];
      for (const timeline of timelines) {
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
  for (const [lateMs, count] of [...weights].sort(([a], [b]) => a - b)) {
    below += count;
    if (below >= Math.ceil(0.99 * total)) return { p99Ms: lateMs, utilization: busy / total };
  }
  return null;
}

function sliceAt({ ends, slices }: Timeline, atMs: number): NonNullable<LoopLoad['slices']>[number] {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return slices[low]!;
}
