import { nameOfVerdict } from '../../analysis/streaming/streaming-verdict.ts';
import { levelInWords } from '../../model/cells.ts';
import { DASH, formatCount, formatNumber, formatShare, formatValue } from '../../model/format.ts';
import type { ClientReport, ServerReport } from '../../model/load-report.ts';
import type { PairedComparison } from '../../model/paired-comparison.ts';
import type { CellReport, GateResult, Report, StreamArrivals, VerdictKind } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName } from './notes.ts';

/** What a run comes to, in sentences for the terminal and for markdown alike: its gates, its streams, its client. */

/** A gate in words. */
export interface GateLine {
  verdict: GateResult['verdict'];
  expression: string;
  /** What was measured, and where. */
  detail: string;
}

/** The gates, those that did not pass first. */
export function gateLines({ gates }: Report): GateLine[] {
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

/** A cell whose streams are not shown to be live, each with its own evidence. */
export interface StreamFinding {
  verdict: Exclude<VerdictKind, 'streaming'>;
  evidence: string;
  where: string;
  /** When the content of a typical stream arrived. */
  arrivals?: StreamArrivals;
  /** What may have caused it: told with the first cell of a target that has the same. */
  causes: string[];
}

const TOLD = ['buffered', 'replayed', 'tail_buffered', 'coarse', 'inconclusive'] as const;

/** The findings, the gravest kind first. Cells without a good stream have nothing to be found. */
export function streamFindings({ cells }: Report): StreamFinding[] {
  const told = new Set<string>();
  return TOLD.flatMap((verdict) =>
    cells.flatMap((cell): StreamFinding[] => {
      const { streaming, target } = cell;
      if (!streaming || nameOfVerdict(streaming.verdict) !== verdict || !cell.outcomes.ok) return [];
      const causes = (streaming.causes ?? [])
        .map(({ what, remedy }) => oneLine(`${what}: ${remedy}`))
        .filter((cause) => !told.has(`${target}\n${cause}`));
      for (const cause of causes) told.add(`${target}\n${cause}`);
      const { arrivals } = streaming;
      return [{ verdict, evidence: oneLine(streaming.evidence), where: cellPlace(cell), arrivals, causes }];
    }),
  );
}

// A client that comes late to its sockets finds much in them at once, whatever the service does.
function cellPlace(cell: CellReport): string {
  const late =
    cell.client?.verdict === 'saturated' ? ' (the client was saturated: it may be its own doing)' : '';
  return `${cellName(cell)}${late}`;
}

/** Whether the client could keep up: one sentence for the run, or one for each cell in which it could not. */
export function clientLines({ cells }: Report): string[] {
  if (cells.every(({ client }) => client == null)) return [];
  const troubled = cells.filter(({ client }) => client != null && client.verdict !== 'ok');
  if (troubled.length === 0) return [`The client kept up: ${clientLoad(cells)}.`];
  // Where no answer came whole there are no figures for it to be in.
  const partlyFailed = troubled.filter(({ outcomes }) => (outcomes.ok ?? 0) > 0);
  return partlyFailed.map(
    (cell) =>
      `The client was ${cell.client!.verdict} at ${cellName(cell)}: ${oneLine(cell.client!.reason)}. Its own lateness is in these figures.`,
  );
}

/** The client's load where `clientLines` has not told it, and what went through its connections. */
export function loadLines({ cells }: Report): string[] {
  if (cells.every(({ client }) => client == null)) return [];
  const troubled = cells.some(({ client }) => client != null && client.verdict !== 'ok');
  return [...(troubled ? [`The client's load: ${clientLoad(cells)}.`] : []), traffic(cells)];
}

/** The highest of all cells. */
function clientLoad(cells: readonly CellReport[]): string {
  const known = cells.flatMap(({ client }) => client ?? []);
  const most = (of: (client: ClientReport) => number | null) =>
    Math.max(...known.map((client) => of(client) ?? 0));
  const ms = (of: (client: ClientReport) => number | null) => formatValue(most(of), 'ms');
  const cores = most(({ cpuCores }) => cpuCores);
  const threads = most((client) => client.threads);
  // A window shorter than the monitor's step has seen no delay: nothing is said of it rather than 0.
  const said: [unknown, string][] = [
    [
      true,
      `its event loop${threads > 1 ? `s (${threads} threads)` : ''} at most ${formatShare(most(({ utilization }) => utilization))} busy`,
    ],
    [
      most(({ delayMaxMs }) => delayMaxMs),
      `${ms(({ delayP99Ms }) => delayP99Ms)} late (p99; ${ms(({ delayMaxMs }) => delayMaxMs)} at most)`,
    ],
    [true, `${formatShare(most(({ gcShare }) => gcShare))} in garbage collection`],
    [cores, `${formatNumber(cores)} CPU cores`],
    [
      most(({ latenessP99Ms }) => latenessP99Ms),
      `requests sent ${ms(({ latenessP99Ms }) => latenessP99Ms)} late (p99)`,
    ],
  ];
  return said
    .filter(([given]) => given)
    .map(([, words]) => words)
    .join(', ');
}

function traffic(cells: readonly CellReport[]): string {
  const sum = (of: (cell: CellReport) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  const opened = sum(({ connections }) => connections.new);
  const requests = opened + sum(({ connections }) => connections.reused);
  const [events, reads] = [sum(({ io }) => io.events), sum(({ io }) => io.reads)];
  return `${formatCount(opened)} of ${formatCount(requests)} requests opened a connection; ${formatCount(events)} ${events === 1 ? 'event' : 'events'} came in ${formatCount(reads)} ${reads === 1 ? 'read' : 'reads'}.`;
}

/** What the servers said of themselves: a sentence for each target that has metrics, at each load. */
export function serverLines({ cells }: Report): string[] {
  const groups = new Map<string, CellReport[]>();
  for (const cell of cells) {
    if (cell.server == null) continue;
    const name = `${oneLine(cell.target)} at ${levelInWords(cell)}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  return Array.from(groups, ([name, group]) => `Server of ${name}: ${serverWords(group)}.`);
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
  const said: string[] = [];
  if (max !== null) {
    const share = each === null ? '' : `, ${formatValue(each, 'bytes')} a stream`;
    said.push(
      `memory ${formatValue(before, 'bytes')} before the run and at most ${formatValue(max, 'bytes')}${share}`,
    );
  }
  if (cores !== null) said.push(`${formatNumber(cores)} CPU cores`);
  if (files !== null) said.push(`${formatCount(files)} open files`);
  if (said.length === 0) said.push('nothing that could be read');
  if (failed > 0) said.push(`${failed} of ${readings} readings failed`);
  return said.join('; ');
}

/** How exact the figures are: what the client adds by itself, where that was measured. */
export function floorLines({ floor }: Report): string[] {
  return floor.map(
    ({ streams, p50Ms, p99Ms }) =>
      `Noise floor at ${formatCount(streams)} ${streams === 1 ? 'stream' : 'streams'}: this client stamps ${formatValue(p50Ms, 'ms')} late (p50), ${formatValue(p99Ms, 'ms')} (p99).`,
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

/** The verdict on a cell's streams, as a table shows it. */
export function streamWord({ streaming }: CellReport): string {
  return streaming ? nameOfVerdict(streaming.verdict) : DASH;
}
