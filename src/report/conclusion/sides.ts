import { distinctLevels, levelInWords, sameLevel } from '../../model/cells.ts';
import type { LoadLevel } from '../../model/plan.ts';
import type { CellReport } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';

/** What a conclusion sets side by side. */
export interface Sides {
  by: 'target' | 'mode' | 'level' | 'prompt' | 'none';
  sides: Side[];
}

/** One column of a conclusion. */
export interface Side {
  /** As printed. */
  name: string;
  /** The name in comparisons: of the target, or the mode. */
  key: string;
  /** In the mode that the figures are of. */
  cells: CellReport[];
  /** In every mode, for what counts in all of them. */
  all: CellReport[];
}

/** Columns that fit a line of 80 characters. */
const MAX_COLUMNS = 4;

/**
 * The sides of a run: its targets; of one target its modes; of one mode its load levels; of one level its prompts. Of more than
 * four levels or prompts, four are chosen evenly, with the first and the last.
 */
export function sidesOf(cells: readonly CellReport[]): Sides {
  const mainMode = cells.some(({ mode }) => mode === 'streaming') ? 'streaming' : 'non-streaming';
  const main = cells.filter(({ mode }) => mode === mainMode);
  const targets = distinct(cells.map(({ target }) => target));
  if (targets.length > 1)
    return {
      by: 'target',
      sides: targets.map((target) => ({
        ...sideOf(main, 'target', target),
        all: cells.filter((cell) => cell.target === target),
      })),
    };
  const modes = distinct(cells.map(({ mode }) => mode));
  if (modes.length > 1) return { by: 'mode', sides: modes.map((mode) => sideOf(cells, 'mode', mode)) };
  const levels = distinctLevels(main);
  if (levels.length > 1) {
    return {
      by: 'level',
      sides: spread(levels).map((level) => {
        const name = levelName(level);
        const atLevel = main.filter((cell) => sameLevel(cell, level));
        return { name, key: name, cells: atLevel, all: atLevel };
      }),
    };
  }
  const prompts = distinct(main.map(({ prompt }) => prompt));
  if (prompts.length > 1)
    return { by: 'prompt', sides: spread(prompts).map((prompt) => sideOf(main, 'prompt', prompt)) };
  return { by: 'none', sides: [{ name: '', key: '', cells: main, all: main }] };
}

/** A load level as the name of a side: of a stage its name, for brevity. The tables have its load. */
export function levelName(level: LoadLevel): string {
  return level.stage === undefined ? levelInWords(level) : oneLine(level.stage);
}

function sideOf(cells: readonly CellReport[], by: 'target' | 'mode' | 'prompt', key: string): Side {
  const found = cells.filter((cell) => cell[by] === key);
  return { name: oneLine(key), key, cells: found, all: found };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function spread<T>(values: readonly T[]): T[] {
  if (values.length <= MAX_COLUMNS) return [...values];
  return Array.from({ length: MAX_COLUMNS }, (_, at) =>
    Math.round((at * (values.length - 1)) / (MAX_COLUMNS - 1)),
  ).flatMap((index) => values[index] ?? []);
}
