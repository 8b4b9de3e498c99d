import { randomBytes } from 'node:crypto';
import { networkError } from '../client/outcome/network-error.ts';
import { mostStreamsOf } from '../engine/course.ts';
import { type ClientExecutor, clientExecutor } from '../engine/executor.ts';
import { tidy } from '../metrics/distribution.ts';
import type { Clock } from '../model/clock.ts';
import { EXIT, type Problem, UserError } from '../model/errors.ts';
import { DEFAULT_STREAMS_PER_SESSION, type RunPlan } from '../model/plan.ts';
import { createRedactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import type { Environment, NoiseFloor } from '../model/report.ts';
import type { Shard } from '../model/shard.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { planScenario } from '../scenario/plan.ts';
import { shardPlan, streamsByCell } from '../scenario/shard-plan.ts';
import { needsSimulator } from '../scenario/targets.ts';
import { type Backends, startBackends } from './backends.ts';
import { checkOpenFiles } from './doctor/checks.ts';
import { readEnvironment } from './environment.ts';
import { type Baseline, openBaseline } from './run/baseline.ts';
import { checkGates } from './run/gates.ts';
import { type ServersWatch, watchServers } from './server-metrics/server-watch.ts';
import { createTokenCounter, loadTokenizer, type TokenCounter } from './tokenizer.ts';
import { warmCode } from './warm-code.ts';

/** Everything that a run needs before its first measured request. */
export interface Prepared {
  plan: RunPlan;
  environment: Environment;
  executor: ClientExecutor;
  /** Those of the scenario, and those that were generated for this run. */
  secrets: readonly Secret[];
  servers: ServersWatch;
  simulatorLog: Backends['simulatorLog'];
  counter?: TokenCounter;
  baseline?: Baseline;
  floor?: NoiseFloor[];
}

/** Options of `prepare`. */
export interface PrepareOptions {
  clock: Clock;
  output: string;
  /** A name, or a baseline that is already open. */
  baseline?: string | Baseline;
  strict: boolean;
  calibrate: boolean;
  /** Default: random. */
  salt?: string;
  /** The part of the run that this machine measures. Default: all of it. */
  shard?: Shard;
  /** Stops the calibration. */
  signal: AbortSignal;
  /** Receives the undo of each step as soon as it is done, so that nothing is left behind where a later step fails. */
  undo(step: () => unknown): void;
}

/**
 * Checks everything that can be checked before anything is sent, starts the simulator and services of the scenario, and connects to
 * every target. Rejects with a `UserError` at the first step with a problem.
 */
export async function prepare(loaded: LoadedScenario, options: PrepareOptions): Promise<Prepared> {
  const { clock, undo, shard } = options;
  // The command line checked them at parsing; a program that calls `runScenario` may not have.
  checkGates(loaded);
  // Started first: git reads the repository while this process loads its inputs.
  const environment = readEnvironment();
  const counter = await counterFor(loaded);
  const baseline = await baselineFor(options);
  const backends = await startBackends(loaded);
  undo(() => backends.close());
  const secrets = [...loaded.secrets, ...backends.secrets];
  const whole = planScenario(loaded, { ...backends, salt: options.salt ?? drawSalt() });
  const plan = shard === undefined ? whole : shardPlan(whole, shard, loaded);
  rejectTooManyFiles(plan, loaded);
  const executor = clientExecutor(plan, clock, secrets);
  undo(() => executor.close());
  await reachAll(plan, executor, secrets);
  await warmDialects(plan);
  const servers = await watchServers(backends.metrics);
  undo(() => servers.close());
  const floor = options.calibrate ? await noiseFloor(plan, options.signal) : undefined;
  const { simulatorLog } = backends;
  return {
    plan,
    environment: await environment,
    executor,
    secrets,
    servers,
    simulatorLog,
    counter,
    baseline,
    floor,
  };
}

/** A random salt for the nonces of one run, so that no other run sends the same prompts. */
export function drawSalt(): string {
  return randomBytes(8).toString('hex');
}

/** Warms up the code for each kind of stream once. */
async function warmDialects({ targets }: RunPlan): Promise<void> {
  const kinds = new Map(
    targets.map(({ dialect, connect }) => [`${dialect} ${connect?.http}`, { dialect, connect }]),
  );
  for (const { dialect, connect } of kinds.values()) await warmCode(dialect, connect?.http);
}

async function counterFor({ scenario }: LoadedScenario): Promise<TokenCounter | undefined> {
  const { tokenizer, keepText } = scenario;
  return tokenizer === 'none' ? undefined : createTokenCounter(await loadTokenizer(tokenizer), { keepText });
}

async function baselineFor({ baseline, output, strict }: PrepareOptions): Promise<Baseline | undefined> {
  return typeof baseline === 'string' ? openBaseline({ name: baseline, output, strict }) : baseline;
}

async function noiseFloor(plan: RunPlan, signal: AbortSignal): Promise<NoiseFloor[]> {
  // Loaded only where needed: it starts a server in a child process.
  const { calibrate } = await import('./doctor/calibrate.ts');
  const levels = [...new Set(streamsByCell(plan))].sort((a, b) => a - b);
  const { levels: measured } = await calibrate({ levels, windowMs: 2_000, signal });
  return measured.flatMap(({ streams, lagMs }) =>
    lagMs === null ? [] : [{ streams, p50Ms: tidy(lagMs.p50), p99Ms: tidy(lagMs.p99) }],
  );
}

/** Rejects a run that would exceed the limit on open files. Each target keeps its connections open. */
function rejectTooManyFiles(plan: RunPlan, { scenario }: LoadedScenario): void {
  const highest = mostStreamsOf(plan);
  const files = plan.targets.reduce((sum, { connect = {} }, index) => {
    const { http = 1, streamsPerSession = DEFAULT_STREAMS_PER_SESSION, connection } = connect;
    const shared = http === 2 && connection !== 'per-request' ? streamsPerSession : 1;
    const target = scenario.targets[index];
    // With the embedded simulator, the server's end of a connection is a file of this process too.
    return sum + Math.ceil(highest / shared) * (target && needsSimulator(target) ? 2 : 1);
  }, 0);
  const problem = checkOpenFiles(highest, files / highest);
  if (problem !== undefined) throw new UserError('usage', problem);
}

/** Opens a connection to every target before anything is measured: the user has to correct a wrong address. */
async function reachAll(plan: RunPlan, executor: ClientExecutor, secrets: readonly Secret[]): Promise<void> {
  const redactor = createRedactor(secrets);
  const problems: Problem[] = [];
  await Promise.all(
    plan.targets.map(async (target) => {
      try {
        await executor.reach(target.name);
      } catch (error) {
        const { message = 'unknown cause', hint } = networkError(error as Error);
        problems.push({
          message: redactor.message(
            `target "${target.name}" cannot be reached at ${new URL(target.baseUrl).origin}: ${message}`,
          ),
          hint,
        });
      }
    }),
  );
  if (problems.length > 0) throw new UserError('unreachable', problems, EXIT.unreachable);
}
