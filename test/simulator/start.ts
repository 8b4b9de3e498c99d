import { afterEach, expect } from 'vitest';
import type { ProfileInput } from '../../src/simulator/profile.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts';
import type { TruthEntry } from '../../src/simulator/truth.ts';

/** Simulators that are closed when the test has ended. */

export const CHAT = '/v1/chat/completions';

export const constant = (mean: number) => ({ shape: 'constant', mean, sd: 0 }) as const;

/** 12 tokens in 85 ms. */
export const quick: ProfileInput = { ttft: constant(30), gap: constant(5), tokens: constant(12) };

const started: Simulator[] = [];

export async function start(profiles: Record<string, ProfileInput> = {}, options: SimulatorOptions = {}) {
  const simulator = createSimulator({ profiles: { default: quick, ...profiles }, ...options });
  started.push(simulator);
  const { port } = await simulator.listen();
  return { simulator, port };
}

/** The last entry, once it is there: a response can be read before its sender has noted its end. */
export async function lastEntry(simulator: Simulator, count = 1): Promise<TruthEntry> {
  await expect.poll(() => simulator.log.length).toBe(count);
  return simulator.log.at(-1)!;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
});
