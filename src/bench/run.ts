import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type BlockRunner, localRunner, type StopSignals } from '../engine/block.ts';
import { type EngineObserver, runPlan } from '../engine/engine.ts';
import { timerSleep } from '../engine/loop.ts';
import { workerRunner, workersFor } from '../engine/workers.ts';
import { type Clock, monotonicClock } from '../model/clock.ts';
import type { RunPlan } from '../model/plan.ts';
import type { Manifest, Report, RunInfo } from '../model/report.ts';
import { createRedactor } from '../model/secrets.ts';
import { createJournal } from '../results/journal.ts';
import { runId } from '../results/run-id.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { planSummary } from '../scenario/plan.ts';
import { type Prepared, prepare } from './prepare.ts';
import { createRecording } from './recording.ts';
import { unreadable } from './server-watch.ts';
import { unknownModels } from './simulator.ts';

/** Told of what happens during a run, as it happens. Must return at once: it runs on the loop that measures. */
export interface RunObserver extends Partial<EngineObserver> {
  /** The plan is made and the folder is there; requests come next. */
  planned?(plan: RunPlan, folder: string): void;
  /** Something the user should know, in a sentence. */
  warning?(message: string): void;
}

/** How a scenario is run. */
export interface RunOptions {
  /** The folder under which the run's own folder is made. Default: `results`. */
  output?: string;
  observer?: RunObserver;
  /** Measuring threads. Default `auto`: one for about 200 streams, no more than cores; with one, no thread is started. */
  workers?: number | 'auto';
  /** Measure the client's noise floor at each concurrency first: some 3 s each. Default: false. */
  calibrate?: boolean;
  /** Hold the run against this baseline: a name under OUTPUT/baselines, or a run's folder. Default: none. */
  baseline?: string;
  /** To know nothing of the baseline is a failure too, in reports that pass or fail. Default: false. */
  strict?: boolean;
  /** What the run's nonces are drawn from beside the scenario's seed: that of an earlier run gives its nonces again. Default: drawn at random. */
  salt?: string;
  /** Default: the run is never stopped. */
  signals?: StopSignals;
  /** Default: the machine's clock. */
  clock?: Clock;
}

/** A run that is over. */
export interface RunResult {
  report: Report;
  /** Where its records and its report are. */
  folder: string;
}

/**
 * Runs a scenario to its end and writes its records and its report. Failed requests are in the report; it rejects with
 * a `UserError` where nothing could be measured: a target that cannot be reached (`unreachable`), a folder that cannot
 * be written (`output_unwritable`).
 */
export async function runScenario(loaded: LoadedScenario, options: RunOptions = {}): Promise<RunResult> {
  const { clock = monotonicClock, observer = {}, output = 'results', workers = 'auto' } = options;
  const { signals = neverStopped(), strict = false, calibrate = false } = options;
  const cleanup: (() => unknown)[] = [];
  const undo = (step: () => unknown) => void cleanup.push(step);
  try {
    const { baseline, salt } = options;
    const wants = { output, strict, calibrate, salt, ...(baseline !== undefined && { baseline }) };
    const prepared = await prepare(loaded, { ...wants, clock, signal: signals.drain, undo });
    const { plan, servers, secrets } = prepared;
    const manifest = openingManifest(loaded, prepared, clock.wallTime());
    const journal = await createJournal(join(output, manifest.run.id), manifest, {
      onError: (error) => observer.warning?.(error.message),
    });
    for (const warning of openingWarnings(loaded, prepared, manifest)) observer.warning?.(warning);
    observer.planned?.(plan, journal.folder);

    const { keepText } = loaded.scenario;
    const recording = createRecording(manifest, {
      ...prepared,
      ...{ journal, keepText, redact: createRedactor(secrets) },
    });
    const originAt = clock.now();
    const runner = await runnerFor(prepared, workers, { clock, signals, originAt });
    undo(() => runner.close?.());
    const { completed, loads, failure } = await runPlan(plan, {
      runner,
      drain: signals.drain,
      observer: {
        blockStarted(block, cell) {
          servers.begin(block, cell.target);
          observer.blockStarted?.(block, cell);
        },
        async blockEnded(block, cell) {
          servers.rest();
          await recording.blockEnded();
          observer.blockEnded?.(block, cell);
        },
        warmedUp: (observation, cell) => observer.warmedUp?.(observation, cell),
        recorded(record, cell) {
          // Not inside of the call: without anyone to tell, that would not be done either.
          const kept = recording.add(record);
          observer.recorded?.(kept, cell);
        },
      },
    }).finally(() => {
      for (const warning of recording.settle()) observer.warning?.(warning);
    });

    const { abortReason: _, ...rest } = manifest.run;
    const ended: RunInfo = { ...rest, endedAt: clock.wallTime().toISOString(), aborted: !completed };
    if (!completed) ended.abortReason = failure ?? 'interrupted';
    const serverLoads = servers.idle.length === 0 ? {} : { serverLoads: await servers.loads() };
    const report = await recording.finish({ ...manifest, run: ended, loads, ...serverLoads });
    return { report, folder: journal.folder };
  } finally {
    for (const step of cleanup.reverse()) await step();
  }
}

function neverStopped(): StopSignals {
  return { drain: new AbortController().signal, kill: new AbortController().signal };
}

/** The manifest as it is written before the first request: what a crash leaves behind says that it was not finished. */
function openingManifest(
  { scenario, hash, document }: LoadedScenario,
  { plan, environment, servers, floor }: Prepared,
  startedAt: Date,
): Manifest {
  const { requests, rounds, unique } = planSummary(plan);
  const { name, description, stallMs, thresholds, objectives } = scenario;
  return {
    schema: 'streambench/manifest@1',
    run: {
      id: runId(name, startedAt, Math.random),
      startedAt: startedAt.toISOString(),
      aborted: true,
      abortReason: 'the run did not come to its end',
      seed: plan.seed,
      planned: requests,
      rounds,
      unique,
    },
    environment,
    scenario: { name, ...(description !== undefined && { description }), hash, document },
    cells: plan.cells,
    ...{ stallMs, thresholds, objectives },
    ...(servers.idle.length > 0 && { servers: servers.idle }),
    ...(floor && { floor }),
  };
}

/** What the user should know before the run, a sentence each. */
function openingWarnings(loaded: LoadedScenario, prepared: Prepared, manifest: Manifest): string[] {
  const { plan, servers, baseline } = prepared;
  const obstacles = baseline?.obstacles(manifest) ?? [];
  return [
    ...unreadable(servers.idle),
    ...unknownModels(loaded),
    ...planSummary(plan).warnings,
    ...obstacles.map(
      (obstacle) => `this run will not be comparable with baseline "${baseline?.name}": ${obstacle}`,
    ),
  ];
}

type Runner = BlockRunner & { close?(): Promise<void> };

/** The loop that measures: on this thread, or on several of their own where one could not keep up. */
async function runnerFor(
  { plan, executor, secrets }: Prepared,
  workers: number | 'auto',
  deps: { clock: Clock; signals: StopSignals; originAt: number },
): Promise<Runner> {
  const highest = Math.max(...plan.cells.map(({ concurrency }) => concurrency));
  const count = workers === 'auto' ? workersFor(highest, availableParallelism()) : Math.min(workers, highest);
  if (count <= 1) return localRunner({ ...deps, sleep: timerSleep, executor });
  return workerRunner(count, { plan, secrets, originAt: deps.originAt }, deps.signals);
}
