import type { CellReport, GateResult, Report, VerdictKind } from '../model/report.ts';
import { DASH, formatCount, formatShare, formatValue } from './format.ts';
import { cellName } from './notes.ts';
import { oneLine } from './text.ts';

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
  const value = typeof actual === 'string' || unit === 'verdict' ? String(actual) : inUnit(actual, unit);
  const where = cell === undefined ? '' : ` (${judged > 1 ? 'worst: ' : ''}${cellName(cell)})`;
  const failed = verdict === 'fail' && cells.failed < judged ? `, ${cells.failed} of ${judged} cells` : '';
  return `${value}${where}${failed}`;
}

function inUnit(value: number, unit: Exclude<GateResult['unit'], 'verdict'>): string {
  return unit === 'ratio' ? formatShare(value) : formatValue(value, unit);
}

/** Cells whose streams are no streams, or are flushed in lumps: the same verdict on several cells is told once. */
export interface StreamFinding {
  verdict: Exclude<VerdictKind, 'streaming' | 'too_short'>;
  /** The evidence of the first of the cells. */
  evidence: string;
  where: string[];
}

/** The findings, the gravest kind first. */
export function streamFindings({ cells }: Report): StreamFinding[] {
  return (['buffered', 'replayed', 'coarse'] as const).flatMap((verdict) => {
    const found = cells.filter((cell) => cell.streaming?.verdict === verdict);
    if (found.length === 0) return [];
    return [{ verdict, evidence: oneLine(found[0]!.streaming!.evidence), where: found.map(cellName) }];
  });
}

/** Whether the client could keep up: one sentence for the run, and one for each cell in which it could not. */
export function clientLines({ cells }: Report): string[] {
  const known = cells.filter((cell) => cell.client != null);
  if (known.length === 0) return [];
  const troubled = known.filter((cell) => cell.client!.verdict !== 'ok');
  const most = (of: (cell: CellReport) => number) => Math.max(...known.map(of));
  const busy = `event loop at most ${formatShare(most((cell) => cell.client!.utilization))} busy`;
  const late = `${formatValue(
    most((cell) => cell.client!.delayP99Ms),
    'ms',
  )} late (p99)`;
  const threads = most((cell) => cell.client!.threads);
  const on = threads > 1 ? ` on ${threads} threads` : '';
  if (troubled.length === 0) return [`The client kept up${on}: its ${busy}, ${late}.`];
  return troubled.map(
    (cell) =>
      `The client was ${cell.client!.verdict} at ${cellName(cell)}: ${oneLine(cell.client!.reason)}. Its own lateness is in these figures.`,
  );
}

/** How exact the figures are: what the client adds by itself, where that was measured. */
export function floorLines({ floor }: Report): string[] {
  return floor.map(
    ({ streams, p50Ms, p99Ms }) =>
      `Noise floor at ${formatCount(streams)} ${streams === 1 ? 'stream' : 'streams'}: this client stamps ${formatValue(p50Ms, 'ms')} late (p50), ${formatValue(p99Ms, 'ms')} (p99).`,
  );
}

/** What differs between targets and between modes, a sentence for each load. */
export function contrastLines({ contrasts }: Report): string[] {
  const several =
    new Set(contrasts.map(({ target }) => target).filter((target) => target !== undefined)).size > 1;
  return contrasts.flatMap(({ kind, target, sentences }) =>
    sentences.map((sentence) =>
      oneLine(kind === 'streaming' && several ? `${target}, ${sentence}` : sentence),
    ),
  );
}

/** The verdict on a cell's streams, as a table shows it. */
export function streamWord({ streaming }: CellReport): string {
  if (!streaming) return DASH;
  return streaming.verdict === 'too_short' ? 'too short' : streaming.verdict;
}
