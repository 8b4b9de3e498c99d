import type { AbSettings, AbStop } from '../../model/ab-gate.ts';
import type { GateCheck } from '../regression/checks.ts';
import { CELLS_SHARE, GATE_LEVEL, weightsOf } from '../regression/family.ts';
import { errorRates } from './ab-errors.ts';
import {
  estimateFigure,
  type FigureEstimate,
  hasEnoughRounds,
  intervalError,
  isMetricCheck,
  pValue,
} from './ab-estimates.ts';
import { estimateAll, isGated } from './ab-gate.ts';
import { checksFor, sidePairs } from './ab-selection.ts';
import { stopSentence } from './ab-sentences.ts';
import type { CellPair } from './paired-rows.ts';
import type { RunSamples } from './samples.ts';
import { chanceOfRegression, decideLook, FIRST_LOOK, isSettled, type LookCheck } from './sequential.ts';

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
  return {
    after(rounds, run) {
      if (rounds >= maxRounds) return atMaximum(maxRounds);
      if (rounds < FIRST_LOOK) return undefined;
      const checks = lookAt(run, settings, options, { rounds, maxRounds });
      const reason = decideLook(checks);
      if (reason === undefined) return undefined;
      const figure = checks.find(isSettled)?.figure ?? '';
      return { rounds, maxRounds, reason, sentence: stopSentence({ rounds, maxRounds, reason }, figure) };
    },
  };
}

function atMaximum(maxRounds: number): AbStop {
  const stop = { rounds: maxRounds, maxRounds, reason: 'maximum' } as const;
  return { ...stop, sentence: stopSentence(stop, '') };
}

interface Progress {
  rounds: number;
  maxRounds: number;
}

interface FigureLook extends LookCheck {
  figure: string;
}

/** All cells together by every check, then single cells by the leading figure: what the gate decides on. */
function lookAt(
  run: RunSamples,
  settings: AbSettings,
  { seed, checks: chosen, resamples = RESAMPLES }: AbLookOptions,
  progress: Progress,
): FigureLook[] {
  const pairs = sidePairs(run, settings);
  const figures = checksFor(pairs, chosen);
  const estimates = estimateAll(pairs, figures, { seed, resamples });
  const cellsShare = pairs.length > 1 ? CELLS_SHARE : 0;
  const weights = weightsOf(figures);
  const looks = figures.flatMap((figure, index): FigureLook[] => {
    const level = GATE_LEVEL * (1 - cellsShare) * weights[index]!;
    const estimate = estimates.get(figure);
    if (estimate === undefined) return [errorLook(pairs, figure, level, progress)];
    // Without enough values the leading figure keeps the run going; others have no say yet.
    return isGated(estimate) || index === 0 ? [timedLook(estimate, level, progress)] : [];
  });
  const leading = figures.find(isMetricCheck);
  if (cellsShare === 0 || leading === undefined) return looks;
  const cells = pairs.flatMap((pair) => {
    const estimate = estimateFigure([pair], leading, { seed, resamples });
    return isGated(estimate) ? [timedLook(estimate, (GATE_LEVEL * cellsShare) / pairs.length, progress)] : [];
  });
  return [...looks, ...cells];
}

/** A check that the gate could not decide on has no chance yet: NaN. */
function timedLook(one: FigureEstimate, level: number, { rounds, maxRounds }: Progress): FigureLook {
  const { check, estimate, base, scores } = one;
  const { figure, floor } = check;
  if (estimate === null || !isGated(one) || !hasEnoughRounds(one))
    return { figure, isRegression: false, chance: Number.NaN };
  const degreesOfFreedom = scores.length - 1;
  const mean = Math.log(estimate.ratio);
  const leastChange = check.better === 'lower' ? floor / base : 0;
  const tolerance = Math.log1p(Math.max(check.tolerance, leastChange));
  const isRegression = mean > tolerance && pValue(one, 'above', 1) <= level;
  // A round in which failures reach up to the figure has no ratio; resampled rounds still have.
  const error = Number.isFinite(one.error) ? one.error : intervalError(estimate, degreesOfFreedom);
  if (!Number.isFinite(error)) return { figure, isRegression, chance: isRegression ? 1 : Number.NaN };
  const interim = { mean, error, degreesOfFreedom, tolerance, level };
  return { figure, isRegression, chance: chanceOfRegression(interim, rounds, maxRounds) };
}

function errorLook(
  pairs: readonly CellPair[],
  { figure, tolerance }: GateCheck,
  level: number,
  { rounds, maxRounds }: Progress,
): FigureLook {
  const { requests, base, next, low, difference } = errorRates(pairs, 1 - 2 * level);
  const isRegression = low > 0 && difference > tolerance;
  const rate = Math.max((base + next) / 2, 1 / (requests + 2));
  const error = Math.sqrt((2 * rate * (1 - rate)) / requests);
  const interim = { mean: difference, error, degreesOfFreedom: Number.POSITIVE_INFINITY, tolerance, level };
  return { figure, isRegression, chance: chanceOfRegression(interim, rounds, maxRounds) };
}
