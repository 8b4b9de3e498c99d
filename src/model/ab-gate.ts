import type { Unit } from './format.ts';
import type { Cell } from './plan.ts';

/** The gate of `ab`: is the new side (B) worse than the base (A), measured in the same rounds? */

/** How the gate decides. Stored in the manifest, so that a report made later decides the same. */
export interface AbSettings {
  /** Names of the targets. */
  base: string;
  next: string;
  /** An inconclusive gate is a failure too. */
  strict: boolean;
  /** With early stop: the rounds planned. Absent: all rounds are measured. */
  maxRounds?: number;
}

/**
 * What is decided about a figure. `unchanged`: no change beyond the noise of the rounds; `equivalent`: the interval lies inside
 * the tolerance.
 */
export type AbVerdict = 'regression' | 'improvement' | 'equivalent' | 'unchanged' | 'inconclusive';

/** One figure of both sides. */
export interface AbCheck {
  /** The cell of the new side; null for all cells together (the geometric mean of their ratios). */
  cell: Cell | null;
  /** `ttft.p50`, `errors.rate`. */
  figure: string;
  unit: Unit;
  better: 'lower' | 'higher';
  /** Values that the figure needs on either side before it decides. */
  needed: number;
  /** Values on the side with fewer of them, failed requests included. */
  n: number;
  /** Null without data, or where failures reach up to the statistic. */
  base: number | null;
  next: number | null;
  /** Factor by which B is worse (below 1: better), with its 90 % interval. For errors.rate: the difference of the rates. */
  worse: number | null;
  low: number | null;
  high: number | null;
  tolerance: number;
  /** Familywise p-values: that a change of this size is chance. */
  pWorse: number | null;
  pBetter: number | null;
  /** The smallest slowdown that is found in four of five runs, as a share. Null if unknown. */
  detectable: number | null;
  /** False with too few values: shown, but does not decide. */
  gated: boolean;
  verdict: AbVerdict;
  sentence: string;
}

/** Why the run ended when it did. */
export interface AbStop {
  rounds: number;
  maxRounds: number;
  /** `maximum`: all rounds were measured, and no bound was crossed before. */
  reason: 'regression' | 'no_regression' | 'maximum';
  sentence: string;
}

/** The gate's result. */
export interface AbGate {
  base: string;
  next: string;
  strict: boolean;
  verdict: AbVerdict;
  sentence: string;
  /** What limits the result: too few rounds, failed requests. */
  warnings: string[];
  settings: { seed: number; resamples: number; alpha: number };
  /** All cells together first, then single cells that regressed. */
  checks: AbCheck[];
  stop?: AbStop;
}
