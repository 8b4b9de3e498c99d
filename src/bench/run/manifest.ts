import { hostname } from 'node:os';
import { requestLimits } from '../../analysis/sweep/slo.ts';
import { tidy } from '../../metrics/distribution.ts';
import type { AbSettings, AbStop } from '../../model/ab-gate.ts';
import type { CancelNotice } from '../../model/behaviour-report.ts';
import type { BlockUtilization, ServerLoad } from '../../model/load-report.ts';
import type { Cell } from '../../model/plan.ts';
import type { Redactor } from '../../model/redaction/redactor.ts';
import type { Manifest } from '../../model/report.ts';
import type { ShardInfo } from '../../model/shard-report.ts';
import { runId } from '../../results/run-folder.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planSummary } from '../../scenario/plan.ts';
import type { Prepared } from '../prepare.ts';
import type { PastRun } from './resume.ts';

/** The manifest of a run at its start and at its end. */

/** The manifest before the first request. It is marked as aborted, which is what a crash leaves behind. */
export function openingManifest(
  { scenario, hash, document, file }: LoadedScenario,
  { plan, environment, servers, floor }: Prepared,
  ab: AbSettings | undefined,
  startedAt: Date,
  redactor: Redactor,
  shard?: ShardInfo,
): Manifest {
  const { requests, rounds, unique, prompts } = planSummary(plan);
  const { name, description, stallMs, thresholds, regressions, load } = scenario;
  // Goodput of a sweep: without limits for single requests, those that its objectives imply.
  const objectives =
    load.sweep !== undefined && scenario.objectives.length === 0
      ? requestLimits(load.sweep.slo)
      : scenario.objectives;
  return redactor.value<Manifest>({
    schema: 'streambench/manifest@1',
    run: {
      id: runId(redactor.text(name), startedAt, Math.random, shard),
      startedAt: startedAt.toISOString(),
      aborted: true,
      abortReason: 'the run did not finish',
      seed: plan.seed,
      planned: requests,
      rounds,
      unique,
      prompts,
      trace: plan.trace,
    },
    environment,
    scenario: { name, description, hash, document },
    cells: plan.cells,
    stallMs,
    thresholds,
    objectives,
    regressions: regressions.length === 0 ? undefined : regressions,
    file,
    process: { pid: process.pid, host: hostname() },
    prices: pricesOf(scenario),
    servers: servers.idle.length > 0 ? servers.idle : undefined,
    floor,
    sweep: load.sweep,
    ab,
    shard,
  });
}

function pricesOf({ targets }: LoadedScenario['scenario']): Manifest['prices'] {
  const prices = targets.flatMap(({ name, price }) =>
    price === undefined ? [] : [{ target: name, ...price }],
  );
  return prices.length > 0 ? prices : undefined;
}

/** What is known at the end of a run, or of the last part of a continued one. */
export interface RunEnd {
  endedAt: Date;
  /** Of this part. */
  durationMs: number;
  /** Absent where the run is complete. */
  abortReason?: string;
  loads: readonly BlockUtilization[];
  serverLoads: readonly ServerLoad[];
  /** Of this part. */
  cancelNotices: readonly CancelNotice[];
  /** Why a run with early stop ended when it did. */
  abStop?: AbStop;
  /** Of a sweep: all of its cells, and whether its time was over before its search had ended. */
  sweep?: { cells: readonly Cell[]; isOverBudget: boolean };
  records: number;
}

/** The manifest at the end of a run: `manifest` is the one at its start, `past` the run that it continues. */
export function closingManifest(manifest: Manifest, past: PastRun | undefined, end: RunEnd): Manifest {
  const { process: _process, ...rest } = manifest;
  const earlier = past?.manifest;
  const loads = past === undefined ? end.loads : end.loads.map((load) => ({ ...load, part: past.part }));
  return {
    ...rest,
    run: {
      ...manifest.run,
      endedAt: end.endedAt.toISOString(),
      durationMs: tidy(end.durationMs + (earlier?.run.durationMs ?? past?.lastMs ?? 0)),
      aborted: end.abortReason !== undefined,
      abortReason: end.abortReason,
      ...stoppedEarly(end),
    },
    abStop: end.abStop,
    cells: end.sweep?.cells ?? manifest.cells,
    sweepOverBudget: end.sweep?.isOverBudget ? true : undefined,
    loads: [...(earlier?.loads ?? []), ...loads],
    cancelNotices: end.cancelNotices.length > 0 ? end.cancelNotices : undefined,
    serverLoads: manifest.servers && [...(earlier?.serverLoads ?? []), ...end.serverLoads],
  };
}

/** A run that was decided before its last round is complete: what it did is what it planned. */
function stoppedEarly({ abStop, records }: RunEnd): Partial<Manifest['run']> {
  if (abStop === undefined || abStop.reason === 'maximum') return {};
  return { planned: records, rounds: abStop.rounds };
}
