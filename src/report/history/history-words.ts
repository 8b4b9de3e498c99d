import { levelInWords } from '../../model/cells.ts';
import { DASH, formatChange, formatPoints, formatShare, formatValue } from '../../model/format.ts';
import type {
  HistoryChange,
  HistoryGroup,
  HistoryReport,
  HistoryRun,
  HistorySeries,
} from '../../model/history.ts';
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

/** `all cells`, or the cell: `flash, short, 4 streams, streaming`. */
export function cellTitle({ cell }: Pick<HistorySeries, 'cell'>): string {
  if (cell === null) return 'all cells';
  return oneLine([cell.target, cell.prompt, levelInWords(cell), cell.mode].join(', '));
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
  const where = change.cell === null ? '' : ` (${cellTitle(change)})`;
  const first = commit === undefined ? `run ${run}` : `commit ${commit}`;
  const last = previousCommit === undefined ? `run ${previousRun}` : `commit ${previousCommit}`;
  return oneLine(
    `${figure}${where} ${changeInShort(change)} (${directionOf(change)}): ${formatValue(after, unit)} instead of ${formatValue(before, unit)} since ${first}, ${dateAndTime(startedAt)}; the run before: ${last}. Medians of ${change.runsAfter} and ${runsInWords(change.runsBefore)}, p = ${change.pValue.toFixed(3)}`,
  );
}

/** The newest value, with the reason where there is none. */
export function valueInWords(value: number | null, run: HistoryRun, unit: HistorySeries['unit']): string {
  if (value !== null) return formatValue(value, unit);
  return `${DASH} ${missingReason(run)}`;
}

/** Why a run has no value. */
export function missingReason({ requests, failed }: HistoryRun): string {
  if (requests === 0) return 'no requests';
  return failed === requests ? `all ${requests} requests failed` : `${failed} of ${requests} requests failed`;
}

/** The result in one sentence. */
export function historySummary({ changePoints, groups, series }: HistoryReport): string {
  if (changePoints.length > 0)
    return `${changePoints.length} ${changePoints.length === 1 ? 'change point' : 'change points'}`;
  const longest = Math.max(0, ...series.map(({ values }) => values.filter((value) => value !== null).length));
  if (longest < LEAST_RUNS)
    return `no change points: a change needs at least ${LEAST_RUNS} runs with values, and there are ${longest}${groups.length > 1 ? ' in the longest series' : ''}`;
  return 'no change points';
}

const LEAST_RUNS = 6;

/** How change points were found. */
export function methodInWords({ settings: { alpha, seed } }: HistoryReport): string {
  return `change points by E-divisive with a permutation test (seed ${seed}): where nothing changes, ${formatShare(alpha)} of histories show one`;
}
