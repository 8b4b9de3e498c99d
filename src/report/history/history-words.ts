import { SHORTEST_SEGMENT } from '../../analysis/history/energy-split.ts';
import { levelInWords } from '../../model/cells.ts';
import { formatChange, formatPoints, formatShare, formatValue } from '../../model/format.ts';
import type { HistoryChange, HistoryGroup, HistoryReport, HistoryRun } from '../../model/history.ts';
import type { Cell } from '../../model/plan.ts';
import { oneLine } from '../text-width.ts';

/** The words of a history, for the terminal and the page. */

/** `2026-11-21 03:31`, UTC. */
export function dateAndTime(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** `2026-11-21`, UTC. */
export function dateOf(iso: string): string {
  return iso.slice(0, 10);
}

/** `1 run`, `30 runs`. */
export function runsInWords(count: number): string {
  return `${count} ${count === 1 ? 'run' : 'runs'}`;
}

/** `30 runs of demo, 2026-10-02 to 2026-11-21, on Linux x64, 4 x AMD EPYC 7763`. */
export function groupTitle({ runs, scenario, from, to, hostClass }: HistoryGroup): string {
  const days = dateOf(from) === dateOf(to) ? dateOf(to) : `${dateOf(from)} to ${dateOf(to)}`;
  return oneLine(`${runsInWords(runs)} of ${scenario}, ${days}, on ${hostClass}`);
}

/** Why a group is apart from the first; undefined for the first. */
export function groupRemark({ differs }: HistoryGroup): string | undefined {
  return differs.length === 0 ? undefined : `not mixed with the runs above: ${differs.join('; ')}`;
}

/** The cell: `flash, short, 4 streams, streaming`. */
function cellInWords(cell: Cell): string {
  return oneLine(partsOf(cell).join(', '));
}

function partsOf({ target, prompt, mode, ...level }: Cell): string[] {
  return [target, prompt, levelInWords(level), mode];
}

/** A name for each cell, of what differs between them: `1 stream`, `4 streams`. */
export function cellNames(cells: readonly Cell[]): string[] {
  const parts = cells.map(partsOf);
  const differs = [0, 1, 2, 3].filter((part) => new Set(parts.map((one) => one[part])).size > 1);
  return parts.map((one) =>
    oneLine(one.filter((_, part) => differs.length === 0 || differs.includes(part)).join(', ')),
  );
}

/** How the cells are summarized: `geometric mean of 4 cells`. Undefined for a single cell. */
export function poolingInWords(figure: string, cells: number): string | undefined {
  if (cells < 2) return undefined;
  if (figure === 'errors.rate' || figure === 'goodput.rate') return `share of the requests of ${cells} cells`;
  return `${figure === 'goodput' ? 'sum' : 'geometric mean'} of ${cells} cells`;
}

/** `+31 %`; for a share the difference in points: `+3.2 points`. */
export function changeInShort({ ratio, before, after, unit }: HistoryChange): string {
  if (unit === 'ratio') return `${formatPoints(after - before)} points`;
  return ratio === null ? `from ${formatValue(before, unit)}` : formatChange(ratio);
}

/** `slower`, `faster`; for anything but a time `worse` or `better`. */
export function directionOf({ direction, unit }: HistoryChange): string {
  if (unit === 'ms') return direction === 'worse' ? 'slower' : 'faster';
  return direction;
}

/** `ttft.p50 +31 % (slower): 210 ms instead of 160 ms, since commit 5d6e7f8 of 2026-11-14 03:31 ...`. */
export function changeSentence(change: HistoryChange): string {
  const { figure, before, after, unit, startedAt, commit, run, previousCommit, previousRun } = change;
  const where = change.cell === null ? '' : ` (${cellInWords(change.cell)})`;
  const first = commit === undefined ? `run ${run}` : `commit ${commit}`;
  const last = previousCommit === undefined ? `run ${previousRun}` : `commit ${previousCommit}`;
  return oneLine(
    `${figure}${where} ${changeInShort(change)} (${directionOf(change)}): ${formatValue(after, unit)} instead of ${formatValue(before, unit)} since ${first}, ${dateAndTime(startedAt)}; the run before: ${last}. Medians of ${change.runsAfter} and ${runsInWords(change.runsBefore)}, p = ${change.pValue.toFixed(3)}`,
  );
}

/** Why a run has no value. */
export function missingReason({ requests, failed }: HistoryRun): string {
  if (requests === 0) return 'no requests';
  if (failed === 0) return 'too few values';
  return failed === requests ? `all ${requests} requests failed` : `${failed} of ${requests} requests failed`;
}

/** The result in one sentence. */
export function historySummary({ changePoints, series }: HistoryReport): string {
  const [newest, ...others] = newestFirst(changePoints.filter(({ group }) => group === 0));
  const more = others.length + changePoints.filter(({ group }) => group !== 0).length;
  if (newest !== undefined) {
    const first = newest.commit === undefined ? `run ${newest.run}` : `commit ${newest.commit}`;
    const since = `since ${first} of ${dateOf(newest.startedAt)}`;
    const rest = more === 0 ? '' : `, and ${more} more ${more === 1 ? 'change point' : 'change points'}`;
    return oneLine(`${newest.figure} ${changeInShort(newest)} (${directionOf(newest)}) ${since}${rest}`);
  }
  if (more > 0) return `no change points on this kind of machine, ${more} in other runs`;
  const longest = Math.max(0, ...series.map(({ values }) => values.filter((value) => value !== null).length));
  return longest >= LEAST_RUNS
    ? 'no change points'
    : `no change points: a change needs at least ${LEAST_RUNS} runs with values, and there ${longest === 1 ? 'is' : 'are'} ${longest}`;
}

/** Change points, the newest first; of one run, all cells together first. */
export function newestFirst(changes: readonly HistoryChange[]): HistoryChange[] {
  return [...changes].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
}

const LEAST_RUNS = 2 * SHORTEST_SEGMENT;

/** How change points were found. */
export function methodInWords({ settings: { alpha, seed } }: HistoryReport): string {
  return `change points by E-divisive with a permutation test (seed ${seed}): a history without changes shows one with a chance of ${formatShare(alpha)}`;
}
