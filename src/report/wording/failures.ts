import { failureGroup } from '../../metrics/failure-groups.ts';
import { formatCount } from '../../model/format.ts';
import type { CellReport, FailureSummary } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { plannedCancels } from './behaviours.ts';
import { cellName, requestsOf } from './notes.ts';

/** Equal failures of all cells: a server that is down gives the same failure in every cell. */
interface FailureGroup {
  /** `http_error: the service answered 500`, on one line. */
  what: string;
  count: number;
  /** The first lines of the response body. */
  body: string[];
  hint?: string;
  /** `flash · short · 4 streams · streaming: 3 of 40`. */
  where: string[];
}

const BODY_LINES = 3;
const CELLS_SHOWN = 3;

/** The failures of a run, most frequent first. */
export function groupFailures(cells: readonly CellReport[]): FailureGroup[] {
  const groups = new Map<string, Omit<FailureGroup, 'what'> & Group>();
  for (const cell of cells) {
    for (const failure of cell.failures) {
      const key = failureGroup(failure);
      const group = groups.get(key) ?? { ...describe(failure), first: failure, varied: false, cells: [] };
      groups.set(key, group);
      group.count += failure.count;
      group.varied ||= failure.varied === true || failure.message !== group.first.message;
      const share = `${formatCount(failure.count)} of ${formatCount(requestsOf(cell))}`;
      group.cells.push({ text: `${cellName(cell)}: ${share}`, count: failure.count });
    }
  }
  return [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ cells: all, first, varied, ...group }) => ({
      ...group,
      what: words(first, varied),
      where: shortened(all),
    }));
}

interface Group {
  first: FailureSummary;
  /** The messages differ in their numbers. */
  varied: boolean;
  cells: { text: string; count: number }[];
}

function words({ kind, message }: FailureSummary, varied: boolean): string {
  if (message === '') return kind;
  return `${kind}${varied ? ', such as' : ''}: ${oneLine(message)}`;
}

/** Number of failures outside the groups, because a cell stores only its most frequent ones. */
export function ungroupedFailures(cells: readonly CellReport[]): number {
  return cells.reduce((sum, cell) => {
    const grouped = cell.failures.reduce((count, failure) => count + failure.count, 0);
    const { ok = 0, cut = 0 } = cell.outcomes;
    return sum + requestsOf(cell) - ok - cut - plannedCancels(cell) - grouped;
  }, 0);
}

function describe({ body, hint }: FailureSummary): Omit<FailureGroup, 'what'> {
  const group: Omit<FailureGroup, 'what'> = {
    count: 0,
    body: (body ?? '')
      .split(/\r?\n/)
      .map(oneLine)
      .filter((line) => line !== '')
      .slice(0, BODY_LINES),
    where: [],
  };
  if (hint) group.hint = oneLine(hint);
  return group;
}

// The cells with the most failures come first, because only the first few are named.
function shortened(cells: readonly { text: string; count: number }[]): string[] {
  const texts = [...cells].sort((a, b) => b.count - a.count).map(({ text }) => text);
  if (texts.length <= CELLS_SHOWN + 1) return texts;
  return [...texts.slice(0, CELLS_SHOWN), `and ${texts.length - CELLS_SHOWN} more cells`];
}
