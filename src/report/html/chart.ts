import type { Unit } from '../../model/format.ts';

/**
 * What the script of a page draws, embedded in the page as JSON. Times are whole tenths of a millisecond; other values are in their
 * unit. `src/report/html/page/` reads it.
 */

/** One axis. */
export interface Axis {
  label: string;
  /** `seconds`: a time since the start of the run, in tenths of a ms as every time. `text`: the labels are in `names`. */
  unit: Unit | 'seconds' | 'text';
  log?: boolean;
  /** Of whole numbers from 0 on. */
  names?: string[];
  /** The axis includes 0. */
  fromZero?: boolean;
  /** Absent: as the values need. */
  range?: [number, number];
}

/** A line across a chart with a label. */
export interface Guide {
  axis: 'x' | 'y';
  at: number;
  label: string;
  tone: Tone;
}

/** How something is meant. Drawn as a color and as a shape. */
export type Tone = 'neutral' | 'good' | 'bad' | 'unknown';

/** Points of a chart that are connected. */
export interface Line {
  name: string;
  /** Number of the color, dash and marker. */
  style: number;
  x: number[];
  y: (number | null)[];
  /** Each value holds until the next one. */
  step?: boolean;
  /** One marker for each point. Absent: no markers. */
  tones?: Tone[];
  /** False: markers without a line. */
  joined?: boolean;
}

/** Lines over a common axis. */
export interface LinesChart {
  kind: 'lines';
  x: Axis;
  y: Axis;
  lines: Line[];
  guides: Guide[];
  /** Where there is no value: crosses at the bottom. */
  missing?: number[];
}

/** One metric of several cells, as a cumulative distribution and as a curve of percentiles. */
export interface DistributionChart {
  kind: 'distribution';
  label: string;
  unit: Unit;
  /** The shares of the values in `sampled` curves. */
  grid: number[];
  curves: Curve[];
}

/** The values of one cell, ascending. */
export interface Curve {
  cell: number;
  n: number;
  /** Every value; or, where `sampled`, the one at each share of the grid. */
  values: number[];
  sampled: boolean;
}

/** A row for each request: when its content arrived. */
export interface RasterChart {
  kind: 'raster';
  rows: RasterRow[];
  /** What the outcomes in the rows are. */
  outcomes: string[];
}

/** One request. Times since it was sent. */
export interface RasterRow {
  cell: number;
  /** Arrivals of content: the first, then the difference to the one before. */
  arrivals: number[];
  /** The first byte of the body. */
  byte?: number;
  end?: number;
  /** Index in `outcomes`; absent for a complete answer. */
  failed?: number;
  /** The arrival that brought at least half of the content, of more than one event. */
  flush?: number;
}

/** TTFT over the run, with failed requests and stalls. */
export interface TimelineChart {
  kind: 'timeline';
  start: number;
  end: number;
  cells: { cell: number; x: number[]; y: number[] }[];
  /** `outcome`: indexes in `outcomes`. */
  failures: { cell: number; x: number[]; outcome: number[] }[];
  outcomes: string[];
  /** Requests with a stall, at their TTFT. */
  stalls: { cell: number; x: number[]; y: number[]; longest: number[] }[];
}

/** A row for each comparison: marks, and lines between values. */
export interface RowsChart {
  kind: 'rows';
  x: Axis;
  rows: Row[];
  /** The value of no difference, with the tolerance around it. */
  zero?: number;
  band?: [number, number];
  /** What the shapes stand for, where there are several in a row. */
  legend: { shape: Shape; label: string }[];
}

/** The shape of a mark. */
export type Shape = 'dot' | 'ring' | 'square' | 'diamond';

/** One row. */
export interface Row {
  label: string;
  tone: Tone;
  marks: { at: number; shape: Shape }[];
  /** Null where it is open. */
  span?: [number | null, number | null];
  /** Shown at the right: the values in words. */
  text: string;
}

/** Any chart. */
export type Chart = LinesChart | DistributionChart | RasterChart | TimelineChart | RowsChart;

/** A cell as the page names it. */
export interface ChartCell {
  name: string;
  /** Shown at first. */
  on: boolean;
  /** Number of its color, dash and marker. */
  style: number;
}

/** Everything that the script of a page needs. */
export interface PageData {
  cells: ChartCell[];
  charts: Chart[];
}

/** A time in whole tenths of a ms. */
export function tenths(ms: number): number {
  return Math.round(ms * 10);
}

/** A value for a chart: times as tenths of a ms, others to four digits. */
export function charted(value: number, unit: Unit): number {
  return unit === 'ms' ? tenths(value) : Number(value.toPrecision(4));
}
