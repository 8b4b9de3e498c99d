import { DASH, formatCount, formatShare, formatValue } from '../../model/format.ts';
import type { Report } from '../../model/report.ts';
import { shardInWords } from '../../model/shard.ts';
import type { ClockOffset, ShardReport } from '../../model/shard-report.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** The machines of a merged run, and what a shard is. */

/** What the reader of a shard's report must know; undefined for a whole run. */
export function shardNote({ shard }: Report): string | undefined {
  if (shard === undefined) return undefined;
  return `Shard ${shardInWords(shard)}, measured on ${oneLine(shard.host)}: one machine's part of the load. Thresholds and baselines are checked on the merged run: streambench merge RUN...`;
}

/** The columns of `machineRows`. */
export const MACHINE_COLUMNS = [
  'shard',
  'machine',
  'requests',
  'utilization',
  "server's clock",
  'start',
] as const;

/** One row for each machine of a merged run; empty for other runs. */
export function machineRows({ machines }: Report): string[][] {
  return (machines?.shards ?? []).map((shard) => [
    String(shard.number),
    oneLine(shard.host),
    formatCount(shard.requests),
    shard.utilization === null ? DASH : formatShare(shard.utilization),
    shard.clock.map(offsetInWords).join(', ') || DASH,
    startInWords(shard),
  ]);
}

function offsetInWords(
  { target, least, most }: ClockOffset,
  _index: number,
  all: readonly unknown[],
): string {
  const whose = all.length > 1 ? `${oneLine(target)} ` : '';
  return least > most ? `${whose}inconsistent` : `${whose}${signed(least)} to ${signed(most)} ms`;
}

function signed(ms: number): string {
  return ms > 0 ? `+${ms}` : String(ms);
}

function startInWords({ startLateMs, shiftMs }: ShardReport): string {
  if (startLateMs === undefined)
    return shiftMs === 0 ? 'first' : `${formatValue(shiftMs, 'ms')} after the first`;
  return startLateMs === null ? DASH : `${formatValue(startLateMs, 'ms')} after --start-at`;
}

// With less, a load level was reached for only part of the time.
const OVERLAP = 0.8;
// Machines with synchronized clocks differ by less.
const CLOCK_MS = 100;

/** Sentences about the machines of a merged run, those that limit its figures first. */
export function machineNotes(report: Report): string[] {
  const { machines } = report;
  if (machines === undefined) return [];
  const { shards } = machines;
  return [
    ...overlapNotes(report, machines.leastOverlap),
    ...clockNotes(shards),
    ...kindNotes(shards),
    `Merged from ${formatCount(shards.length)} shards. Times are those of each machine; only the common time axis uses the machines' clocks, uncorrected.`,
  ];
}

function overlapNotes({ cells }: Report, least: NonNullable<Report['machines']>['leastOverlap']): string[] {
  if (least === null) return [];
  const cell = cells[least.cell];
  const where = cell === undefined ? '' : ` (${cellName(cell)}, round ${least.round + 1})`;
  const share = formatShare(least.share);
  if (least.share >= OVERLAP)
    return [`All shards measured at the same time for at least ${share} of every block${where}.`];
  return [
    `The shards did not measure together: in one block${where} all were active for only ${share} of the time, so its load was lower than planned. Use --start-at, one round and a duration.`,
  ];
}

/** Pairs of machines whose clocks differ for certain, by the responses of one server. */
function clockNotes(shards: readonly ShardReport[]): string[] {
  const known = shards.flatMap(({ number, clock }) => clock.map((offset) => ({ number, ...offset })));
  let worst: { a: number; b: number; ms: number } | undefined;
  for (const one of known) {
    for (const other of known) {
      if (one.target !== other.target || one.least > one.most || other.least > other.most) continue;
      const ms = one.least - other.most;
      if (ms > CLOCK_MS && ms > (worst?.ms ?? 0)) worst = { a: one.number, b: other.number, ms };
    }
  }
  if (worst === undefined) return [];
  const { a, b, ms } = worst;
  return [
    `The clock of shard ${a} is at least ${formatValue(ms, 'ms')} behind that of shard ${b}, by the server's responses. Latencies are not affected; concurrency and throughput of the merged run are. Synchronize the clocks.`,
  ];
}

function kindNotes(shards: readonly ShardReport[]): string[] {
  const kinds = new Map<string, number[]>();
  for (const { number, os, arch, cpus } of shards) {
    const kind = `${os} ${arch}, ${cpus.count} × ${cpus.model.trim()}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), number]);
  }
  if (kinds.size < 2) return [];
  const list = Array.from(kinds, ([kind, numbers]) => `${oneLine(kind)} (shard ${numbers.join(', ')})`);
  return [`The machines differ: ${list.join('; ')}.`];
}
