import { formatCount, formatMean, formatShare, formatValue } from '../../model/format.ts';
import type { LoadLevel } from '../../model/plan.ts';
import type { CellReport, ReachedLoad, Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { cellName, requestsOf } from './notes.ts';

/** Sentences about the load level that a cell reached, and about figures that client lateness affects. */

/** The load level for a table: `16`, `20/s`, `spike 20/s`, `ramp 5-20/s`, or `8 of 16` if at most 8 streams were open. */
export function loadFigure(cell: CellReport): string {
  const { reached } = cell;
  const asked = levelFigure(cell);
  return !reached || reached.met ? asked : `${reachedFigure(cell, reached)} of ${asked}`;
}

/** The load level as configured, for a table. */
export function levelFigure({ concurrency, rate, stage, from }: LoadLevel): string {
  const level = rate === undefined ? formatCount(concurrency) : `${rate}/s`;
  const ramp = from === undefined ? level : `${from}-${level}`;
  return stage === undefined ? ramp : `${oneLine(stage)} ${ramp}`;
}

function reachedFigure({ concurrency }: CellReport, { max, mean }: ReachedLoad): string {
  return max < concurrency ? formatCount(max) : formatMean(mean);
}

const MOST_NAMED = 3;

/** Names of cells with a figure each: the first few, and how many more there are. */
function named(parts: readonly string[]): string {
  const more = parts.length - MOST_NAMED;
  return [...parts.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** Sentences about streams that the client cut: at the end of a window, or as planned. */
export function cutLines({ cells }: Report): string[] {
  const shareOf = (cell: CellReport, count: number) =>
    `${cellName(cell)} (${formatCount(count)} of ${formatCount(requestsOf(cell))})`;
  const atEnd = cells.flatMap((cell) => (cell.outcomes.cut ? [shareOf(cell, cell.outcomes.cut)] : []));
  const planned = cells.flatMap((cell) => (cell.cutStreams ? [shareOf(cell, cell.cutStreams)] : []));
  const lines: string[] = [];
  if (atEnd.length > 0)
    lines.push(
      `Cut at the end of their window, after the grace: ${named(atEnd)}. These requests are neither successes nor failures. Latency figures do not include them and are too low if the answers were merely slow: allow more time with --grace, or say with --for how long to read endless streams.`,
    );
  if (planned.length > 0)
    lines.push(
      `Cut as planned (for): ${named(planned)}. These streams count as ok; they have no total time. Their gaps and stalls include the silence before the cut.`,
    );
  return lines;
}

/** A sentence about the cells that did not reach their load level. */
export function reachedLines({ cells }: Report): string[] {
  const missed = cells.flatMap((cell) => {
    const { reached, concurrency, outcomes } = cell;
    // A cell without a successful request has no figures.
    if (!reached || reached.met || (outcomes.ok ?? 0) === 0) return [];
    const most = reached.max < concurrency ? `at most ${formatCount(reached.max)} open streams, ` : '';
    return [`${cellName(cell)} (${most}${formatMean(reached.mean)} on average)`];
  });
  if (missed.length === 0) return [];
  return [`Load level not reached: ${named(missed)}. The figures apply to the lower load.`];
}

// Below this share, most of the time was spent waiting for the last answers of a round.
const LITTLE_HELD = 0.5;

/** Notes about the time over which throughput was measured, if it needs an explanation. */
export function throughputNotes({ cells }: Report): string[] {
  const held = cells.flatMap(({ throughput: { basis, heldShare } }) =>
    basis === 'full' && heldShare !== undefined ? [heldShare] : [],
  );
  const least = Math.min(1, ...held);
  const behind = cells.filter(({ throughput }) => throughput.basis === 'departures');
  return [
    ...(least < LITTLE_HELD
      ? [
          `All streams were open for only ${formatShare(least)} of a cell's rounds. Throughput is measured over this time; more requests per round extend it.`,
        ]
      : []),
    ...behind.map(
      (cell) =>
        `The server did not keep up with ${levelFigure(cell)} at ${cellName(cell)}: it answered ${formatValue(cell.throughput.requestsPerSecond, '1/s')}.`,
    ),
  ];
}

/** True if client lateness may affect this figure. */
export function isMarked({ client }: Pick<CellReport, 'client'>, metric: string): boolean {
  const verdict = client?.metrics?.[metric]?.verdict;
  return verdict !== undefined && verdict !== 'ok';
}

/** The mark after a figure that client lateness may affect. */
export const MARK = '*';

/** The meaning of the mark, if any figure has it. */
export function markNotes({ cells }: Report): string[] {
  const marked = cells.filter(
    (cell) => (cell.outcomes.ok ?? 0) > 0 && Object.keys(cell.metrics).some((name) => isMarked(cell, name)),
  );
  if (marked.length === 0) return [];
  const most = Math.max(
    ...marked.flatMap(({ client }) => Object.values(client!.metrics!).map(({ lateMs }) => lateMs)),
  );
  return [
    `${MARK} Affected by client lateness: the p99 may be up to ${formatValue(most, 'ms')} too high. Use more threads (--workers) or fewer streams.`,
  ];
}
