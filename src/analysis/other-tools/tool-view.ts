import type { Unit } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { ViewToolName } from '../../model/tool-names.ts';

/** A figure of another tool over all successful requests of a cell. */
export interface ToolMetric {
  /** As the tool prints it. */
  label: string;
  unit: Unit;
  /** The definition, as in the report. */
  definition: string;
  /** The values of a request. Empty: it has none. A text: why no record of this kind can have one. */
  values(record: RequestRecord): readonly number[] | string;
  /** How much each value of the request counts. Default: 1. */
  weight?(record: RequestRecord): number;
}

/** The definitions of a tool. */
export interface ToolDefinitions {
  name: ViewToolName;
  title: string;
  /** The version whose source and output these definitions were checked against. */
  version: string;
  /** `linear`: interpolated between two values, as numpy does. `rank`: a value that occurred, by cumulated weight. */
  percentiles: 'linear' | 'rank';
  metrics: readonly ToolMetric[];
  /** Labels of the figures that are not distributions. */
  labels: {
    requests: string;
    failed: string;
    duration: string;
    requestRate: string;
    tokenRate: string;
  };
}

/** A distribution as the tool computes it. */
export interface ToolDistribution {
  label: string;
  unit: Unit;
  definition: string;
  /** Null without a value; `absent` then says why. */
  figures: { n: number; mean: number; p50: number; p90: number; p99: number } | null;
  absent?: string;
}

/** A number; null where the records cannot give it, for the reason in `absent`. */
export interface ToolFigure {
  label: string;
  unit: Unit;
  value: number | null;
  absent?: string;
}

/** A cell under the definitions of another tool. */
export interface ToolCell extends Cell {
  figures: ToolFigure[];
  distributions: ToolDistribution[];
}

/** A run under the definitions of another tool, as `report --as TOOL -f json` prints it. */
export interface ToolView {
  schema: 'streambench/tool-view@1';
  tool: string;
  version: string;
  run: string;
  cells: ToolCell[];
  /** Where these figures differ from what the tool would have printed, one sentence each. */
  notes: string[];
}
