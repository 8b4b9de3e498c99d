import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { networkError } from '../client/outcome.ts';
import { type BlockRunner, localRunner, type StopSignals } from '../engine/block.ts';
import { type EngineObserver, runPlan } from '../engine/engine.ts';
import { type ClientExecutor, clientExecutor } from '../engine/executor.ts';
import { timerSleep } from '../engine/loop.ts';
import { workerRunner, workersFor } from '../engine/workers.ts';
import { tidy } from '../metrics/distribution.ts';
import { type Clock, monotonicClock } from '../model/clock.ts';
import { EXIT, type Problem, UserError } from '../model/errors.ts';
import { DEFAULT_STREAMS_PER_SESSION, type RunPlan } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import type { Manifest, NoiseFloor, Report, RunInfo } from '../model/report.ts';
import { createRedactor, type Secret } from '../model/secrets.ts';
import { jsonReport } from '../report/json.ts';
import { createJournal } from '../results/journal.ts';
import { roundRecord, withoutSecrets } from '../results/round.ts';
import { runId } from '../results/run-id.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { planScenario, planSummary } from '../scenario/plan.ts';
import { needsSimulator } from '../scenario/targets.ts';
import { startBackends } from './backends.ts';
import { openBaseline } from './baseline.ts';
import { checkOpenFiles } from './doctor.ts';
import { readEnvironment } from './environment.ts';
import { createRunFold } from './fold.ts';
import { checkGates } from './gates.ts';
import { unreadable, watchServers } from './server-watch.ts';
import { unknownModels } from './simulator.ts';
import { countHeld, createTokenCounter, loadTokenizer, uncountedWarnings } from './tokenizer.ts';

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
  const { calibrate: wantsFloor = false } = options;
  const signals = options.signals ?? {
    drain: new AbortController().signal,
    kill: new AbortController().signal,
  };
  checkGates(loaded);
  const { tokenizer, keepText } = loaded.scenario;
  const counter =
    tokenizer === 'none' ? undefined : createTokenCounter(await loadTokenizer(tokenizer), { keepText });
  const baseline =
    options.baseline === undefined
      ? undefined
      : await openBaseline({ name: options.baseline, output, strict: options.strict ?? false });
  const environment = await readEnvironment();
  const backends = await startBackends(loaded);
  const secrets = [...loaded.secrets, ...backends.secrets];
  const cleanup: (() => unknown)[] = [() => backends.close()];
  try {
    const plan = planScenario(loaded, backends);
    refuseTooManyFiles(plan, loaded);
    const executor = clientExecutor(plan, clock, secrets);
    cleanup.push(() => executor.close());
    await reachAll(plan, executor, secrets);
    const servers = await watchServers(backends.metrics);
    cleanup.push(() => servers.close());
    for (const warning of unreadable(servers.idle)) observer.warning?.(warning);

    const floor = wantsFloor ? await noiseFloor(plan, signals.drain) : undefined;
    const startedAt = clock.wallTime();
    const run: RunInfo = {
      id: runId(loaded.scenario.name, startedAt, Math.random),
      startedAt: startedAt.toISOString(),
      // What a crash leaves behind says that it was not finished.
      aborted: true,
      abortReason: 'the run did not come to its end',
      seed: plan.seed,
      planned: planSummary(plan).requests,
      rounds: planSummary(plan).rounds,
    };
    const manifest: Manifest = {
      schema: 'streambench/manifest@1',
      run,
      environment,
      scenario: {
        name: loaded.scenario.name,
        ...(loaded.scenario.description === undefined ? {} : { description: loaded.scenario.description }),
        hash: loaded.hash,
        document: loaded.document,
      },
      cells: plan.cells,
      stallMs: loaded.scenario.stallMs,
      thresholds: loaded.scenario.thresholds,
      objectives: loaded.scenario.objectives,
      ...(servers.idle.length === 0 ? {} : { servers: servers.idle }),
      ...(floor === undefined ? {} : { floor }),
    };
    const journal = await createJournal(join(output, run.id), manifest, {
      onError: (error) => observer.warning?.(error.message),
    });
    for (const warning of [...unknownModels(loaded), ...planSummary(plan).warnings]) {
      observer.warning?.(warning);
    }
    for (const obstacle of baseline?.obstacles(manifest) ?? [])
      observer.warning?.(`this run will not be comparable with baseline "${options.baseline}": ${obstacle}`);
    observer.planned?.(plan, journal.folder);

    const fold = createRunFold(manifest);
    const originAt = clock.now();
    const runner = await runnerFor(plan, workers, executor, secrets, { clock, signals, originAt });
    cleanup.push(() => runner.close?.());
    let records = 0;
    const redact = createRedactor(secrets);
    const keep = (record: RequestRecord) => {
      const rounded = roundRecord(keepText ? withoutSecrets(record, redact) : record);
      records += 1;
      fold.add(rounded);
      baseline?.add(rounded, manifest);
      journal.append(rounded);
      return rounded;
    };
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
          if (counter !== undefined) await countHeld(counter, keep);
          observer.blockEnded?.(block, cell);
        },
        warmedUp: (observation, cell) => observer.warmedUp?.(observation, cell),
        recorded(record, cell) {
          counter?.hold(record);
          // Not inside of the call: without anyone to tell, that would not be done either.
          const told = counter === undefined ? keep(record) : record;
          observer.recorded?.(told, cell);
        },
      },
      // What a broken run has measured is kept all the same.
    }).finally(() => counter?.release(keep));
    for (const warning of uncountedWarnings(counter)) observer.warning?.(warning);

    const { abortReason: _, ...rest } = run;
    const ended: RunInfo = { ...rest, endedAt: clock.wallTime().toISOString(), aborted: !completed };
    if (!completed) ended.abortReason = failure ?? 'interrupted';
    const serverLoads = servers.idle.length === 0 ? {} : { serverLoads: await servers.loads() };
    const whole: Manifest = { ...manifest, run: ended, records, loads, ...serverLoads };
    if (baseline !== undefined) whole.baseline = baseline.result(whole);
    const report = fold.report(whole);
    await journal.finish(whole, jsonReport(report));
    return { report, folder: journal.folder };
  } finally {
    for (const close of cleanup.reverse()) await close();
  }
}

async function noiseFloor(plan: RunPlan, signal: AbortSignal): Promise<NoiseFloor[]> {
  // Only this reaches for a server in a process of its own.
  const { calibrate } = await import('./calibrate.ts');
  const levels = [...new Set(plan.cells.map(({ concurrency }) => concurrency))].sort((a, b) => a - b);
  const { levels: measured } = await calibrate({ levels, windowMs: 2_000, signal });
  return measured.flatMap(({ streams, lagMs }) =>
    lagMs === null ? [] : [{ streams, p50Ms: tidy(lagMs.p50), p99Ms: tidy(lagMs.p99) }],
  );
}

type Runner = BlockRunner & { close?(): Promise<void> };

/** The loop that measures: on this thread, or on several of their own where one could not keep up. */
async function runnerFor(
  plan: RunPlan,
  workers: number | 'auto',
  executor: ClientExecutor,
  secrets: readonly Secret[],
  deps: { clock: Clock; signals: StopSignals; originAt: number },
): Promise<Runner> {
  const highest = Math.max(...plan.cells.map(({ concurrency }) => concurrency));
  const count = workers === 'auto' ? workersFor(highest, availableParallelism()) : Math.min(workers, highest);
  if (count <= 1) return localRunner({ ...deps, sleep: timerSleep, executor });
  return workerRunner(count, { plan, secrets, originAt: deps.originAt }, deps.signals);
}

/** A run that would come upon the limit on open files half way is refused. Each target keeps its connections open. */
function refuseTooManyFiles({ targets, cells }: RunPlan, { scenario }: LoadedScenario): void {
  const highest = Math.max(...cells.map(({ concurrency }) => concurrency));
  const files = targets.reduce((sum, { connect = {} }, index) => {
    const { http = 1, streamsPerSession = DEFAULT_STREAMS_PER_SESSION, connection } = connect;
    const shared = http === 2 && connection !== 'per-request' ? streamsPerSession : 1;
    // The embedded simulator's end of a connection is a file of this process too.
    return sum + Math.ceil(highest / shared) * (needsSimulator(scenario.targets[index]!) ? 2 : 1);
  }, 0);
  const problem = checkOpenFiles(highest, files / highest);
  if (problem !== undefined) throw new UserError('usage', problem);
}

/** Opens a connection to every target before anything is measured: a wrong address is the user's to mend. */
async function reachAll(plan: RunPlan, executor: ClientExecutor, secrets: readonly Secret[]): Promise<void> {
  const redact = createRedactor(secrets);
  const problems: Problem[] = [];
  await Promise.all(
    plan.targets.map(async (target) => {
      try {
        await executor.reach(target.name);
      } catch (error) {
        const { message = 'unknown cause', hint } = networkError(error as Error);
        problems.push({
          message: redact(
            `target "${target.name}" cannot be reached at ${new URL(target.baseUrl).origin}: ${message}`,
          ),
          ...(hint === undefined ? {} : { hint }),
        });
      }
    }),
  );
  if (problems.length > 0) throw new UserError('unreachable', problems, EXIT.unreachable);
}
