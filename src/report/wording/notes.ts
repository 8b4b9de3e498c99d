import { cellKey, levelInWords } from '../../model/cells.ts';
import { DASH, formatCount, formatDuration, formatMemory, formatShare } from '../../model/format.ts';
import { originInWords } from '../../model/origin.ts';
import type { Cell } from '../../model/plan.ts';
import type { CellReport, Report, RunInfo } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { hiddenReasoningNotes, refusedCountNotes } from './tokens.ts';

/** Sentences about the run as a whole, for every format. */

/** Number of requests of a cell, with any outcome. */
export function requestsOf({ outcomes }: Pick<CellReport, 'outcomes'>): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

/** A cell in words: `flash · short · 4 streams · non-streaming`. */
export function cellName({ target, prompt, mode, ...level }: Cell): string {
  return [oneLine(target), oneLine(prompt), levelInWords(level), mode].join(' · ');
}

/** Id, duration, rounds and seed of the run. */
export function runLine({ run, sweep, origin }: Report): string {
  const took = origin === undefined ? durationOf(run) : run.durationMs;
  const measurements = sweep?.points.reduce((sum, point) => sum + point.measurements, 0);
  return [
    `run ${oneLine(run.id)}`,
    took === undefined
      ? origin === undefined
        ? 'end unknown'
        : 'duration not recorded'
      : `took ${formatDuration(took)}`,
    measurements === undefined
      ? `${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}`
      : `${measurements} ${measurements === 1 ? 'measurement' : 'measurements'}`,
    ...(origin === undefined ? [`seed ${run.seed}`] : []),
    ...(run.resumed ?? []).map(({ after }) => `resumed after ${formatCount(after)} requests`),
  ].join(' · ');
}

/**
 * The duration of a run in ms; undefined if its end is unknown. For runs of older versions it is a difference of wall-clock
 * times, which is wrong if the clock was set meanwhile.
 */
export function durationOf({ startedAt, endedAt, durationMs }: RunInfo): number | undefined {
  if (durationMs !== undefined) return durationMs;
  const took = endedAt === undefined ? Number.NaN : Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(took) ? Math.max(0, took) : undefined;
}

/** The software and the machine that measured. */
export function machineLine({ environment, origin }: Report): string {
  if (origin !== undefined) {
    const tool = oneLine(originInWords(origin));
    return `measured by ${tool} · imported by streambench ${environment.streambench} · machine not recorded`;
  }
  const { streambench, node, undici, os, arch, cpus, memoryBytes, gitCommit } = environment;
  return [
    `streambench ${streambench}`,
    `Node ${node}`,
    `undici ${undici}`,
    `${os} ${arch}`,
    `${cpus.count} × ${cpus.model.replaceAll(/\s+/g, ' ').trim()}`,
    ...(memoryBytes === null ? [] : [formatMemory(memoryBytes)]),
    ...(gitCommit ? [`commit ${gitCommit.replace(/^([0-9a-f]{7})[0-9a-f]+/, '$1')}`] : []),
  ]
    .map(oneLine)
    .join(' · ');
}

/** Why the run is incomplete, and how much was measured; undefined for a complete run. */
export function incompleteness({ run, cells }: Report): string | undefined {
  if (!run.aborted && run.endedAt) return unwritten(run);
  const measured = cells.reduce((sum, cell) => sum + requestsOf(cell), 0);
  const share =
    run.planned === null
      ? `${formatCount(measured)} requests`
      : `${formatCount(measured)} of ${formatCount(run.planned)} planned requests`;
  const why = run.aborted
    ? run.abortReason
      ? oneLine(run.abortReason)
      : 'no reason recorded'
    : 'no end recorded';
  return `${run.aborted ? 'ABORTED' : 'UNFINISHED'}: ${why}. Partial results: ${share}.`;
}

/** Says that the run folder has fewer records than the report. */
function unwritten({ unwritten = 0 }: RunInfo): string | undefined {
  if (unwritten === 0) return undefined;
  const records = unwritten === 1 ? '1 record' : `${formatCount(unwritten)} records`;
  return `NOT STORED: ${records} could not be written. This report includes them, but cannot be rebuilt from the run folder.`;
}

/** Why a cell has no figures: its most frequent failure, or `not run`. */
export function absence(cell: CellReport): string {
  if (requestsOf(cell) === 0) return `${DASH} not run`;
  const [worst] = cell.failures;
  if (worst === undefined && cell.outcomes.cut) return `${DASH} cut at the end of the window`;
  return worst ? `${DASH} ${worst.kind}${worst.message ? `: ${oneLine(worst.message)}` : ''}` : DASH;
}

/** Notes that explain the figures. */
export function notes(report: Report): string[] {
  const { cells } = report;
  return [
    ...connectionNotes(report),
    ...closedNotes(cells),
    ...goodputNotes(report),
    ...tokenNotes(report),
    ...hiddenReasoningNotes(cells),
    ...refusedCountNotes(cells),
    ...coalescedNotes(cells),
    ...modeNotes(cells),
    ...sampleNotes(cells),
  ];
}

const CONNECTION_USE: Readonly<Record<string, string>> = {
  cold: 'opened by the first requests of each block, then reused (cold)',
  'per-request': 'one per request',
};

/** The connection settings of the scenario that are not at their defaults. */
function connectionNotes({ scenario }: Report): string[] {
  const { connection, targets } = asFields(scenario.document);
  const ways = (Array.isArray(targets) ? targets : []).map(asFields).map((target) => ({
    name: oneLine(String(target.name)),
    way: connectionWay(target).join(', '),
  }));
  const same = ways.every(({ way }) => way === ways[0]?.way);
  const said = same
    ? [ways[0]?.way]
    : ways.map(({ name, way }) => (way === '' ? undefined : `${name}: ${way}`));
  const parts = [CONNECTION_USE[String(connection)], ...said].filter((part) => part);
  return parts.length === 0 ? [] : [`Connections: ${oneLine(parts.join('; '))}.`];
}

function connectionWay(target: Readonly<Record<string, unknown>>): string[] {
  const { http, streamsPerSession = 100, proxy, unix, ip, dns, resolve, ca, insecure } = target;
  const said: [unknown, string][] = [
    [http !== undefined && http !== 1, `HTTP/${http}, up to ${streamsPerSession} streams per connection`],
    [unix, `through the Unix socket ${unix}`],
    [proxy, proxy === 'env' ? 'through the proxy of the environment' : `through the proxy ${proxy}`],
    [ip !== undefined && ip !== 'auto', `IPv${ip} only`],
    [dns === 'once', 'one DNS lookup per run'],
    [resolve, `pinned addresses (${Array.isArray(resolve) ? resolve.join(', ') : resolve})`],
    [ca, 'additional trusted certificates'],
    [insecure, 'certificates not verified'],
  ];
  return said.filter(([given]) => given).map(([, words]) => words);
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** How the servers closed connections that should stay open: up to two sentences per target. */
function closedNotes(cells: readonly CellReport[]): string[] {
  const targets = [...new Set(cells.map(({ target }) => target))];
  return targets.flatMap((target) => {
    const sum = (of: (counts: CellReport['connections']) => number | undefined) =>
      cells.reduce((total, cell) => total + (cell.target === target ? (of(cell.connections) ?? 0) : 0), 0);
    const server = targets.length === 1 ? 'The server' : `The server of ${oneLine(target)}`;
    const sent = sum((counts) => counts.new) + sum((counts) => counts.reused);
    const replaced = sum((counts) => counts.replaced);
    const reconnected = sum((counts) => counts.reconnected);
    const notes: string[] = [];
    if (replaced > 0) {
      notes.push(
        `${server} closed ${formatCount(replaced)} of ${formatCount(sent)} connections right after an answer without announcing it; the client opened new ones in advance. The server should keep connections open, or send "connection: close".`,
      );
    }
    if (reconnected > 0) {
      const [count, were] =
        reconnected === 1 ? ['1 request', 'was'] : [`${formatCount(reconnected)} requests`, 'were'];
      notes.push(
        `${server} closed open connections just as requests were sent: ${count} ${were} resent on a new connection and timed from then.`,
      );
    }
    return notes;
  });
}

function goodputNotes({ cells, objectives = [] }: Report): string[] {
  if (objectives.length === 0) return [];
  const unmeasured = cells.some(({ goodput, outcomes }) => !goodput && Object.keys(outcomes).length > 0);
  const rest = unmeasured ? ' Omitted where an objective does not apply.' : '';
  return [
    `Goodput: requests per second that met ${objectives.map(oneLine).join(' and ')}, and their share of all requests.${rest}`,
  ];
}

const TOKEN_SOURCES: Record<NonNullable<CellReport['tokenSource']>, string> = {
  usage: 'counted by the provider (usage)',
  tokenizer: 'counted from the text by a tokenizer',
  chunks: 'estimated as one per content event, because the provider sends no usage',
  mixed: 'from several sources, because some answers had no usage',
};

function tokenNotes({ cells, scenario }: Report): string[] {
  const { tokenizer } = asFields(scenario.document);
  const targets = new Map<string, Set<string>>();
  for (const { tokenSource } of cells) if (tokenSource) targets.set(tokenSource, new Set());
  for (const { tokenSource, target, mode } of cells) {
    if (tokenSource) targets.get(tokenSource)?.add(`${oneLine(target)} (${mode})`);
  }
  return Array.from(targets, ([source, names]) => {
    const whose = targets.size > 1 ? ` of ${[...names].join(', ')}` : '';
    const words = TOKEN_SOURCES[source as keyof typeof TOKEN_SOURCES];
    const named = source === 'tokenizer' && typeof tokenizer === 'string' ? ` (${oneLine(tokenizer)})` : '';
    return `Output tokens${whose}: ${words}${named}.`;
  });
}

function coalescedNotes(cells: readonly CellReport[]): string[] {
  const shares = cells.map(({ coalescedShare }) => coalescedShare ?? 0);
  const most = Math.max(0, ...shares);
  if (most < 0.1) return [];
  return [
    `Up to ${formatShare(most)} of content events shared a socket read with the previous event; they have no gap.`,
  ];
}

/** Says which cells are not compared, because one of the two modes has no successful answer. */
function modeNotes(cells: readonly CellReport[]): string[] {
  const byKey = new Map(cells.map((cell) => [cellKey(cell), cell]));
  const failed = cells.filter((cell) => {
    const other = byKey.get(cellKey({ ...cell, mode: OTHER_MODE[cell.mode] }));
    return other?.outcomes.ok && !cell.outcomes.ok && cell.failures.length > 0;
  });
  const [first, ...others] = failed;
  if (first === undefined) return [];
  const { kind, message = kind } = first.failures[0]!;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return [
    `Streaming and non-streaming are not compared where one mode has no successful answer: ${cellName(first)}${more}: ${oneLine(message)}.`,
  ];
}

const OTHER_MODE = { streaming: 'non-streaming', 'non-streaming': 'streaming' } as const;

function sampleNotes(cells: readonly CellReport[]): string[] {
  const counts = cells.map(({ metrics }) => metrics.ttft?.n ?? 0).filter((n) => n > 0);
  return counts.some((n) => n < 20) ? ['With fewer than 20 answers the p95 is the largest value.'] : [];
}
