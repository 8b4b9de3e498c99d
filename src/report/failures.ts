import type { CellReport, FailureSummary } from '../model/report.ts';
import { formatCount } from './format.ts';
import { cellName, requestsOf } from './notes.ts';
import { oneLine } from './text.ts';

/** One failure wherever it happened: a service that is down says the same in every cell. */
export interface FailureGroup {
  /** `http_error: the service answered 500`, on one line. */
  what: string;
  count: number;
  /** The first lines of what the service sent. */
  body: string[];
  hint?: string;
  /** `flash · short · 4 streams · streaming: 3 of 40`. */
  where: string[];
}

const BODY_LINES = 3;
const CELLS_SHOWN = 6;

/** The failures of a run, most frequent first. */
export function groupFailures(cells: readonly CellReport[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup & { cells: { text: string; count: number }[] }>();
  for (const cell of cells) {
    for (const failure of cell.failures) {
      const key = JSON.stringify([failure.kind, failure.message]);
      const group = groups.get(key) ?? { ...describe(failure), cells: [] };
      groups.set(key, group);
      group.count += failure.count;
      const share = `${formatCount(failure.count)} of ${formatCount(requestsOf(cell))}`;
      group.cells.push({ text: `${cellName(cell)}: ${share}`, count: failure.count });
    }
  }
  return [...groups.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ cells: all, ...group }) => ({ ...group, where: shortened(all) }));
}

/** Failures that no group stands for, because a cell keeps only its most frequent ones. */
export function ungroupedFailures(cells: readonly CellReport[]): number {
  return cells.reduce((sum, cell) => {
    const grouped = cell.failures.reduce((count, failure) => count + failure.count, 0);
    return sum + requestsOf(cell) - (cell.outcomes.ok ?? 0) - grouped;
  }, 0);
}

function describe({ kind, message, body, hint }: FailureSummary): FailureGroup {
  const group: FailureGroup = {
    what: message === '' ? kind : `${kind}: ${oneLine(message)}`,
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

// Where it happened most comes first, as only the first few are named.
function shortened(cells: readonly { text: string; count: number }[]): string[] {
  const texts = [...cells].sort((a, b) => b.count - a.count).map(({ text }) => text);
  if (texts.length <= CELLS_SHOWN) return texts;
  return [...texts.slice(0, CELLS_SHOWN), `and in ${texts.length - CELLS_SHOWN} more cells`];
}
