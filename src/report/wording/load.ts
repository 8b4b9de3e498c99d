import { formatCount, formatMean, formatShare, formatValue } from '../../model/format.ts';
import type { CellReport, ReachedLoad, Report } from '../../model/report.ts';
import { cellName } from './notes.ts';

/** Sentences about the load level that a cell reached, and about figures that client lateness affects. */

/** The load level for a table: `16`, `20/s`, or `8 of 16` if at most 8 streams were open. */
export function loadFigure(cell: CellReport): string {
  const { concurrency, rate, reached } = cell;
  if (rate !== undefined) return `${rate}/s`;
  const asked = formatCount(concurrency);
  return !reached || reached.met ? asked : `${reachedFigure(cell, reached)} of ${asked}`;
}

function reachedFigure({ concurrency }: CellReport, { max, mean }: ReachedLoad): string {
  return max < concurrency ? formatCount(max) : formatMean(mean);
}

const MOST_NAMED = 3;

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
  const more = missed.length - MOST_NAMED;
  const names = [...missed.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return [`Load level not reached: ${names}. The figures apply to the lower load.`];
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
        `The server did not keep up with ${cell.rate}/s at ${cellName(cell)}: it answered ${formatValue(cell.throughput.requestsPerSecond, '1/s')}.`,
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
