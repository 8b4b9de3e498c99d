import { METRICS } from '../../metrics/definitions.ts';
import { cellKey } from '../../model/cells.ts';
import type { Clock } from '../../model/clock.ts';
import { type Endpoint, hostAndPort } from '../../model/endpoint.ts';
import type { Cell, RunPlan, Target } from '../../model/plan.ts';
import type { OutcomeKind, RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { Marks } from '../../model/timeline.ts';

/** What the telemetry of a run needs to know before its first request. Holds no secret. */
export interface TelemetryRun {
  /** The run's id. */
  id: string;
  scenario: string;
  version: string;
  /** The wall clock at the origin of the marks, in ms since 1970. */
  originMs: number;
  cells: readonly TelemetryCell[];
}

/** A cell and its endpoint. */
export interface TelemetryCell extends Cell {
  endpoint: Endpoint;
}

/** The endpoint of a target: of its URL only the host and the port. */
function endpointOf({ provider, dialect, model, baseUrl }: Target): Endpoint {
  return { provider, dialect, model, ...hostAndPort(baseUrl) };
}

/** What telemetry needs to know of a run. `originAt`: where its marks count from, on the clock. */
export function telemetryRun(
  { run, scenario, environment }: Manifest,
  { cells, targets }: RunPlan,
  clock: Clock,
  originAt: number,
): TelemetryRun {
  const endpoints = new Map(targets.map((target) => [target.name, endpointOf(target)]));
  return {
    id: run.id,
    scenario: scenario.name,
    version: environment.streambench,
    originMs: clock.wallTime().getTime() - (clock.now() - originAt),
    cells: cells.map((cell) => ({
      ...cell,
      endpoint: endpoints.get(cell.target) ?? { provider: 'custom', dialect: 'sse' },
    })),
  };
}

/** One finished request, as it is passed to the telemetry thread. Times in ms. */
export interface TelemetrySample {
  /** Index into `TelemetryRun.cells`. */
  cell: number;
  outcome: OutcomeKind;
  /** Of a failed request. */
  message?: string;
  status?: number;
  finish?: string;
  /** Null where they are not defined; see the metric of the same name. */
  ttfbMs: number | null;
  ttfeMs: number | null;
  ttftMs: number | null;
  totalMs: number | null;
  gaps: ArrayLike<number>;
  /** As the provider or a tokenizer counted them. */
  inputTokens?: number;
  outputTokens?: number;
  contentEvents: number;
  marks: Marks;
  trace?: { traceId: string; spanId: string };
}

/** Converts records to samples. `cells`: those of the run, in order. */
export function sampler(cells: readonly Cell[]): (record: RequestRecord) => TelemetrySample | undefined {
  const indexes = new Map(cells.map((cell, index) => [keyOf(cell), index]));
  return (record) => {
    const cell = indexes.get(keyOf(record));
    if (cell === undefined) return undefined;
    const { outcome, tokens, marks, gaps, status, finish, contentEvents, trace } = record;
    return {
      cell,
      outcome: outcome.kind,
      message: outcome.message,
      status: status ?? outcome.status,
      finish: finish?.reason,
      ttfbMs: figure('ttfb', record),
      ttfeMs: figure('ttfe', record),
      ttftMs: figure('ttft', record),
      totalMs: figure('total', record),
      gaps,
      inputTokens: tokens.input,
      outputTokens: tokens.source === 'chunks' ? undefined : (tokens.output ?? undefined),
      contentEvents,
      marks,
      trace,
    };
  };
}

function keyOf(cell: Cell): string {
  return `${cellKey(cell)} ${cell.length}`;
}

const BY_NAME = new Map(METRICS.map((metric) => [metric.name, metric]));

function figure(name: string, record: RequestRecord): number | null {
  // None of the four metrics depends on the stall limit.
  const value = BY_NAME.get(name)?.values(record, { stallMs: Number.POSITIVE_INFINITY });
  return typeof value === 'number' ? value : null;
}
