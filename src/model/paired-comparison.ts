import type { Unit } from './format.ts';
import type { LoadLevel } from './plan.ts';

/** Comparisons within one run: both sides were measured in the same rounds. */

/** The verdict on one figure of two sides. */
export type PairedVerdict = 'a_better' | 'b_better' | 'equivalent' | 'inconclusive';

/** One figure of two sides, for one prompt or for all. */
export interface PairedRow extends LoadLevel {
  /** The prompt. Null for all prompts, also where there is only one: the geometric mean of the prompts' ratios. */
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
  /** How many times better A is (below 1: worse), with its interval. Null where the data sets no bound. */
  factor: number | null;
  low: number | null;
  high: number | null;
  verdict: PairedVerdict;
  /** `requests`: fewer than 4 common rounds, so each side was resampled by itself and drift is not covered. */
  drawn: 'rounds' | 'requests' | null;
}

/** Target A against target B, or streaming (A) against non-streaming (B) of one target. */
export interface PairedComparison {
  kind: 'targets' | 'streaming';
  /** The target whose modes are compared. Only where `kind` is `streaming`. */
  target?: string;
  /** The names of the sides. */
  a: string;
  b: string;
  settings: { seed: number; resamples: number; level: number };
  rows: PairedRow[];
  /** One sentence for each load level, about all prompts. */
  sentences: string[];
}
