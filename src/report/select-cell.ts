import { UserError } from '../model/errors.ts';
import type { CellReport, Report } from '../model/report.ts';
import { cellName } from './wording/notes.ts';

/** Cells that an error lists. */
const LISTED = 20;

/**
 * The cell of a report that `wanted` selects: by its number from 1, by its name, or by some parts of its name, separated by
 * commas (`flash, streaming`). Throws a `UserError` (`usage`) with the list of cells if no cell or several cells match.
 */
export function selectCell({ cells }: Pick<Report, 'cells'>, wanted: string): CellReport {
  const byNumber = /^\d+$/.test(wanted.trim()) ? cells[Number(wanted) - 1] : undefined;
  const sought = partsOf(wanted);
  const exact = cells.filter((cell) => partsOf(cellName(cell)).join() === sought.join());
  const fitting =
    byNumber !== undefined
      ? [byNumber]
      : exact.length > 0
        ? exact
        : cells.filter((cell) => sought.every((part) => partsOf(cellName(cell)).includes(part)));
  const [found, second] = fitting;
  if (found !== undefined && second === undefined) return found;
  const isUnknown = found === undefined;
  const listed = isUnknown ? cells : fitting;
  throw new UserError('usage', [
    {
      message: `--cell: ${isUnknown ? 'no cell is' : `${fitting.length} cells are`} named ${JSON.stringify(wanted)}`,
      hint: 'give a number of the list, a name, or parts of a name separated by commas',
    },
    ...listed.slice(0, LISTED).map((cell) => ({ message: `${cells.indexOf(cell) + 1}: ${cellName(cell)}` })),
    ...(listed.length > LISTED ? [{ message: `and ${listed.length - LISTED} more` }] : []),
  ]);
}

function partsOf(name: string): string[] {
  return name
    .toLowerCase()
    .split(/[·,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
