import type { DurationDistribution, SimulatorProfile } from '../scenario/simulator-schema.ts';
import type { Distribution, ProfileInput } from '../simulator/index.ts';

/** The profiles of a scenario as the simulator takes them. */
export function profilesOf(
  profiles: Readonly<Record<string, SimulatorProfile>> = {},
): Record<string, ProfileInput> {
  return Object.fromEntries(
    Object.entries(profiles).map(([name, { ttft, gap, ...rest }]) => [
      name,
      { ...rest, ttft: inMilliseconds(ttft), gap: inMilliseconds(gap) },
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
