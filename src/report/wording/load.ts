import { formatCount, formatMean, formatShare, formatValue } from '../../model/format.ts';
import type { CellReport, ReachedLoad, Report } from '../../model/report.ts';
import { cellName } from './notes.ts';

/** The load that a cell really had, in words: where it is not what was asked for, every format says so. */

/** The load as a table shows it: `16`, `20/s`, and `8 of 16` where no more than 8 streams were open. */
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

/** A sentence for the cells that did not have their load. */
export function reachedLines({ cells }: Report): string[] {
  const missed = cells.flatMap((cell) => {
    const { reached, concurrency, outcomes } = cell;
    // Where no answer came there are no figures that are of another load.
    if (!reached || reached.met || (outcomes.ok ?? 0) === 0) return [];
    const most = reached.max < concurrency ? `at most ${formatCount(reached.max)} open, ` : '';
    return [`${cellName(cell)} (${most}${formatMean(reached.mean)} on average)`];
  });
  if (missed.length === 0) return [];
  const more = missed.length - MOST_NAMED;
  const names = [...missed.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return [`The load was not reached: ${names}. The figures are those of the lower load.`];
}

// Where the last answers of a round take so long, few requests were measured at the load.
const LITTLE_HELD = 0.5;

/** Over what throughput was counted, where that needs to be said. */
export function throughputNotes({ cells }: Report): string[] {
  const held = cells.flatMap(({ throughput: { basis, heldShare } }) =>
    basis === 'full' && heldShare !== undefined ? [heldShare] : [],
  );
  const least = Math.min(1, ...held);
  const behind = cells.filter(({ throughput }) => throughput.basis === 'departures');
  return [
    ...(least < LITTLE_HELD
      ? [
          `All streams were open for only ${formatShare(least)} of a cell's rounds, and throughput is counted over this time: more requests a round give it more.`,
        ]
      : []),
    ...behind.map(
      (cell) =>
        `The service did not keep up with ${cell.rate}/s at ${cellName(cell)}: it answered ${formatValue(cell.throughput.requestsPerSecond, '1/s')}.`,
    ),
  ];
}

/** True where the client's own lateness may be in this figure. */
export function isMarked({ client }: Pick<CellReport, 'client'>, metric: string): boolean {
  const verdict = client?.metrics?.[metric]?.verdict;
  return verdict !== undefined && verdict !== 'ok';
}

/** Stands behind a figure that is marked. */
export const MARK = '*';

/** What the mark means, where there is one. */
export function markNotes({ cells }: Report): string[] {
  const marked = cells.filter(
    (cell) => (cell.outcomes.ok ?? 0) > 0 && Object.keys(cell.metrics).some((name) => isMarked(cell, name)),
  );
  if (marked.length === 0) return [];
  const most = Math.max(
    ...marked.flatMap(({ client }) => Object.values(client!.metrics!).map(({ lateMs }) => lateMs)),
  );
  return [
    `${MARK} The client itself was late when it took this figure: the p99 may be too high by up to ${formatValue(most, 'ms')}. More threads (--workers) or fewer streams make it exact.`,
  ];
}
