import { tidy } from '../../metrics/distribution.ts';
import type { AbCheck, AbGate, AbSettings, AbVerdict } from '../../model/ab-gate.ts';
import type { GateCheck } from '../regression/checks.ts';
import {
  adjust,
  CELLS_SHARE,
  drawSmallest,
  type FamilyMember,
  GATE_LEVEL,
  levelsOf,
  weightsOf,
} from '../regression/family.ts';
import { smallestDetectable } from '../regression/prediction.ts';
import { errorCheck } from './ab-errors.ts';
import {
  estimateFigure,
  type FigureEstimate,
  hasEnoughRounds,
  intervalError,
  isMetricCheck,
  pValue,
} from './ab-estimates.ts';
import { checksFor, leftOutWarnings, reasons, sidePairs } from './ab-selection.ts';
import { checkSentence, gateSentence } from './ab-sentences.ts';
import type { CellPair } from './paired-rows.ts';
import type { RunSamples } from './samples.ts';

/**
 * Decides whether side B of a run is worse than side A. Both were measured in the same rounds, so drift between rounds cancels and
 * the ratio of each round is compared (bootstrap over whole rounds).
 *
 * A check is a `regression` when B is worse by more than the tolerance and the floor, and its familywise p-value is at most the
 * level. All checks are one family, adjusted by their joint distribution (`analysis/regression/family.ts`); the first figure leads
 * with half of the weight. All cells together are checked first; single cells share `CELLS_SHARE` of the level.
 */

/** Where drift between rounds is not measured, it is assumed: a change below this factor may be drift (5 % a side, one-sided 5 %). */
const ASSUMED_DRIFT = Math.exp(1.645 * 0.05 * Math.SQRT2);
/** A check that finds only changes above this factor says nothing when it finds none. */
const BLIND = 2;

/** How the gate is computed. */
export interface AbGateOptions {
  seed: number;
  /** Default 10,000. */
  resamples?: number;
  /** Draws of the joint distribution of all checks. Default 4,000. */
  draws?: number;
  /** The first check leads. Default: as for a baseline. */
  checks?: readonly GateCheck[];
}

/** The gate's result for a run. */
export function decideAb(run: RunSamples, settings: AbSettings, options: AbGateOptions): AbGate {
  const { seed, resamples = 10_000, draws } = options;
  const { base, next, strict } = settings;
  const pairs = sidePairs(run, settings);
  const figures = checksFor(pairs, options.checks);
  const share = pairs.length > 1 ? 1 - CELLS_SHARE : 1;
  const summaries = summaryChecks(pairs, figures, { seed, resamples, draws, alpha: GATE_LEVEL * share });
  const cells = pairs.length > 1 ? cellChecks(pairs, figures, { seed, resamples }) : [];
  const checks = [...summaries, ...cells];
  const verdict = overall(checks);
  const names = { base, next };
  return {
    ...names,
    strict,
    verdict,
    sentence: gateSentence(verdict, checks, {
      ...names,
      baseReasons: pairs.some(({ a }) => reasons(a)),
      nextReasons: pairs.some(({ b }) => reasons(b)),
    }),
    warnings: [...warningsOf(pairs, figures), ...leftOutWarnings(run, settings, options.checks)],
    settings: { seed, resamples, alpha: GATE_LEVEL },
    checks,
  };
}

interface Level {
  seed: number;
  resamples: number;
  draws: number | undefined;
  alpha: number;
}

function summaryChecks(pairs: readonly CellPair[], figures: readonly GateCheck[], level: Level): AbCheck[] {
  const estimates = estimateAll(pairs, figures, level);
  const weights = weightsOf(figures);
  const drafts = figures.map((figure, index) => {
    const weight = weights[index]!;
    if (!isMetricCheck(figure)) return { weight, check: errorCheck(pairs, figure) };
    const estimate = estimates.get(figure);
    return { weight, estimate };
  });
  const decidable = drafts.flatMap(({ estimate, weight }) =>
    estimate !== undefined && isGated(estimate) ? [{ estimate, weight }] : [],
  );
  // Error rates are tested by themselves, at their share of the level.
  const errorWeight = drafts.reduce((sum, { check, weight }) => sum + (check ? weight : 0), 0);
  const total = drafts.reduce((sum, { weight }) => sum + weight, 0);
  const timed = timedChecks(decidable, { ...level, alpha: level.alpha * (1 - errorWeight / total) });
  return drafts.flatMap(({ estimate, check }): AbCheck[] => {
    if (check) return [check(level.alpha * (errorWeight / total))];
    if (estimate === undefined) return [];
    return [timed.get(estimate) ?? tooFew(estimate)];
  });
}

/** Estimates the timed figures. */
export function estimateAll(
  pairs: readonly CellPair[],
  figures: readonly GateCheck[],
  options: { seed: number; resamples: number },
): Map<GateCheck, FigureEstimate> {
  const timed = figures.filter(isMetricCheck);
  return new Map(timed.map((figure) => [figure, estimateFigure(pairs, figure, options)]));
}

/** Enough values, on both sides. */
export function isGated({ estimate, n, needed }: FigureEstimate): boolean {
  return estimate !== null && n >= needed;
}

/** A member of the family of checks. */
function familyMember(estimate: FigureEstimate, weight: number): FamilyMember {
  const measured = hasEnoughRounds(estimate);
  const degreesOfFreedom = measured ? estimate.scores.length - 1 : Number.POSITIVE_INFINITY;
  return {
    weight,
    prediction: {
      scores: measured ? estimate.scores : [],
      degreesOfFreedom,
      assumed: !measured,
      common: 0,
    },
  };
}

function timedChecks(
  decidable: readonly { estimate: FigureEstimate; weight: number }[],
  { seed, draws, alpha }: Level,
): Map<FigureEstimate, AbCheck> {
  if (decidable.length === 0) return new Map();
  const family = decidable.map(({ estimate, weight }) => familyMember(estimate, weight));
  const smallest = drawSmallest(family, { seed, draws });
  const limits = decidable.map(({ estimate }) => (hasEnoughRounds(estimate) ? 1 : ASSUMED_DRIFT));
  const p = (side: 'above' | 'below') =>
    decidable.map(({ estimate }, index) => {
      const limit = limits[index] ?? 1;
      return pValue(estimate, side, side === 'above' ? limit : 1 / limit);
    });
  const worse = adjust(family, p('above'), smallest);
  const better = adjust(family, p('below'), smallest);
  const levels = levelsOf(family, smallest, alpha);
  return new Map(
    decidable.map(({ estimate }, index) => [
      estimate,
      timedCheck(estimate, {
        pWorse: worse[index] ?? 1,
        pBetter: better[index] ?? 1,
        alpha,
        ownLevel: levels[index] ?? 0,
      }),
    ]),
  );
}

function timedCheck(
  one: FigureEstimate,
  p: { pWorse: number; pBetter: number; alpha: number; ownLevel: number },
): AbCheck {
  const { check, estimate, base, next } = one;
  const { tolerance, floor } = check;
  const ratio = estimate?.ratio ?? Number.NaN;
  const [low, high] = [estimate?.low ?? 0, estimate?.high ?? Number.POSITIVE_INFINITY];
  const beyondFloor = !(Math.abs(next - base) <= floor);
  const detectable = detectableOf(one, p.ownLevel);
  let verdict: AbVerdict;
  if (ratio > 1 + tolerance && beyondFloor && p.pWorse <= p.alpha) verdict = 'regression';
  else if (ratio < 1 / (1 + tolerance) && beyondFloor && p.pBetter <= p.alpha) verdict = 'improvement';
  else if (!hasEnoughRounds(one)) verdict = 'inconclusive';
  else if (low > 1 / (1 + tolerance) && high < 1 + tolerance) verdict = 'equivalent';
  else if (ratio <= 1 + tolerance || !beyondFloor)
    verdict = detectable < BLIND - 1 ? 'unchanged' : 'inconclusive';
  else verdict = 'inconclusive';
  return withSentence({
    ...common(one),
    pWorse: tidy(p.pWorse),
    pBetter: tidy(p.pBetter),
    detectable: finite(detectable),
    gated: true,
    verdict,
  });
}

function tooFew(one: FigureEstimate): AbCheck {
  const unknown = { pWorse: null, pBetter: null, detectable: null };
  return withSentence({ ...common(one), ...unknown, gated: false, verdict: 'inconclusive' });
}

function common({ check, n, needed, base, next, estimate }: FigureEstimate) {
  const { figure, unit, better, tolerance } = check;
  return {
    ...{ cell: null, figure, unit, better, needed, n, tolerance },
    base: finite(base),
    next: finite(next),
    worse: finite(estimate?.ratio),
    low: finite(estimate?.low),
    high: finite(estimate?.high),
  };
}

function withSentence(check: Omit<AbCheck, 'sentence'>): AbCheck {
  return { ...check, sentence: checkSentence(check) };
}

/** As a share: 0.18 for +18 %. Infinite where the interval is unbounded. */
function detectableOf(one: FigureEstimate, alpha: number): number {
  const { estimate, scores, check } = one;
  if (estimate === null || !hasEnoughRounds(one)) return Number.POSITIVE_INFINITY;
  const degreesOfFreedom = scores.length - 1;
  const sd = intervalError(estimate, degreesOfFreedom);
  if (!Number.isFinite(sd)) return Number.POSITIVE_INFINITY;
  const tolerance = Math.log(1 + check.tolerance);
  return Math.exp(smallestDetectable({ sd, degreesOfFreedom }, { alpha, tolerance })) - 1;
}

/** Single cells on the leading figure; only those that regressed are listed. */
function cellChecks(
  pairs: readonly CellPair[],
  figures: readonly GateCheck[],
  options: { seed: number; resamples: number },
): AbCheck[] {
  const figure = figures.find(isMetricCheck);
  if (figure === undefined) return [];
  const alpha = (GATE_LEVEL * CELLS_SHARE) / pairs.length;
  return pairs.flatMap((pair) => {
    const one = estimateFigure([pair], figure, options);
    if (!isGated(one) || !hasEnoughRounds(one)) return [];
    const [pWorse, pBetter] = [pValue(one, 'above', 1), pValue(one, 'below', 1)];
    const check = timedCheck(one, { pWorse, pBetter, alpha, ownLevel: alpha });
    return check.verdict === 'regression' ? [withSentence({ ...check, cell: pair.b.cell })] : [];
  });
}

/** The leading figure decides whether the gate knows anything; the others can only add a regression or an improvement. */
function overall(checks: readonly AbCheck[]): AbVerdict {
  const gated = checks.filter((check) => check.gated);
  const has = (verdict: AbVerdict) => gated.some((check) => check.verdict === verdict);
  const [leading] = checks;
  if (has('regression')) return 'regression';
  if (leading === undefined || !leading.gated || leading.verdict === 'inconclusive') return 'inconclusive';
  if (has('improvement')) return 'improvement';
  return leading.verdict;
}

function warningsOf(pairs: readonly CellPair[], figures: readonly GateCheck[]): string[] {
  if (pairs.length === 0) return ['the sides have no prompt and load level in common'];
  const [figure] = figures.filter(isMetricCheck);
  if (figure === undefined) return [];
  const rounds = Math.min(
    ...pairs.flatMap(({ a, b }) => [a.rounds(figure.metric).length, b.rounds(figure.metric).length]),
  );
  if (rounds >= 4) return [];
  return [
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}: drift between rounds cannot be measured and is assumed to be 5 %; use --rounds 5 or more`,
  ];
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? tidy(value) : null;
}
