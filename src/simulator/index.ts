/**
 * `streambench/simulator`: an LLM provider for tests and benchmarks. It speaks every dialect of the client, follows a
 * seeded script (the same seed gives the same texts, delays and failures), and keeps the truth about what it sent
 * and when, for a measurement to be held against.
 */

/** A quantity that varies. */
export type { RandomQuantity } from './draws.ts';
/** A simulator on a thread of its own: what a benchmark wants. */
export { type EmbeddedOptions, type EmbeddedSimulator, startEmbeddedSimulator } from './embedded.ts';
/** How a simulated model behaves, and the models that are always there. */
export {
  type ErrorKind,
  PROFILES,
  type Profile,
  type ProfileInput,
  type ProfileTable,
  type StreamMode,
} from './profile.ts';
/** What will be said to a request, and when; for tests that need to know it beforehand. */
export { makeScript, type Script, type ScriptEnding, type ScriptStep, scriptEvents } from './script.ts';
/** A simulator on this thread: what a test wants. */
export { createSimulator, type Simulator, type SimulatorOptions, type SimulatorStats } from './simulator.ts';
/** What was sent, and when. */
export type { TruthChunk, TruthEntry } from './truth.ts';
