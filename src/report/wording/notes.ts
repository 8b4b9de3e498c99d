import { cellKey, levelInWords } from '../../model/cells.ts';
import { DASH, formatCount, formatDuration, formatMemory, formatShare } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { CellReport, Report, RunInfo } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { hiddenReasoningNotes, refusedCountNotes } from './tokens.ts';

/** The sentences of a report, for the terminal and for markdown alike. */

/** Requests of a cell, whatever became of them. */
export function requestsOf({ outcomes }: Pick<CellReport, 'outcomes'>): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

/** A cell in words: `flash · short · 4 streams · non-streaming`. */
export function cellName({ target, prompt, mode, ...level }: Cell): string {
  return [oneLine(target), oneLine(prompt), levelInWords(level), mode].join(' · ');
}

/** Which run, when and for how long. */
export function runLine({ run }: Report): string {
  const took = durationOf(run);
  return [
    `run ${oneLine(run.id)}`,
    took === undefined ? 'end unknown' : `took ${formatDuration(took)}`,
    `${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}`,
    `seed ${run.seed}`,
    ...(run.resumed ?? []).map(({ after }) => `resumed after ${formatCount(after)} requests`),
  ].join(' · ');
}

/**
 * How long a run took, in ms; undefined where its end is not known. Runs of older versions have no other measure than the
 * wall clock, which may have been set in between.
 */
export function durationOf({ startedAt, endedAt, durationMs }: RunInfo): number | undefined {
  if (durationMs !== undefined) return durationMs;
  const took = endedAt === undefined ? Number.NaN : Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(took) ? Math.max(0, took) : undefined;
}

/** What measured. */
export function machineLine({ environment }: Report): string {
  const { streambench, node, undici, os, arch, cpus, memoryBytes, gitCommit } = environment;
  return [
    `streambench ${streambench}`,
    `Node ${node}`,
    `undici ${undici}`,
    `${os} ${arch}`,
    `${cpus.count} × ${cpus.model.replaceAll(/\s+/g, ' ').trim()}`,
    formatMemory(memoryBytes),
    ...(gitCommit ? [`commit ${gitCommit.replace(/^([0-9a-f]{7})[0-9a-f]+/, '$1')}`] : []),
  ]
    .map(oneLine)
    .join(' · ');
}

/** Says that the run is not whole, and what of it was measured; undefined for a whole run. */
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
      : 'no reason was given'
    : 'its end was not recorded';
  return `${run.aborted ? 'ABORTED' : 'UNFINISHED'}: ${why}. What follows is partial: ${share}.`;
}

/** Says that what is on disk is less than what is shown. */
function unwritten({ unwritten = 0 }: RunInfo): string | undefined {
  if (unwritten === 0) return undefined;
  const records = unwritten === 1 ? '1 record' : `${formatCount(unwritten)} records`;
  return `NOT STORED: ${records} could not be written. These figures are of all requests and cannot be made again.`;
}

/** Why a cell has no figures: its most frequent failure, or that it was never run. */
export function absence(cell: CellReport): string {
  if (requestsOf(cell) === 0) return `${DASH} not run`;
  const [worst] = cell.failures;
  return worst ? `${DASH} ${worst.kind}${worst.message ? `: ${oneLine(worst.message)}` : ''}` : DASH;
}

/** What a reader must know to take the figures for what they are. */
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
  cold: "opened by each block's first requests, then kept (cold)",
  'per-request': 'a new one for each request',
};

/** How connections were made, where that is not the default: what was asked for, as the scenario has it. */
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
    [http !== undefined && http !== 1, `HTTP/${http}, up to ${streamsPerSession} streams on a connection`],
    [unix, `over the unix socket ${unix}`],
    [proxy, proxy === 'env' ? 'by the proxy that the environment names' : `by the proxy ${proxy}`],
    [ip !== undefined && ip !== 'auto', `IPv${ip} only`],
    [dns === 'once', 'names looked up once'],
    [resolve, `to pinned addresses (${Array.isArray(resolve) ? resolve.join(', ') : resolve})`],
    [ca, 'trusting an authority of its own'],
    [insecure, 'certificates not checked'],
  ];
  return said.filter(([given]) => given).map(([, words]) => words);
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What the servers did to connections that were to be kept: a sentence or two for each target. */
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
        `${server} closed ${formatCount(replaced)} of ${formatCount(sent)} connections right after an answer, although it had promised to keep them open; new ones were opened ahead of time. It should send "connection: close", or keep them.`,
      );
    }
    if (reconnected > 0) {
      const [count, were] =
        reconnected === 1 ? ['1 request', 'was'] : [`${formatCount(reconnected)} requests`, 'were'];
      notes.push(
        `${server} closed open connections that requests had just been sent on: ${count} ${were} sent again on a new connection, and timed from then.`,
      );
    }
    return notes;
  });
}

function goodputNotes({ cells, objectives = [] }: Report): string[] {
  if (objectives.length === 0) return [];
  const unmeasured = cells.some(({ goodput, outcomes }) => !goodput && Object.keys(outcomes).length > 0);
  const rest = unmeasured ? ' Not told where one of these has no meaning.' : '';
  return [
    `Goodput: requests a second that met ${objectives.map(oneLine).join(' and ')}, and their share of all requests.${rest}`,
  ];
}

const TOKEN_SOURCES: Record<NonNullable<CellReport['tokenSource']>, string> = {
  usage: 'as the provider counts them (usage)',
  tokenizer: 'counted from the text by a tokenizer',
  chunks: 'estimated: content events, as the provider sends no usage',
  mixed: 'from several sources, as some answers had no usage',
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
    `Up to ${formatShare(most)} of content events shared a read with the one before; they have no gap of their own.`,
  ];
}

/** Where both modes were asked for and one has no answer, so that they are not compared. */
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
    `Streaming and non-streaming are not compared where one has no answer: ${cellName(first)}${more}: ${oneLine(message)}.`,
  ];
}

const OTHER_MODE = { streaming: 'non-streaming', 'non-streaming': 'streaming' } as const;

function sampleNotes(cells: readonly CellReport[]): string[] {
  const counts = cells.map(({ metrics }) => metrics.ttft?.n ?? 0).filter((n) => n > 0);
  return counts.some((n) => n < 20) ? ['With fewer than 20 answers the p95 is the largest value.'] : [];
}
