import { judge, type MeasuredValues } from '../../../src/analysis/sweep/judge.ts';
import { judgedPart, levelState, measurementSize } from '../../../src/analysis/sweep/measurement.ts';
import { type Edge, edgeOf, nextStep } from '../../../src/analysis/sweep/search.ts';
import { parseSlos, type Slo } from '../../../src/analysis/sweep/slo.ts';
import { searchSettings } from '../../../src/analysis/sweep/sweep-report.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import type { SweepSettings } from '../../../src/model/sweep.ts';
import { closedLoop, openLoop, type SimulatedRequest, type World } from './worlds.ts';

/** Runs the search against a simulated service. */

export interface Simulated {
  edge: Edge;
  measurements: number;
  requests: number;
  /** Simulated time that the measurements took. */
  minutes: number;
}

const BASE = { start: 1, max: 1024, precision: 0.05, repeats: 8, budgetMs: 1e9, maxConcurrency: 200 };

/** The settings of a simulated sweep. */
export function sweepSettings(
  settings: Pick<SweepSettings, 'by' | 'slo'> & Partial<SweepSettings>,
): SweepSettings {
  return { ...BASE, arrivals: 'poisson', ...settings };
}

/** One sweep. The seed determines everything. */
export function simulateSweep(world: World, settings: SweepSettings, seed: number): Simulated {
  const slos = parseSlos(settings.slo);
  const search = searchSettings(settings);
  const random = createRandom(seed);
  const byLevel = new Map<number, (readonly SimulatedRequest[])[]>();
  const requestMs = world.serviceMs(createRandom(seed), 0);
  let at = 0;
  let measurements = 0;
  let requests = 0;
  for (;;) {
    const states = [...byLevel].map(([level, measured]) => stateOf(level, measured, slos));
    const step = nextStep(states, search);
    if (step.kind === 'done' || measurements >= 200)
      return { edge: edgeOf(states, search), measurements, requests, minutes: at / 60_000 };
    const { level } = step;
    const before = byLevel.get(level) ?? [];
    const size = measurementSize(settings, slos, { level, measured: before.length, requestMs });
    const load = { ...size, from: at, random };
    const all =
      settings.by === 'concurrency'
        ? closedLoop(world, { ...load, streams: level })
        : openLoop(world, { ...load, ratePerSecond: level });
    byLevel.set(level, [...before, judgedPart(settings, level, all)]);
    measurements += 1;
    requests += all.length;
    at = Math.max(at, ...all.map(({ startedAt, ttftMs }) => startedAt + ttftMs)) + 100;
  }
}

function stateOf(level: number, measured: readonly (readonly SimulatedRequest[])[], slos: readonly Slo[]) {
  const judgements = slos.map((slo) =>
    judge(
      slo,
      measured.map((requests): MeasuredValues => requests.map((request) => valuesOf(slo, request))),
    ),
  );
  return levelState(level, judgements, { valid: measured.length, invalid: 0, overloaded: 0 });
}

function valuesOf(slo: Slo, { ttftMs, failed }: SimulatedRequest): readonly number[] {
  const record = {
    mode: 'streaming',
    outcome: { kind: failed ? 'http_error' : 'ok' },
    marks: { started: 0, sent: 0, firstToken: ttftMs },
  } as unknown as RequestRecord;
  return slo.read(record, { stallMs: 1000, objectives: [] });
}
