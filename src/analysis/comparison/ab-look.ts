import type { AbSettings, AbStop } from '../../model/ab-gate.ts';
import type { GateCheck } from '../regression/checks.ts';
import { weightOf } from '../regression/family.ts';
import { errorRates } from './ab-errors.ts';
import { pValue } from './ab-estimates.ts';
import { estimateAll, isGated } from './ab-gate.ts';
import { checksFor, sidePairs } from './ab-selection.ts';
import { stopSentence } from './ab-sentences.ts';
import type { CellPair } from './paired-rows.ts';
import type { RunSamples } from './samples.ts';
import { decideLook, type LookCheck, lookLevels } from './sequential.ts';

// Made between rounds, while nothing is measured: fewer resamples than the gate, so that a look takes a fraction of a second.
const RESAMPLES = 2_000;

/** Looks at a run between its rounds. */
export interface AbLooks {
  /** Why the run can stop after so many rounds; undefined to go on. */
  after(rounds: number, run: RunSamples): AbStop | undefined;
}

/** How looks are computed. */
export interface AbLookOptions {
  seed: number;
  /** As the gate's. */
  checks?: readonly GateCheck[];
  /** Default 2,000. */
  resamples?: number;
}

/** The looks of a run that may stop early. */
export function abLooks(settings: AbSettings, maxRounds: number, options: AbLookOptions): AbLooks {
  const levels = lookLevels(maxRounds);
  return {
    after(rounds, run) {
      const level = levels.get(rounds);
      if (level === undefined) return rounds < maxRounds ? undefined : atMaximum(maxRounds);
      const { checks, names } = lookAt(run, settings, options, level);
      const reason = decideLook(checks, level);
      if (reason === undefined) return undefined;
      const at = checks.findIndex(({ pAboveTolerance }) => pAboveTolerance <= level);
      return {
        rounds,
        maxRounds,
        reason,
        sentence: stopSentence({ rounds, maxRounds, reason }, names[at] ?? ''),
      };
    },
  };
}

function atMaximum(maxRounds: number): AbStop {
  const stop = { rounds: maxRounds, maxRounds, reason: 'maximum' } as const;
  return { ...stop, sentence: stopSentence(stop, '') };
}

function lookAt(
  run: RunSamples,
  settings: AbSettings,
  { seed, checks: chosen, resamples = RESAMPLES }: AbLookOptions,
  level: number,
): { checks: LookCheck[]; names: string[] } {
  const pairs = sidePairs(run, settings);
  const figures = checksFor(pairs, chosen);
  const estimates = estimateAll(pairs, figures, { seed, resamples });
  const checks: LookCheck[] = [];
  const names: string[] = [];
  for (const [index, figure] of figures.entries()) {
    const share = weightOf(index, figures.length);
    const estimate = estimates.get(figure);
    if (estimate !== undefined) {
      // Without enough values the leading figure keeps the run going; others have no say yet.
      if (!isGated(estimate) && index > 0) continue;
      const limit = 1 + figure.tolerance;
      const floor = Math.abs(estimate.next - estimate.base) <= figure.floor;
      checks.push({
        pAboveTolerance: floor || !isGated(estimate) ? 1 : pValue(estimate, 'above', limit) / share,
        pBelowTolerance: isGated(estimate) ? pValue(estimate, 'below', limit) : 1,
        beyond: !floor && !((estimate.estimate?.ratio ?? Number.NaN) <= limit),
      });
    } else checks.push(errorLook(pairs, figure, level * share));
    names.push(figure.figure);
  }
  return { checks, names };
}

/** An interval at the look's level stands for the p-value. */
function errorLook(pairs: readonly CellPair[], { tolerance }: GateCheck, level: number): LookCheck {
  const { low, difference } = errorRates(pairs, 1 - 2 * level);
  return { pAboveTolerance: low > tolerance ? 0 : 1, pBelowTolerance: 1, beyond: difference > tolerance };
}
