import { nameOfVerdict } from '../../analysis/streaming/streaming-verdict.ts';
import { levelInWords } from '../../model/cells.ts';
import { DASH, formatCount, formatNumber, formatShare, formatValue } from '../../model/format.ts';
import type { ClientReport, ServerReport } from '../../model/load-report.ts';
import type { PairedComparison } from '../../model/paired-comparison.ts';
import type { CellReport, GateResult, Report, StreamArrivals, VerdictKind } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** Sentences about thresholds, streams, the client and the servers, for every format. */

/** The result of one threshold, as text. */
export interface ThresholdLine {
  verdict: GateResult['verdict'];
  expression: string;
  /** What was measured, and where. */
  detail: string;
}

/** The results of the thresholds; failures come first. */
export function thresholdLines({ gates }: Report): ThresholdLine[] {
  const order = { fail: 0, 'no-data': 1, pass: 2 };
  return [...gates]
    .sort((a, b) => order[a.verdict] - order[b.verdict])
    .map((gate) => ({
      verdict: gate.verdict,
      expression: oneLine(gate.expression),
      detail: [actual(gate), ...gate.notes].map(oneLine).join('; '),
    }));
}

function actual({ actual, unit, cell, cells, verdict }: GateResult): string {
  if (actual === null) return 'no data';
  const judged = cells.passed + cells.failed + cells.noData;
  const value = typeof actual === 'string' || unit === 'verdict' ? String(actual) : formatValue(actual, unit);
  const where = cell === undefined ? '' : ` (${judged > 1 ? 'worst: ' : ''}${cellName(cell)})`;
  const failed = verdict === 'fail' && cells.failed < judged ? `, ${cells.failed} of ${judged} cells` : '';
  return `${value}${where}${failed}`;
}

/** A cell whose verdict is not `streaming`. */
export interface StreamFinding {
  verdict: Exclude<VerdictKind, 'streaming'>;
  evidence: string;
  where: string;
  /** When the content of a typical stream arrived. */
  arrivals?: StreamArrivals;
  /** Possible causes with remedies; each is listed once per target. */
  causes: string[];
}

const REPORTED = ['buffered', 'replayed', 'tail_buffered', 'coarse', 'inconclusive'] as const;

/** The findings, most severe first. Cells without a successful request have none. */
export function streamFindings({ cells }: Report): StreamFinding[] {
  const seen = new Set<string>();
  return REPORTED.flatMap((verdict) =>
    cells.flatMap((cell): StreamFinding[] => {
      const { streaming, target } = cell;
      if (!streaming || nameOfVerdict(streaming.verdict) !== verdict || !cell.outcomes.ok) return [];
      const causes = (streaming.causes ?? [])
        .map(({ what, remedy }) => oneLine(`${what}: ${remedy}`))
        .filter((cause) => !seen.has(`${target}\n${cause}`));
      for (const cause of causes) seen.add(`${target}\n${cause}`);
      const { arrivals } = streaming;
      return [{ verdict, evidence: oneLine(streaming.evidence), where: cellPlace(cell), arrivals, causes }];
    }),
  );
}

// A late client finds many events in one read, whatever the server does.
function cellPlace(cell: CellReport): string {
  const late = cell.client?.verdict === 'saturated' ? ' (client saturated: it may be the cause)' : '';
  return `${cellName(cell)}${late}`;
}

/** Whether the client kept up: one sentence for the run, or one each for saturated and strained cells. */
export function clientLines({ cells }: Report): string[] {
  if (cells.every(({ client }) => client == null)) return [];
  const late = cells.filter(({ client }) => client != null && client.verdict !== 'ok');
  if (late.length === 0) return [`The client kept up: ${utilization(cells)}.`];
  // A cell without a successful request has no figures.
  const measured = late.filter(({ outcomes }) => (outcomes.ok ?? 0) > 0);
  return (['saturated', 'strained'] as const).flatMap((verdict) => {
    const [first, ...others] = measured.filter(({ client }) => client?.verdict === verdict);
    if (first === undefined) return [];
    const where =
      others.length === 0 ? `at ${cellName(first)}` : `in ${others.length + 1} of ${cells.length} cells`;
    const example = others.length === 0 ? '' : `, for example at ${cellName(first)}`;
    return [
      `The client was ${verdict} ${where}: ${oneLine(first.client?.reason ?? '')}${example}. These figures include client lateness.`,
    ];
  });
}

/** The client's utilization, unless `clientLines` contains it, and the number of connections, events and reads. */
export function loadLines({ cells }: Report): string[] {
  if (cells.every(({ client }) => client == null)) return [];
  const late = cells.some(({ client }) => client != null && client.verdict !== 'ok');
  return [...(late ? [`Client utilization: ${utilization(cells)}.`] : []), traffic(cells)];
}

/** The highest values of all cells. */
function utilization(cells: readonly CellReport[]): string {
  const known = cells.flatMap(({ client }) => client ?? []);
  const most = (of: (client: ClientReport) => number | null) =>
    Math.max(...known.map((client) => of(client) ?? 0));
  const ms = (of: (client: ClientReport) => number | null) => formatValue(most(of), 'ms');
  const cores = most(({ cpuCores }) => cpuCores);
  const threads = most((client) => client.threads);
  // In a window shorter than the monitor's interval no delay is measured, so it is left out.
  const parts: [unknown, string][] = [
    [
      true,
      `event loop${threads > 1 ? `s (${threads} threads)` : ''} at most ${formatShare(most(({ utilization }) => utilization))} busy`,
    ],
    [
      most(({ delayMaxMs }) => delayMaxMs),
      `event loop delay ${ms(({ delayP99Ms }) => delayP99Ms)} (p99), ${ms(({ delayMaxMs }) => delayMaxMs)} (max)`,
    ],
    [true, `garbage collection ${formatShare(most(({ gcShare }) => gcShare))}`],
    [cores, `${formatNumber(cores)} CPU cores`],
    [
      most(({ latenessP99Ms }) => latenessP99Ms),
      `requests sent ${ms(({ latenessP99Ms }) => latenessP99Ms)} late (p99)`,
    ],
  ];
  return parts
    .filter(([given]) => given)
    .map(([, words]) => words)
    .join(', ');
}

function traffic(cells: readonly CellReport[]): string {
  const sum = (of: (cell: CellReport) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  const opened = sum(({ connections }) => connections.new);
  const requests = opened + sum(({ connections }) => connections.reused);
  const [events, reads] = [sum(({ io }) => io?.events ?? 0), sum(({ io }) => io?.reads ?? 0)];
  const all = requests === 1 ? 'The request' : `All ${formatCount(requests)} requests`;
  const connections =
    opened === 0
      ? `${all} reused an open connection`
      : opened === requests
        ? `${all} opened a connection`
        : `${formatCount(opened)} of ${formatCount(requests)} requests opened a connection, the others reused one`;
  return `${connections}; ${formatCount(events)} ${events === 1 ? 'event' : 'events'} in ${formatCount(reads)} ${reads === 1 ? 'read' : 'reads'}.`;
}

/** Process metrics of the servers: a sentence for each target and load level with metrics. */
export function serverLines({ cells }: Report): string[] {
  const groups = new Map<string, CellReport[]>();
  for (const cell of cells) {
    if (cell.server == null) continue;
    const name = `${oneLine(cell.target)} at ${levelInWords(cell)}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  return Array.from(groups).flatMap(([name, group]) => {
    const words = serverWords(group);
    // An inference server without process metrics: it has its own table.
    return words === '' ? [] : [`Server of ${name}: ${words}.`];
  });
}

function serverWords(cells: readonly CellReport[]): string {
  const servers = cells.map(({ server }) => server!);
  const most = (of: (server: ServerReport) => number | null | undefined): number | null => {
    const known = servers.map(of).filter((value) => value != null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const before = most(({ memoryBytes }) => memoryBytes?.before);
  const max = most(({ memoryBytes }) => memoryBytes?.max);
  const each = most(({ memoryPerStreamBytes }) => memoryPerStreamBytes);
  const cores = most(({ cpuCores }) => cpuCores);
  const files = most(({ openFiles }) => openFiles?.max);
  const failed = servers.reduce((sum, server) => sum + server.failed, 0);
  const readings = servers.reduce((sum, server) => sum + server.readings, failed);
  const parts: string[] = [];
  if (max !== null) {
    const share = each === null ? '' : `, ${formatValue(each, 'bytes')} per stream`;
    parts.push(
      `memory ${formatValue(before, 'bytes')} before the run, ${formatValue(max, 'bytes')} at most${share}`,
    );
  }
  if (cores !== null) parts.push(`${formatNumber(cores)} CPU cores`);
  if (files !== null) parts.push(`${formatCount(files)} open files`);
  const isServing = servers.some(({ serving }) => serving !== undefined);
  if (parts.length === 0 && !isServing) parts.push('no readable metrics');
  if (failed > 0) parts.push(`${failed} of ${readings} readings failed`);
  return parts.join('; ');
}

/** The noise floor of the client, if it was measured. */
export function floorLines({ floor }: Report): string[] {
  return floor.map(
    ({ streams, p50Ms, p99Ms }) =>
      `Noise floor at ${formatCount(streams)} ${streams === 1 ? 'stream' : 'streams'}: timestamps lag by ${formatValue(p50Ms, 'ms')} (p50), ${formatValue(p99Ms, 'ms')} (p99).`,
  );
}

/** The paired comparisons of targets and of modes: one sentence for each load level. */
export function pairedSentences({ pairedComparisons }: Report): string[] {
  const subject = ({ kind, target, a, b }: PairedComparison): string => {
    // A sentence names the better side only, which is ambiguous where there are several comparisons.
    if (pairedComparisons.filter((one) => one.kind === kind).length < 2) return '';
    return kind === 'streaming' ? `${target}: ` : `${a} against ${b}: `;
  };
  return pairedComparisons.flatMap((comparison) =>
    comparison.sentences.map((sentence) => oneLine(`${subject(comparison)}${sentence}`)),
  );
}

/** The streaming verdict of a cell, for a table. */
export function streamWord({ streaming }: CellReport): string {
  return streaming ? nameOfVerdict(streaming.verdict) : DASH;
}
