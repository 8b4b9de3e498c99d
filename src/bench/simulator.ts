import { suggest } from '../model/suggestions.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { DurationDistribution, SimulatorProfile } from '../scenario/schema/simulator.ts';
import { simulatedModel } from '../scenario/targets.ts';
import type { Distribution, ProfileInput } from '../simulator/index.ts';
import { PROFILES, profileName } from '../simulator/profile.ts';

/** The profiles of a scenario as the simulator takes them. */
export function profilesOf(
  profiles: Readonly<Record<string, SimulatorProfile>> = {},
): Record<string, ProfileInput> {
  return Object.fromEntries(
    Object.entries(profiles).map(([name, { ttft, cachedTtft, gap, replayGap, ...rest }]) => [
      name,
      {
        ...rest,
        ttft: inMilliseconds(ttft),
        cachedTtft: cachedTtft && inMilliseconds(cachedTtft),
        gap: inMilliseconds(gap),
        ...(replayGap === undefined ? {} : { replayGapMs: replayGap }),
      },
    ]),
  );
}

function inMilliseconds({ meanMs, sdMs, minMs, maxMs, shape }: DurationDistribution): Distribution {
  return {
    mean: meanMs,
    sd: sdMs,
    shape,
    ...(minMs === undefined ? {} : { min: minMs }),
    ...(maxMs === undefined ? {} : { max: maxMs }),
  };
}

/** A sentence for each target whose model the simulator does not know, and answers for as it does by default. */
export function unknownModels({ scenario }: LoadedScenario): string[] {
  const table = { ...PROFILES, ...profilesOf(scenario.simulator?.profiles) };
  return scenario.targets.flatMap((target) => {
    const model = simulatedModel(target);
    if (model === undefined || profileName(model, table) !== undefined) return [];
    const known = Object.keys(table);
    return [
      `target "${target.name}": the simulator has no profile "${model}" and answers as its default; ${suggest(model, known)}`,
    ];
  });
}
