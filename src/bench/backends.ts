import { targetOptions } from '../client/client-options.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { suggest } from '../model/suggestions.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { usesSimulator } from '../scenario/plan.ts';
import type { DurationDistribution } from '../scenario/schema/simulator.ts';
import { type ServiceProcess, serviceProcesses } from '../scenario/service-target.ts';
import { resolveTarget, type StartedBackends, simulatedModel, upstreamTarget } from '../scenario/targets.ts';
import { DEFAULT_EVERY_CHARS } from '../service/defaults.ts';
import type { EmbeddedServiceOptions } from '../service/embedded.ts';
import { startEmbeddedSimulator } from '../simulator/embedded.ts';
import type { ProfileInput, RandomQuantity } from '../simulator/index.ts';
import { PROFILES, profileName } from '../simulator/profile.ts';
import { cassetteProfile } from '../simulator/recorded-script.ts';
import type { TruthEntry } from '../simulator/truth.ts';

/** Converts the profiles of a scenario to those of the simulator. */
function profilesOf({ scenario, cassettes }: LoadedScenario): Record<string, ProfileInput> {
  const { profiles = {} } = scenario.simulator ?? {};
  const generated = Object.fromEntries(
    Object.entries(profiles).map(([name, { ttft, cachedTtft, gap, replayGap, ...rest }]) => [
      name,
      {
        ...rest,
        ttft: inMilliseconds(ttft),
        cachedTtft: cachedTtft && inMilliseconds(cachedTtft),
        gap: inMilliseconds(gap),
        replayGapMs: replayGap,
      },
    ]),
  );
  const recorded = Array.from(cassettes, ([name, cassette]) => [name, cassetteProfile(name, cassette)]);
  return { ...generated, ...Object.fromEntries(recorded) };
}

function inMilliseconds({ meanMs, sdMs, minMs, maxMs, shape }: DurationDistribution): RandomQuantity {
  return {
    mean: meanMs,
    sd: sdMs,
    shape,
    min: minMs,
    max: maxMs,
  };
}

/** One warning for each target whose model has no profile: the simulator uses its default profile. */
export function unknownModels(loaded: LoadedScenario): string[] {
  const { scenario } = loaded;
  const table = { ...PROFILES, ...scenario.simulator?.profiles, ...Object.fromEntries(loaded.cassettes) };
  return scenario.targets.flatMap((target) => {
    const model = simulatedModel(target);
    if (model === undefined || profileName(model, table) !== undefined) return [];
    const known = Object.keys(table);
    return [
      `target "${target.name}": the simulator has no profile "${model}" and uses its default; ${suggest(model, known)}`,
    ];
  });
}

/** The simulator and services that a run has started. */
export interface Backends extends StartedBackends {
  /** Secrets that were generated for them. */
  secrets: readonly Secret[];
  /** The URLs of server metrics, by target name. */
  metrics: ReadonlyMap<string, string>;
  /** The embedded simulator's log; absent without one. */
  simulatorLog?: () => Promise<readonly TruthEntry[]>;
  /** Stops all of them. */
  close(): Promise<void>;
}

// At the end of a run no stream has a reader.
const DRAIN_MS = 500;

/** Starts the simulator and the services of a scenario. Stops those already started where one fails to start. */
export async function startBackends(loaded: LoadedScenario): Promise<Backends> {
  const { scenario } = loaded;
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    const backends: StartedBackends & Pick<Backends, 'simulatorLog'> = {};
    if (usesSimulator(scenario)) {
      const simulator = await startEmbeddedSimulator({
        seed: scenario.simulator?.seed ?? scenario.seed,
        profiles: profilesOf(loaded),
      });
      closers.push(() => simulator.close());
      backends.simulatorUrl = simulator.url;
      backends.simulatorLog = () => simulator.truth();
    }
    const secrets: Secret[] = [];
    const services = new Map<string, { url: string; token: string }>();
    for (const process of serviceProcesses(scenario.targets)) {
      // Loaded only where needed: its packages are large.
      const { startEmbeddedService } = await import('../service/embedded.ts');
      const service = await startEmbeddedService(serviceOptions(process, backends, scenario));
      closers.push(() => service.close());
      secrets.push({ name: '[token]', value: service.token });
      for (const name of process.targets) services.set(name, service);
    }
    return { ...backends, services, secrets, metrics: metricsUrls(scenario.targets, services), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function metricsUrls(
  targets: LoadedScenario['scenario']['targets'],
  services: ReadonlyMap<string, { url: string }>,
): Map<string, string> {
  const urls = new Map<string, string>();
  for (const { name, metricsUrl } of targets) {
    const service = services.get(name);
    if (service !== undefined) urls.set(name, `${service.url}/metrics`);
    else if (metricsUrl !== undefined) urls.set(name, metricsUrl);
  }
  return urls;
}

function serviceOptions(
  { settings }: ServiceProcess,
  backends: StartedBackends,
  { timeouts, limits }: Pick<LoadedScenario['scenario'], 'timeouts' | 'limits'>,
): EmbeddedServiceOptions {
  const { strategy, everyChars = DEFAULT_EVERY_CHARS, checkpoint, answerCache, connectionLimit } = settings;
  const upstream = resolveTarget(upstreamTarget(settings, 'upstream'), backends);
  const { provider, model } = upstream;
  return {
    upstreams: [
      {
        name: provider,
        model,
        client: { ...targetOptions(upstream), timeouts, limits },
      },
    ],
    strategy: strategy === 'every-n-chars' ? { kind: strategy, chars: everyChars } : { kind: strategy },
    checkpointMs: checkpoint,
    answerCacheMs: answerCache,
    maxConnectionMs: connectionLimit,
    // All requests of a run share one conversation. Without history each costs the same.
    historyMessages: 0,
    maxStreams: 100_000,
    drainMs: DRAIN_MS,
  };
}
