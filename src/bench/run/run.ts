import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { type AbLooks, abLooks } from '../../analysis/comparison/ab-look.ts';
import { checksOf } from '../../analysis/regression/checks.ts';
import type { LevelEvidence } from '../../analysis/sweep/evidence.ts';
import { sleeperFor } from '../../engine/alarm.ts';
import { type BlockRunner, localRunner, type StopSignals } from '../../engine/block.ts';
import { mostStreamsOf } from '../../engine/course.ts';
import { type EngineObserver, runPlan } from '../../engine/engine.ts';
import { workerRunner, workersFor } from '../../engine/workers.ts';
import type { AbSettings, AbStop } from '../../model/ab-gate.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import type { UserError } from '../../model/errors.ts';
import { formatValue } from '../../model/format.ts';
import type { RunPlan } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import { createRedactor } from '../../model/redaction/redactor.ts';
import type { Manifest, Report } from '../../model/report.ts';
import { createJournal, type Journal, resumeJournal } from '../../results/journal.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planSummary } from '../../scenario/plan.ts';
import type { ChosenShard } from '../machines/scheduler.ts';
import { rejectForShard } from '../machines/shard-options.ts';
import { runStart, waitForStart } from '../machines/start-at.ts';
import { type Prepared, prepare } from '../prepare.ts';
import { type TelemetryRun, telemetryRun } from '../telemetry/sample.ts';
import type { Baseline } from './baseline.ts';
import { collectCancels } from './cancel-notices.ts';
import { engineObserver } from './engine-observer.ts';
import { watchFirstFailures } from './first-failures.ts';
import { closingManifest, openingManifest } from './manifest.ts';
import { openingWarnings } from './opening-warnings.ts';
import { createRecorder, type RunRecorder } from './recorder.ts';
import { type PastRun, partSalt, readPast, resumedManifest } from './resume.ts';
import { type SweepDriver, type SweepDriverDeps, sweepDriver } from './sweep-driver.ts';

/** Receives the events of a run. Must return at once: it runs on the event loop that measures. */
export interface RunObserver extends Partial<EngineObserver> {
  /** What the run will measure, where its marks count from, and no secret; after `planned`. */
  started?(run: TelemetryRun): void;
  /**
   * A record as it is stored: redacted, and with its tokens counted. With a tokenizer the records of a block come at its end.
   */
  stored?(record: RequestRecord): void;
  /** No more requests are sent, and all records are stored. Also called for a run that fails. */
  ended?(): void;
  /** The plan and the folder exist; no request was sent yet. */
  planned?(plan: RunPlan, folder: string): void;
  /** A sweep has judged a level, after each of its measurements. */
  levelJudged?(level: LevelEvidence): void;
  /** A warning for the user, one sentence. */
  warning?(message: string): void;
}

/** Options of a run. */
export interface RunOptions {
  /** The parent of the run's folder. Default: `results`. */
  output?: string;
  observer?: RunObserver;
  /** Measuring threads. Default `auto`: one per 500 streams, or per 1,000 on two cores, and at most one per core. 1 starts no thread. */
  workers?: number | 'auto';
  /** Measure the client's noise floor at each concurrency first, about 3 s each. Default: false. */
  calibrate?: boolean;
  /** The baseline of the regression check: a name under OUTPUT/baselines, a run's folder, or one that is open. Default: none. */
  baseline?: string | Baseline;
  /** An inconclusive regression check is a failure too, in formats that pass or fail. Default: false. */
  strict?: boolean;
  /** Gate target `next` against target `base` of the scenario. Default: no such gate. */
  ab?: Omit<AbSettings, 'maxRounds'>;
  /** With `ab`: stop after the round that decides; the scenario's rounds are the maximum. Default: false. */
  untilDecided?: boolean;
  /** Continue the run in this folder instead of starting one. `output` is then not used for the run. */
  resume?: string;
  /**
   * With the scenario's seed it determines the run's nonces: the salt of an earlier run gives the same nonces. Each part of a
   * continued run has its own. Default: random.
   */
  salt?: string;
  /** Measure only this part of the run; see `merge` for its result. Default: all of it. */
  shard?: ChosenShard;
  /** Send nothing before this time, by this machine's clock. Default: start at once. */
  startAt?: Date;
  /** Default: the run is never stopped. */
  signals?: StopSignals;
  /** Default: the machine's clock. */
  clock?: Clock;
}

/** The result of a run. */
export interface RunResult {
  report: Report;
  /** The run's folder. */
  folder: string;
  /** Why the run is not completely on disk (a full disk); absent where it is. The report covers all requests. */
  failure?: UserError;
}

/**
 * Runs a scenario and writes its records and its report. Failed requests are in the report, and so is a run that was stopped because
 * the first requests to a target failed. Rejects with a `UserError` where nothing could be measured: a target that cannot be
 * reached (`unreachable`), a folder that cannot be written (`output_unwritable`), a run that cannot be continued.
 */
export async function runScenario(loaded: LoadedScenario, options: RunOptions = {}): Promise<RunResult> {
  const { clock = monotonicClock, observer = {}, output = 'results', workers = 'auto' } = options;
  const { signals = neverStopped(), strict = false, calibrate = false, baseline } = options;
  const cleanup: (() => unknown)[] = [];
  const undo = (step: () => unknown) => void cleanup.push(step);
  try {
    const { shard, startAt } = options;
    rejectForShard(options);
    const past = options.resume === undefined ? undefined : await readPast(options.resume, loaded);
    const salt = partSalt(options.salt, past);
    const wants = { output, strict, calibrate, salt, baseline, clock, shard, signal: signals.drain, undo };
    const all = await prepare(loaded, wants);
    const prepared = past === undefined ? all : { ...all, plan: { ...all.plan, blocks: past.blocks } };
    const { plan, servers, secrets } = prepared;
    const beganAt = clock.now();
    const redactor = createRedactor(secrets);
    const start = runStart(clock, startAt);
    const info = shard && { ...shard, host: hostname(), startAt: startAt?.toISOString() };
    const opening = openingManifest(
      loaded,
      all,
      abSettings(options, all.plan),
      start.startedAt,
      redactor,
      info,
    );
    const manifest = past === undefined ? opening : resumedManifest(opening, past, clock.wallTime());
    const journal = await openJournal(output, manifest, past, observer);
    // A failed run keeps the records that it has.
    undo(() => journal.close());
    for (const warning of openingWarnings(loaded, prepared, manifest, past)) observer.warning?.(warning);
    observer.planned?.(plan, journal.folder);

    const stored = (record: RequestRecord) => observer.stored?.(record);
    const recorder = createRecorder(manifest, { ...prepared, journal, redactor, stored });
    if (past !== undefined) await recorder.replay(past);
    // Marks of shards and of runs with a start time count from `startedAt`, so that several machines can be put together.
    // Those of a continued run start where its earlier records ended.
    const isTimed = shard !== undefined || startAt !== undefined;
    const originAt = isTimed ? start.originAt : clock.now() - (past?.lastMs ?? 0);
    observer.started?.(redactor.value(telemetryRun(manifest, plan, clock, originAt)));
    const giveUp = new AbortController();
    const stopping = { ...signals, drain: AbortSignal.any([signals.drain, giveUp.signal]) };
    const runner = await runnerFor(prepared, workers, { clock, signals: stopping, originAt });
    undo(() => runner.close?.());
    if (startAt !== undefined) {
      const lateMs = await waitForStart(start, clock, stopping.drain);
      if (lateMs > LATE_MS) observer.warning?.(`started ${formatValue(lateMs, 'ms')} after --start-at`);
    }
    const watch = loaded.scenario.keepGoing ? undefined : watchFirstFailures();
    const cancels = collectCancels(plan.cells);
    const looks = looksOf(manifest);
    const sweep = sweepOf(prepared, recorder, past, {
      elapsedMs: () => clock.now() - beganAt,
      judged: (level) => observer.levelJudged?.(level),
    });
    let abStop: AbStop | undefined;
    const { completed, loads, failure } = await runPlan(plan, {
      runner,
      drain: stopping.drain,
      isEnough(rounds) {
        abStop = looks?.after(rounds, recorder.samples());
        return abStop !== undefined;
      },
      next: (soFar) => sweep?.next(soFar),
      observer: engineObserver({ servers, recorder, observer, cancels, watch, giveUp }),
    }).finally(() => {
      for (const warning of recorder.settle()) observer.warning?.(warning);
      observer.ended?.();
    });

    // The failures that stop a run may include the last planned request: such a run is complete.
    const isComplete = completed || (failure === undefined && recorder.requests === manifest.run.planned);
    const reason = failure ?? reasonOf(giveUp.signal) ?? reasonOf(signals.drain) ?? 'interrupted';
    if (isComplete) abStop ??= looks?.after(manifest.run.rounds, recorder.samples());
    const ended = closingManifest(manifest, past, {
      endedAt: clock.wallTime(),
      // Without the time until --start-at.
      durationMs: clock.now() - Math.max(beganAt, start.originAt),
      abortReason: isComplete ? undefined : reason,
      loads,
      serverLoads: await servers.loads(),
      cancelNotices: await cancels.result(prepared.simulatorLog ?? (async () => []), originAt),
      abStop,
      sweep,
      records: recorder.records,
    });
    return { ...(await recorder.finish(ended)), folder: journal.folder };
  } finally {
    for (const step of cleanup.reverse()) await step();
  }
}

// Below this, a late start is the jitter of a timer.
const LATE_MS = 20;

function abSettings({ ab, untilDecided = false }: RunOptions, plan: RunPlan): AbSettings | undefined {
  return ab && { ...ab, maxRounds: untilDecided ? planSummary(plan).rounds : undefined };
}

/** The looks between rounds of a run with early stop. */
function looksOf(manifest: Manifest): AbLooks | undefined {
  const { ab, run } = manifest;
  return ab?.maxRounds === undefined
    ? undefined
    : abLooks(ab, ab.maxRounds, { seed: run.seed, checks: checksOf(manifest) });
}

/** A reason in words; an abort without one has an exception in its place. */
function reasonOf({ reason }: AbortSignal): string | undefined {
  return typeof reason === 'string' ? reason : undefined;
}

/** Chooses the blocks of a sweep; undefined for a run with planned blocks. */
function sweepOf(
  { plan }: Prepared,
  { sweep: evidence }: RunRecorder,
  past: PastRun | undefined,
  { elapsedMs, judged }: Pick<SweepDriverDeps, 'elapsedMs' | 'judged'>,
): SweepDriver | undefined {
  const { sweep: settings, seed, cells, warmup = 0 } = plan;
  if (settings === undefined || evidence === undefined) return undefined;
  const { loads: earlierLoads = [], cells: earlierCells = cells, run } = past?.manifest ?? {};
  return sweepDriver({
    settings,
    evidence,
    cells: earlierCells,
    earlierLoads,
    part: past?.part,
    seed,
    warmup,
    elapsedMs: () => elapsedMs() + (run?.durationMs ?? 0),
    judged,
  });
}

function openJournal(
  output: string,
  manifest: Manifest,
  past: PastRun | undefined,
  observer: RunObserver,
): Promise<Journal> {
  const onError = ({ message }: UserError) =>
    observer.warning?.(`${message}; the run continues, and its results are kept in memory`);
  return past === undefined
    ? createJournal(join(output, manifest.run.id), manifest, { onError })
    : resumeJournal(past.folder, manifest, { onError, bytes: past.wholeBytes });
}

function neverStopped(): StopSignals {
  return { drain: new AbortController().signal, kill: new AbortController().signal };
}

type Runner = BlockRunner & { close?(): unknown };

/** The loop that measures: on this thread, or on several worker threads where one could not keep up. */
async function runnerFor(
  { plan, executor, secrets }: Prepared,
  workers: number | 'auto',
  deps: { clock: Clock; signals: StopSignals; originAt: number },
): Promise<Runner> {
  const highest = mostStreamsOf(plan);
  const count = workers === 'auto' ? workersFor(highest, availableParallelism()) : Math.min(workers, highest);
  if (count <= 1) {
    const { sleep, close } = sleeperFor(plan);
    const { seed, client: { retries } = {} } = plan;
    return { ...localRunner({ ...deps, sleep, executor, retries, seed }), close };
  }
  return workerRunner(count, { plan, secrets, originAt: deps.originAt }, deps.signals);
}
