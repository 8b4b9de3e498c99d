import type { AcceptedRun } from './accepted-run.ts';
import type { Unit } from './format.ts';
import type { Cell } from './plan.ts';

/** The trend of figures over runs, with their change points, as one JSON document. */
export interface HistoryReport {
  schema: 'streambench/history@1';
  /** What was read: the name of a baseline, or the pattern of run folders. */
  source: string;
  /** Oldest first. */
  runs: HistoryRun[];
  /** By group, then by figure, then oldest first. */
  changePoints: HistoryChange[];
  /** Runs that can be compared with each other. The group of the newest run is the first. */
  groups: HistoryGroup[];
  series: HistorySeries[];
  settings: HistorySettings;
  /** One sentence for each entry that could not be used. */
  warnings: string[];
}

/** How change points were searched for. */
export interface HistorySettings {
  method: 'e-divisive';
  /** The chance of any change point in a group that does not change: over all cells, and once more for single cells. */
  alpha: number;
  /** Seed of the permutations. */
  seed: number;
}

/** One run. */
export interface HistoryRun extends Pick<AcceptedRun, 'newLevel'> {
  id: string;
  /** ISO 8601. */
  startedAt: string;
  commit?: string;
  branch?: string;
  hostClass: string;
  scenario: string;
  /** Index in `groups`. */
  group: number;
  /** Requests of all cells, and how many of them failed. */
  requests: number;
  failed: number;
  /** Over all cells. Null where a cell has no value in this run. */
  figures: Record<string, number | null>;
}

/** Runs of one scenario, load and kind of machine. Runs of different groups are never in one series. */
export interface HistoryGroup {
  scenario: string;
  hostClass: string;
  runs: number;
  /** Of the oldest and the newest run, ISO 8601. */
  from: string;
  to: string;
  /** Why its runs are not in the first group. Empty for the first group. */
  differs: string[];
}

/** One figure over the runs of a group. */
export interface HistorySeries extends TrackedFigure {
  /** Index in `groups`. */
  group: number;
  /**
   * Null for all cells together: the geometric mean of the cells; for `errors.rate` and `goodput.rate` the share of all
   * requests; for `goodput` the sum.
   */
  cell: Cell | null;
  /** Cells that the values are made of. */
  cells: number;
  /** One for each run of the group, oldest first. Null where a run has none. */
  values: (number | null)[];
  /** The median of each part between change points, oldest first. Empty without values. */
  levels: HistoryLevel[];
}

/** The values between two change points. */
export interface HistoryLevel {
  /** Index in `values` of the first run of this level. */
  from: number;
  median: number;
}

/** A figure whose trend is shown. */
export interface TrackedFigure {
  /** `ttft.p50`, `errors.rate`, `goodput`. */
  figure: string;
  unit: Unit;
  better: 'lower' | 'higher';
}

/** From this run on, a figure has another level. */
export interface HistoryChange extends TrackedFigure {
  group: number;
  hostClass: string;
  cell: Cell | null;
  direction: 'worse' | 'better';
  /** Medians of the levels before and after. */
  before: number;
  after: number;
  /** after / before. Null for shares, and where `before` is 0. */
  ratio: number | null;
  /** The first run at the new level. */
  run: string;
  startedAt: string;
  commit?: string;
  /** The last run before. */
  previousRun: string;
  previousCommit?: string;
  /** Runs with a value at the level before, and at the new one. */
  runsBefore: number;
  runsAfter: number;
  /** Adjusted over all series that were searched. */
  pValue: number;
}
