import { SHORTEST_SEGMENT } from '../../analysis/history/energy-split.ts';
import { levelInWords } from '../../model/cells.ts';
import { formatChange, formatPoints, formatShare, formatValue } from '../../model/format.ts';
import type {
  HistoryChange,
  HistoryGroup,
  HistoryReport,
  HistoryRun,
  HistorySeries,
} from '../../model/history.ts';
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
function runsInWords(count: number): string {
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
export function poolingInWords({
  figure,
  cells,
}: Pick<HistorySeries, 'figure' | 'cells'>): string | undefined {
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

/** Change points of one run, as one sentence. */
export interface ChangeSentence {
  direction: HistoryChange['direction'];
  text: string;
}

/**
 * One sentence for each run from which on figures have another level, the newest first:
 * `since commit 5d6e7f8 of 2026-11-14 03:31 (the run before: commit 1a2b3c4): ttft.p50 +31 % (slower), 210 ms instead of 160 ms`.
 * A cell that changes where all cells together do is left out.
 */
export function changeSentences(changes: readonly HistoryChange[]): ChangeSentence[] {
  const byRuns = new Map<string, HistoryChange[]>();
  const overall = changes.filter(({ cell }) => cell === null);
  for (const change of newestFirst(changes)) {
    const { cell, figure, run } = change;
    if (cell !== null && overall.some((one) => one.figure === figure && one.run === run)) continue;
    const key = JSON.stringify([change.run, change.previousRun]);
    byRuns.set(key, [...(byRuns.get(key) ?? []), change]);
  }
  return Array.from(byRuns.values(), (own) => {
    const [first] = own;
    if (first === undefined) return [];
    const before = place(first.previousCommit, first.previousRun);
    const since = `since ${place(first.commit, first.run)} of ${dateAndTime(first.startedAt)} (the run before: ${before})`;
    const direction = own.some((change) => change.direction === 'worse') ? 'worse' : 'better';
    return [{ direction, text: oneLine(`${since}: ${own.map(changeInWords).join('; ')}`) } as const];
  }).flat();
}

function changeInWords(change: HistoryChange): string {
  const { figure, cell, before, after, unit } = change;
  const where = cell === null ? '' : ` for ${cellInWords(cell)}`;
  return `${figure}${where} ${changeInShort(change)} (${directionOf(change)}), ${formatValue(after, unit)} instead of ${formatValue(before, unit)}`;
}

/** The commit of a run, else the end of its id: `1a2b3c4d5e6f`, `…9c54`. */
export function shortName({ commit, id }: HistoryRun): string {
  return oneLine(commit ?? `…${id.slice(id.lastIndexOf('-') + 1)}`);
}

/** A run is known by its commit, where it has one. */
function place(commit: string | undefined, run: string): string {
  return commit === undefined ? `run ${run}` : `commit ${commit}`;
}

/** Why a run has no value. */
export function missingReason({ requests, failed }: HistoryRun): string {
  if (requests === 0) return 'no requests';
  if (failed === 0) return 'too few values';
  return failed === requests ? `all ${requests} requests failed` : `${failed} of ${requests} requests failed`;
}

/** The result in one sentence. */
export function historySummary({ changePoints, series }: HistoryReport): string {
  const [newest] = newestFirst(changePoints.filter(({ group }) => group === 0));
  const sentences = changeSentences(changePoints).length;
  if (newest !== undefined) {
    const where = newest.cell === null ? '' : ` for ${cellInWords(newest.cell)}`;
    const since = `since ${place(newest.commit, newest.run)} of ${dateOf(newest.startedAt)}`;
    const rest = sentences === 1 ? '' : `, and ${changesInWords(sentences - 1)} at other runs`;
    return oneLine(
      `${newest.figure}${where} ${changeInShort(newest)} (${directionOf(newest)}) ${since}${rest}`,
    );
  }
  if (sentences > 0)
    return `no change points in the runs that the newest can be compared with; ${changesInWords(sentences)} in others`;
  const longest = Math.max(0, ...series.map(({ values }) => values.filter((value) => value !== null).length));
  return longest >= LEAST_RUNS
    ? 'no change points'
    : `no change points: a change needs at least ${LEAST_RUNS} runs with values, and there ${longest === 1 ? 'is' : 'are'} ${longest}`;
}

function changesInWords(count: number): string {
  return `${count} ${count === 1 ? 'change' : 'changes'}`;
}

/** Change points, the newest first; of one run, all cells together first. */
function newestFirst(changes: readonly HistoryChange[]): HistoryChange[] {
  return [...changes].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
}

const LEAST_RUNS = 2 * SHORTEST_SEGMENT;

/** How change points were found. */
export function methodInWords({ settings: { alpha, seed } }: HistoryReport): string {
  return `change points by E-divisive with a permutation test (seed ${seed}): a history without changes shows one in ${formatShare(alpha)} of cases`;
}
