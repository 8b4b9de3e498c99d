import type { Manifest } from '../../model/report.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planSummary, usesSimulator } from '../../scenario/plan.ts';
import { unknownModels } from '../backends.ts';
import type { Prepared } from '../prepare.ts';
import { unreadable } from '../server-metrics/server-watch.ts';
import { otherMachine, type PastRun } from './resume.ts';

const OWN_SIMULATOR = 'this shard starts a simulator of its own: the shards do not share a server';

/** Warnings before the run, one sentence each. */
export function openingWarnings(
  loaded: LoadedScenario,
  { plan, environment, servers, baseline }: Prepared,
  manifest: Manifest,
  past: PastRun | undefined,
): string[] {
  const obstacles = baseline?.obstacles(manifest) ?? [];
  const other = past && otherMachine(past.manifest.environment, environment);
  return [
    ...(past?.warnings ?? []),
    ...(baseline?.warnings ?? []),
    ...(other === undefined ? [] : [other]),
    ...unreadable(servers.idle, serviceNames(loaded)),
    ...(plan.shard !== undefined && usesSimulator(loaded.scenario) ? [OWN_SIMULATOR] : []),
    ...unknownModels(loaded),
    ...(past === undefined ? planSummary(plan).warnings : []),
    ...obstacles.map(
      (obstacle) => `this run will not be comparable with baseline "${baseline?.name}": ${obstacle}`,
    ),
  ];
}

function serviceNames({ scenario }: LoadedScenario): string[] {
  return scenario.targets.flatMap(({ name, service }) => (service === undefined ? [] : name));
}
