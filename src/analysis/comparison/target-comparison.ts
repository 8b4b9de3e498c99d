import { metric } from '../../metrics/definitions.ts';
import { levelOf, sameLevel } from '../../model/cells.ts';
import { UserError } from '../../model/errors.ts';
import type { LoadLevel } from '../../model/plan.ts';
import type { Mode } from '../../model/record.ts';
import { suggest } from '../../model/suggestions.ts';
import {
  comparePairs,
  PAIR_FIGURES,
  type Pair,
  type PairComparison,
  type PairOptions,
} from './paired-comparison.ts';
import type { CellSamples, RunSamples } from './samples.ts';

export type { PairComparison, PairOptions, PairRow, PairVerdict } from './paired-comparison.ts';
export { plainSentence } from './paired-sentences.ts';

/** Two sides of one interleaved run: target A against target B, or streaming against not. */

/**
 * Target `a` against target `b`, in one mode. Throws a `UserError` (`usage`) for a target that the run does not have. Prompts and
 * loads that only one of them has are left out.
 */
export function compareTargets(
  run: RunSamples,
  a: string,
  b: string,
  options: PairOptions & { mode?: Mode },
): PairComparison {
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
  const inMode = cells.filter(({ cell }) => cell.mode === mode);
  return comparePairs(
    { a, b },
    pairUp(
      inMode.filter(({ cell }) => cell.target === a),
      inMode.filter(({ cell }) => cell.target === b),
    ),
    options,
  );
}

/**
 * Streaming (A) against non-streaming (B), for one target. No rows where the run has only one mode, or where no request of a
 * mode ended well: an endpoint that has no whole answer is not slow at it.
 */
export function compareStreaming(run: RunSamples, target: string, options: PairOptions): PairComparison {
  const cells = [...run.cells.values()].filter(
    ({ cell, outcomes }) => cell.target === target && outcomes.ok !== undefined,
  );
  const figures =
    options.figures ?? PAIR_FIGURES.filter(({ metric: name }) => metric(name).modes === undefined);
  return comparePairs(
    { a: 'streaming', b: 'non-streaming' },
    pairUp(
      cells.filter(({ cell }) => cell.mode === 'streaming'),
      cells.filter(({ cell }) => cell.mode === 'non-streaming'),
    ),
    { ...options, figures },
  );
}

function pairUp(as: readonly CellSamples[], bs: readonly CellSamples[]): Pair[] {
  return as.flatMap((a) => {
    const { prompt } = a.cell;
    const b = bs.find(({ cell }) => cell.prompt === prompt && sameLevel(cell, a.cell));
    return b ? [{ prompt, level: levelOf(a.cell), a, b }] : [];
  });
}

/** What streaming costs and what it gives, for all prompts at one load. Null where a side has no data. */
export interface StreamingBalance extends LoadLevel {
  /** Total when streaming over total when not: above 1 is what streaming costs. */
  overhead: { ratio: number | null; low: number | null; high: number | null };
  /** How much sooner the first token comes, in ms. */
  savedMs: number | null;
}

/** What streaming costs and gives, of a comparison made by `compareStreaming`. */
export function streamingBalance({ rows }: PairComparison): StreamingBalance[] {
  const inAll = rows.filter(({ prompt, statistic }) => prompt === null && statistic === 'p50');
  return inAll
    .filter(({ metric: name }) => name === 'total')
    .map(({ factor, low, high, ...total }) => {
      const ttft = inAll.find((row) => row.metric === 'ttft' && sameLevel(row, total));
      const saved = ttft && ttft.a !== null && ttft.b !== null ? ttft.b - ttft.a : null;
      return {
        ...levelOf(total),
        overhead: { ratio: inverse(factor), low: inverse(high), high: inverse(low) },
        savedMs: saved,
      };
    });
}

function inverse(value: number | null): number | null {
  return value === null || value === 0 ? null : 1 / value;
}
