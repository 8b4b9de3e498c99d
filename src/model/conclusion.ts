import type { Unit } from './format.ts';
import type { LoadLevel } from './plan.ts';

/** The answer to a run's question, in a few lines. Every format begins with it. */

/** What a line is about. `next` is what the user can do. */
export type ConclusionTopic =
  | 'incomplete'
  | 'capacity'
  | 'figure'
  | 'cost'
  | 'requests'
  | 'streams'
  | 'gates'
  | 'client'
  | 'unsure'
  | 'next';

/** How the sides of a figure differ. */
export interface ConclusionFigure {
  metric: string;
  statistic: string;
  unit: Unit;
  /** The load level; absent if the sides are load levels. */
  level?: LoadLevel;
  /** One for each side; null without data. Geometric means over the prompts where there are several. */
  values: (number | null)[];
  /**
   * `sure`: one side is better, also after the adjustment for all compared figures. `equal`: the interval is inside the tolerance.
   * `unsure`: neither. Absent where the sides are not compared.
   */
  certainty?: 'sure' | 'equal' | 'unsure';
  /** The better side, if sure. */
  best?: string;
  /** The side that `best` is compared with: of several, the second. */
  against?: string;
  /** How many times better `best` is, with its interval. Null where the data sets no bound. */
  factor?: number | null;
  low?: number | null;
  high?: number | null;
}

/** One line. */
export interface ConclusionLine {
  topic: ConclusionTopic;
  /** What it is about: `first token`. */
  label: string;
  /** One for each side, or empty if the line is about all of them. */
  values: string[];
  /** What follows from the values, or a sentence; may be empty. */
  text: string;
  outcome: 'good' | 'bad' | 'unknown' | 'neutral';
  figure?: ConclusionFigure;
}

/** The conclusion of a run. */
export interface Conclusion {
  /** The names of what is set side by side: targets, modes, load levels or prompts. One cell has one, which is not printed. */
  sides: string[];
  /** Eight at most, with a header line for several sides. */
  lines: ConclusionLine[];
}
