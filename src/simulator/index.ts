/**
 * `streambench/simulator`: a simulated LLM provider for tests and benchmarks. It supports every dialect of the client and
 * follows a seeded script: the same seed gives the same texts, delays and failures. It records what it sent and when, as
 * ground truth for measurements.
 */

/** A random quantity, such as a delay. */
export type { RandomQuantity } from '../model/keyed-random.ts';
/** A simulator on its own thread, for benchmarks. */
export { type EmbeddedOptions, type EmbeddedSimulator, startEmbeddedSimulator } from './embedded.ts';
/** The behaviour of simulated models, and the built-in models. */
export {
  type ErrorKind,
  PROFILES,
  type Profile,
  type ProfileInput,
  type ProfileTable,
  type StreamMode,
} from './profile.ts';
/** The scripted answer to a request, for tests that need to know it in advance. */
export { makeScript, type Script, type ScriptEnding, type ScriptStep, scriptEvents } from './script.ts';
/** A simulator on this thread, for tests. */
export { createSimulator, type Simulator, type SimulatorOptions, type SimulatorStats } from './simulator.ts';
/** What was sent, and when. */
export type { TruthChunk, TruthEntry } from './truth.ts';
