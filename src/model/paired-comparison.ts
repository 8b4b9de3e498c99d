import type { LoadLevel } from './plan.ts';
import type { Unit } from './units.ts';

/** Two sides of one interleaved run, held against each other. */

/** What can be said of two sides. */
export type PairVerdict = 'a_better' | 'b_better' | 'equivalent' | 'inconclusive';

/** One figure of two sides, for one prompt or for all. */
export interface PairRow extends LoadLevel {
  /** The prompt; null for all: the geometric mean of the prompts' ratios. */
  prompt: string | null;
  metric: string;
  statistic: string;
  unit: Unit;
  better: 'lower' | 'higher';
  /** Values on the side with fewer of them, failed requests included. */
  n: number;
  /** Null without data, or where failures reach up to the statistic. Geometric means where `prompt` is null. */
  a: number | null;
  b: number | null;
  /** How many times better A is (below 1: worse), with its interval; null where the data sets no bound. */
  factor: number | null;
  low: number | null;
  high: number | null;
  verdict: PairVerdict;
  /** `requests`: fewer than 4 common rounds, so the sides were drawn apart and drift is not covered. */
  drawn: 'rounds' | 'requests' | null;
}

/** Two sides compared. */
export interface PairComparison {
  a: string;
  b: string;
  settings: { seed: number; resamples: number; level: number };
  rows: PairRow[];
  /** One sentence for each load, about all prompts. */
  sentences: string[];
}

/** A comparison inside a run: target A against target B, or streaming against non-streaming of one target. */
export interface Contrast extends PairComparison {
  kind: 'targets' | 'streaming';
  /** The target whose modes are compared, for `streaming`. */
  target?: string;
}
