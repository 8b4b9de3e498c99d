import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { sleeperFor } from '../../engine/alarm.ts';
import { type BlockRunner, localRunner, type StopSignals } from '../../engine/block.ts';
import { type EngineObserver, runPlan } from '../../engine/engine.ts';
import { workerRunner, workersFor } from '../../engine/workers.ts';
import { tidy } from '../../metrics/distribution.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import type { UserError } from '../../model/errors.ts';
import type { Cell, RunPlan } from '../../model/plan.ts';
import type { Observation } from '../../model/record.ts';
import { createRedactor, type Redactor } from '../../model/redaction/redactor.ts';
import type { Manifest, Report, RunInfo } from '../../model/report.ts';
import { createJournal, resumeJournal } from '../../results/journal.ts';
import { runId } from '../../results/run-folder.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planSummary } from '../../scenario/plan.ts';
import { unknownModels } from '../backends.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { unreadable } from '../server-metrics/server-watch.ts';
import type { Baseline } from './baseline.ts';
import { watchFirstFailures } from './first-failures.ts';
import { createRecording } from './recording.ts';
import { otherMachine, type PastRun, partSalt, readPast, resumedManifest } from './resume.ts';

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
  /** The baseline of the regression check: a name under OUTPUT/baselines, a run's folder, or one that is open. Default: none. */
  baseline?: string | Baseline;
  /** An inconclusive regression check is a failure too, in formats that pass or fail. Default: false. */
  strict?: boolean;
  /** Continue the run in this folder, with what it lacks, instead of starting one. `output` is then not used for it. */
  resume?: string;
  /**
   * What the run's nonces are drawn from beside the scenario's seed: that of an earlier run gives its nonces again. A run that
   * is continued draws others in each part. Default: drawn at random.
   */
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
  /** Why something of the run is not on disk (a full disk); absent where all is. The report is of all requests. */
  failure?: UserError;
}

/**
 * Runs a scenario to its end and writes its records and its report. Failed requests are in the report, and so is a run
 * that was stopped because a target failed from its first request on; it rejects with a `UserError` where nothing could
 * be measured: a target that cannot be reached (`unreachable`), a folder that cannot be written (`output_unwritable`), a
 * run that cannot be continued.
 */
export async function runScenario(loaded: LoadedScenario, options: RunOptions = {}): Promise<RunResult> {
  const { clock = monotonicClock, observer = {}, output = 'results', workers = 'auto' } = options;
  const { signals = neverStopped(), strict = false, calibrate = false } = options;
  const cleanup: (() => unknown)[] = [];
  const undo = (step: () => unknown) => void cleanup.push(step);
  try {
    const past = options.resume === undefined ? undefined : await readPast(options.resume, loaded);
    const { baseline } = options;
    const salt = partSalt(options.salt, past);
    const wants = { output, strict, calibrate, salt, baseline };
    const all = await prepare(loaded, { ...wants, clock, signal: signals.drain, undo });
    const prepared = past === undefined ? all : { ...all, plan: { ...all.plan, blocks: past.blocks } };
    const { plan, servers, secrets } = prepared;
    const beganAt = clock.now();
    const redactor = createRedactor(secrets);
    const opening = openingManifest(loaded, all, clock.wallTime(), redactor);
    const manifest = past === undefined ? opening : resumedManifest(opening, past, clock.wallTime());
    const onError = ({ message }: UserError) =>
      observer.warning?.(`${message}; the run goes on, and its figures are kept in memory`);
    const journal =
      past === undefined
        ? await createJournal(join(output, manifest.run.id), manifest, { onError })
        : await resumeJournal(past.folder, manifest, { onError, bytes: past.wholeBytes });
    // A run that cannot go on leaves its records where they belong.
    undo(() => journal.close());
    for (const warning of openingWarnings(loaded, prepared, manifest, past)) observer.warning?.(warning);
    observer.planned?.(plan, journal.folder);

    const recording = createRecording(manifest, { ...prepared, journal, redactor });
    if (past !== undefined) await recording.replay(past);
    // Marks go on where the records before them ended.
    const originAt = clock.now() - (past?.lastMs ?? 0);
    const answers = loaded.scenario.keepGoing ? undefined : watchFirstFailures();
    const giveUp = new AbortController();
    const watch = (observation: Observation, cell: Cell) => {
      const reason = answers?.add(cell.target, observation);
      if (reason !== undefined) giveUp.abort(reason);
    };
    const stopping = { ...signals, drain: AbortSignal.any([signals.drain, giveUp.signal]) };
    const runner = await runnerFor(prepared, workers, { clock, signals: stopping, originAt });
    undo(() => runner.close?.());
    const { completed, loads, failure } = await runPlan(plan, {
      runner,
      drain: stopping.drain,
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
        warmedUp(observation, cell) {
          watch(observation, cell);
          observer.warmedUp?.(observation, cell);
        },
        recorded(record, cell) {
          watch(record, cell);
          // Not inside of the call: without anyone to tell, that would not be done either.
          const kept = recording.add(record);
          observer.recorded?.(kept, cell);
        },
      },
    }).finally(() => {
      for (const warning of recording.settle()) observer.warning?.(warning);
    });

    const { abortReason: _, ...rest } = manifest.run;
    const durationMs = clock.now() - beganAt + (past?.manifest.run.durationMs ?? past?.lastMs ?? 0);
    const ended: RunInfo = {
      ...rest,
      endedAt: clock.wallTime().toISOString(),
      durationMs: tidy(durationMs),
      aborted: false,
    };
    // What makes a target look dead may have come with its last request.
    const isDone = completed || (failure === undefined && recording.records === rest.planned);
    if (!isDone) {
      const reason = failure ?? (giveUp.signal.aborted ? String(giveUp.signal.reason) : 'interrupted');
      Object.assign(ended, { aborted: true, abortReason: reason });
    }
    const { process: _process, ...lasting } = manifest;
    const serverLoads =
      servers.idle.length === 0
        ? {}
        : { serverLoads: [...(past?.manifest.serverLoads ?? []), ...(await servers.loads())] };
    const ownLoads = past === undefined ? loads : loads.map((load) => ({ ...load, part: past.part }));
    const allLoads = [...(past?.manifest.loads ?? []), ...ownLoads];
    const recorded = await recording.finish({ ...lasting, run: ended, loads: allLoads, ...serverLoads });
    return { ...recorded, folder: journal.folder };
  } finally {
    for (const step of cleanup.reverse()) await step();
  }
}

function neverStopped(): StopSignals {
  return { drain: new AbortController().signal, kill: new AbortController().signal };
}

/** The manifest as it is written before the first request: what a crash leaves behind says that it was not finished. */
function openingManifest(
  { scenario, hash, document, file }: LoadedScenario,
  { plan, environment, servers, floor }: Prepared,
  startedAt: Date,
  redactor: Redactor,
): Manifest {
  const { requests, rounds, unique } = planSummary(plan);
  const { name, description, stallMs, thresholds, objectives } = scenario;
  return redactor.value<Manifest>({
    schema: 'streambench/manifest@1',
    run: {
      id: runId(redactor.text(name), startedAt, Math.random),
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
    ...{ stallMs, thresholds, objectives, file },
    process: { pid: process.pid, host: hostname() },
    ...(servers.idle.length > 0 && { servers: servers.idle }),
    ...(floor && { floor }),
  });
}

/** What the user should know before the run, a sentence each. */
function openingWarnings(
  loaded: LoadedScenario,
  { plan, environment, servers, baseline }: Prepared,
  manifest: Manifest,
  past: PastRun | undefined,
): string[] {
  const obstacles = baseline?.obstacles(manifest) ?? [];
  const other = past && otherMachine(past.manifest.environment, environment);
  return [
    ...(past?.warnings ?? []),
    ...(other === undefined ? [] : [other]),
    ...unreadable(servers.idle),
    ...unknownModels(loaded),
    ...(past === undefined ? planSummary(plan).warnings : []),
    ...obstacles.map(
      (obstacle) => `this run will not be comparable with baseline "${baseline?.name}": ${obstacle}`,
    ),
  ];
}

type Runner = BlockRunner & { close?(): unknown };

/** The loop that measures: on this thread, or on several of their own where one could not keep up. */
async function runnerFor(
  { plan, executor, secrets }: Prepared,
  workers: number | 'auto',
  deps: { clock: Clock; signals: StopSignals; originAt: number },
): Promise<Runner> {
  const highest = Math.max(...plan.cells.map(({ concurrency }) => concurrency));
  const count = workers === 'auto' ? workersFor(highest, availableParallelism()) : Math.min(workers, highest);
  if (count <= 1) {
    const { sleep, close } = sleeperFor(plan);
    return { ...localRunner({ ...deps, sleep, executor }), close };
  }
  return workerRunner(count, { plan, secrets, originAt: deps.originAt }, deps.signals);
}
