import { metric } from '../../metrics/definitions.ts';
import { levelOf, sameLevel } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { PairedComparison } from '../../model/paired-comparison.ts';
import type { Mode } from '../../model/record.ts';
import { suggest } from '../../model/suggestions.ts';
import { type CellPair, comparePairs, type PairedOptions, pairedFigures } from './paired-rows.ts';
import type { CellSamples, RunSamples } from './samples.ts';

/** Paired comparisons within one run: target against target, and streaming against non-streaming. */

/**
 * Compares target `a` with target `b` in one mode (default: streaming where the run has it). Prompts and load levels that only
 * one of them has are left out. Throws a `UserError` (`usage`) for a target that the run does not have.
 */
export function compareTargets(
  run: RunSamples,
  a: string,
  b: string,
  options: PairedOptions & { mode?: Mode },
): PairedComparison {
  const cells = [...run.cells.values()];
  const known = [...new Set(cells.map(({ cell }) => cell.target))];
  for (const name of [a, b]) {
    if (!known.includes(name)) {
      throw new UserError('usage', {
        message: `no target "${name}" in this run`,
        hint: suggest(name, known),
      });
    }
  }
  const mode =
    options.mode ?? (cells.some(({ cell }) => cell.mode === 'streaming') ? 'streaming' : 'non-streaming');
  const cellsOf = (target: string) =>
    cells.filter(({ cell }) => cell.mode === mode && cell.target === target);
  return { kind: 'targets', ...comparePairs({ a, b }, pairUp(cellsOf(a), cellsOf(b)), options) };
}

/**
 * Compares streaming (A) with non-streaming (B) for one target. Without rows where the run has only one mode, or where no
 * request of a mode succeeded: an endpoint without whole answers is not slow at them.
 */
export function compareModes(run: RunSamples, target: string, options: PairedOptions): PairedComparison {
  const cellsOf = (mode: Mode) =>
    [...run.cells.values()].filter(
      ({ cell, outcomes }) => cell.target === target && cell.mode === mode && outcomes.ok !== undefined,
    );
  const names = { a: 'streaming', b: 'non-streaming' } as const;
  const pairs = pairUp(cellsOf(names.a), cellsOf(names.b));
  const inBothModes = pairedFigures(pairs).filter((figure) => metric(figure.metric).modes === undefined);
  return {
    kind: 'streaming',
    target,
    ...comparePairs(names, pairs, { ...options, figures: options.figures ?? inBothModes }),
  };
}

/** Pairs of cells of the same prompt and load level. Cells that only one side has are left out. */
export function pairUp(as: readonly CellSamples[], bs: readonly CellSamples[]): CellPair[] {
  return as.flatMap((a) => {
    const { prompt } = a.cell;
    const b = bs.find(({ cell }) => cell.prompt === prompt && sameLevel(cell, a.cell));
    return b ? [{ prompt, level: levelOf(a.cell), a, b }] : [];
  });
}
