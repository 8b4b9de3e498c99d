import { formatShare, formatValue } from '../model/format.ts';
import type {
  ClientReport,
  ClientVerdict,
  LoopUtilization,
  MetricLateness,
  ServerReading,
  ServerReport,
  ServerSummary,
} from '../model/load-report.ts';
import type { LoadLevel } from '../model/plan.ts';
import { tidy } from './distribution.ts';
import { servingReport } from './serving-report.ts';

/** The figures of a cell that depend on the client's load. */
export interface ClientFigures {
  /** 99th percentile of started - scheduled, in ms. */
  latenessP99Ms: number | null;
  /** Median time to first token, in ms. */
  ttftMs?: number;
  newConnectionShare: number | null;
  reads: number;
  events: number;
}

/**
 * Thresholds of the verdicts `strained` and `saturated` for a cell as a whole. If the lateness of its figures is known, they
 * decide about `strained`, and only a sign that their lateness may be underestimated is left: an event loop that is hardly ever
 * idle. Requests that are sent late are compared with the time to first token as well.
 */
export const CLIENT_LIMITS = {
  utilization: { strained: 0.5, saturated: 0.7 },
  delayP99Ms: { strained: 10, saturated: 50 },
  latenessP99Ms: { strained: 5, saturated: 50 },
} as const;

/** Requests that are sent late by less than this share of the median time to first token harm no figure. */
const LATE_SHARE = { strained: 0.1, saturated: 0.3 } as const;

/**
 * Whether the client kept up in a cell; null if its load was not measured. Each item of `blocks` is a round. `metrics`: the
 * client's lateness for each metric.
 */
export function clientReport(
  blocks: readonly (readonly LoopUtilization[])[],
  figures: ClientFigures,
  metrics: Readonly<Record<string, MetricLateness>> = {},
): ClientReport | null {
  const threads = blocks.flat();
  if (threads.length === 0) return null;
  const worst = (of: (load: LoopUtilization) => number) => Math.max(...threads.map(of));
  // CPU time is that of the process: every thread of a block reports the same.
  const cpuMs = blocks.reduce((sum, [first]) => sum + (first?.cpuMs ?? 0), 0);
  const windowMs = blocks.reduce((sum, [first]) => sum + (first?.windowMs ?? 0), 0);
  const load = {
    utilization: maxUtilization(blocks),
    delayP99Ms: worst(({ delayP99Ms }) => delayP99Ms),
    delayMaxMs: worst(({ delayMaxMs }) => delayMaxMs),
    gcShare: worst(({ gcMs, windowMs }) => (windowMs > 0 ? gcMs / windowMs : 0)),
    cpuCores: windowMs > 0 ? cpuMs / windowMs : 0,
    threads: Math.max(...blocks.map((block) => block.length)),
  };
  const { ttftMs, ...shown } = figures;
  const whole = judge({
    ...{ ...load, ttftMs, latenessP99Ms: figures.latenessP99Ms },
    knowsFigures: Object.keys(metrics).length > 0,
  });
  return { ...withFigures(whole, metrics), ...load, ...shown, metrics };
}

/**
 * The same for a cell that several machines measured, each with its own blocks: the report of the machine that kept up worst, with
 * its number in the reason. `threads`: of all machines.
 */
export function clientReportOfMachines(
  machines: ReadonlyMap<number, readonly (readonly LoopUtilization[])[]>,
  figures: ClientFigures,
  metrics: Readonly<Record<string, MetricLateness>> = {},
): ClientReport | null {
  let worst: ClientReport | null = null;
  let threads = 0;
  for (const [number, blocks] of machines) {
    const report = clientReport(blocks, figures, metrics);
    if (report === null) continue;
    threads += report.threads;
    if (worst === null || isWorse(report, worst))
      worst = { ...report, reason: `shard ${number}: ${report.reason}` };
  }
  return worst && { ...worst, threads };
}

function isWorse(a: ClientReport, b: ClientReport): boolean {
  const [rankA, rankB] = [a, b].map(({ verdict }) => VERDICTS.indexOf(verdict));
  return rankA === rankB ? a.utilization > b.utilization : (rankA ?? 0) < (rankB ?? 0);
}

const VERDICTS = ['saturated', 'strained', 'ok'] as const satisfies readonly ClientVerdict[];

const WORST_FIRST = ['saturated', 'strained'] as const satisfies readonly ClientVerdict[];

interface Judgement {
  verdict: ClientVerdict;
  reason: string;
}

// A client that kept up on average may still have been late for one of the metrics.
function withFigures(whole: Judgement, metrics: Readonly<Record<string, MetricLateness>>): Judgement {
  const late = Object.entries(metrics)
    .filter(([, { verdict }]) => verdict !== 'ok')
    .sort(([, a], [, b]) => b.lateMs - a.lateMs);
  const latest = late[0]?.[1];
  if (latest === undefined) return whole;
  const verdicts = [whole.verdict, ...late.map(([, { verdict }]) => verdict)];
  const names = late.map(([name]) => name);
  const shown =
    names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
  const figures = `it took the stamps of ${shown} up to ${formatValue(latest.lateMs, 'ms')} late (p99)`;
  return {
    verdict: WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? 'ok',
    reason: whole.verdict === 'ok' ? figures : `${whole.reason}; ${figures}`,
  };
}

/** Utilization of the busiest thread over all its rounds: a single round may last only a few milliseconds. */
export function maxUtilization(blocks: readonly (readonly LoopUtilization[])[]): number {
  const count = Math.max(...blocks.map((block) => block.length));
  const shares = Array.from({ length: count }, (_, index) => {
    const rounds = blocks.flatMap((block) => block[index] ?? []);
    const windowMs = rounds.reduce((sum, load) => sum + load.windowMs, 0);
    const activeMs = rounds.reduce((sum, load) => sum + load.windowMs * load.utilization, 0);
    return windowMs > 0 ? activeMs / windowMs : 0;
  });
  return Math.max(0, ...shares);
}

/** The load of a cell as a whole. `knowsFigures`: the lateness of its figures is judged by itself. */
interface WholeLoad {
  utilization: number;
  delayP99Ms: number;
  latenessP99Ms: number | null;
  ttftMs: number | undefined;
  knowsFigures: boolean;
}

function judge({ utilization, delayP99Ms, latenessP99Ms, ttftMs = 0, knowsFigures }: WholeLoad): Judgement {
  const utilizationText = `its event loop utilization was ${formatShare(utilization)}`;
  for (const verdict of WORST_FIRST) {
    const reasons: string[] = [];
    const isBusy = utilization >= CLIENT_LIMITS.utilization[verdict];
    if (isBusy && (verdict === 'saturated' || !knowsFigures)) reasons.push(utilizationText);
    if (!knowsFigures && delayP99Ms >= CLIENT_LIMITS.delayP99Ms[verdict])
      reasons.push(`its event loop was ${formatValue(delayP99Ms, 'ms')} late (p99)`);
    const sentLimitMs = Math.max(CLIENT_LIMITS.latenessP99Ms[verdict], LATE_SHARE[verdict] * ttftMs);
    if (latenessP99Ms !== null && latenessP99Ms >= sentLimitMs)
      reasons.push(`it sent requests ${formatValue(latenessP99Ms, 'ms')} late (p99)`);
    if (reasons.length > 0) return { verdict, reason: reasons.join('; ') };
  }
  return { verdict: 'ok', reason: utilizationText };
}

/**
 * The server metrics of a cell; each item of `blocks` is a round. A metric that the server does not expose is null, never 0.
 */
export function serverReport(
  idle: ServerReading | null,
  blocks: readonly ServerSummary[],
  { concurrency, rate }: LoadLevel,
): ServerReport {
  const most = (of: (block: ServerSummary) => number | null): number | null => {
    const known = blocks.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const grown = (before: number | null | undefined, max: number | null) =>
    before == null || max === null ? null : { before, max: Math.max(before, max) };
  const memory = grown(
    idle?.memoryBytes,
    most(({ memoryBytes }) => memoryBytes),
  );
  const cpuCores = most(({ cpuCores }) => cpuCores);
  return {
    memoryBytes: memory,
    // The number of streams of an open loop is not fixed.
    memoryPerStreamBytes:
      memory === null || rate !== undefined ? null : Math.round((memory.max - memory.before) / concurrency),
    openFiles: grown(
      idle?.openFiles,
      most(({ openFiles }) => openFiles),
    ),
    cpuCores: cpuCores === null ? null : tidy(cpuCores),
    readings: blocks.reduce((sum, { readings }) => sum + readings, 0),
    failed: blocks.reduce((sum, { failed }) => sum + failed, 0),
    serving: servingReport(blocks.flatMap(({ serving }) => serving ?? [])),
  };
}
