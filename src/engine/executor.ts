import { createHash } from 'node:crypto';
import { createClient, type StreamClient } from '../client/client.ts';
import { targetOptions } from '../client/client-options.ts';
import type { Clock } from '../model/clock.ts';
import type { Prompt, RunPlan, Target } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { type ChatRequest, NONCE_LENGTH } from '../model/request.ts';
import type { Shard } from '../model/shard.ts';
import type { Executor, Job } from './block.ts';
import { createTraces } from './traces.ts';

/** An executor with one client per target of the plan. */
export interface ClientExecutor extends Executor {
  /** Opens a connection to the target, and keeps it if connections are kept. Rejects with the system's error. */
  reach(target: string): Promise<void>;
  close(): void;
}

/**
 * Creates the clients for a plan. Throws a `UserError` for a target with an invalid address or dialect. `thread` is the index
 * of this measuring thread, so that no two threads send the same unique prompt.
 */
export function clientExecutor(
  plan: RunPlan,
  clock: Clock,
  secrets: readonly Secret[],
  thread: ThreadIndex = { index: 0, of: 1 },
): ClientExecutor {
  const peers = new Map(
    plan.targets.map((target) => [target.name, { target, client: clientFor(target, plan, clock, secrets) }]),
  );
  const prompts = new Map(plan.prompts.map((prompt) => [prompt.name, prompt]));
  const peerOf = (name: string) => planned(peers, 'target', name);
  const nextNonce = createNonces(plan.seed, plan.salt ?? '', { ...thread, shard: plan.shard });
  const nextTrace = plan.traceparent
    ? createTraces(plan.seed, plan.salt ?? '', { ...thread, shard: plan.shard })
    : undefined;
  return {
    send: async ({ cell, ...rest }: Job) => {
      const { target, client } = peerOf(cell.target);
      const prompt = planned(prompts, 'prompt', cell.prompt);
      const nonce = prompt.unique ? nextNonce() : undefined;
      const request = chatOf(target, prompt, { stream: cell.mode === 'streaming', nonce });
      const keepText = plan.keepText || plan.tokenizer !== undefined;
      const trace = nextTrace?.();
      const observation = await client.measure({
        ...{ ...rest, request, keepText, trace },
        cutAfterMs: plan.streamForMs,
      });
      if (trace !== undefined) observation.trace = trace;
      return plan.keepText || !keepText ? observation : onlyToCount(observation);
    },
    async warm(name, connections) {
      const { target, client } = peerOf(name);
      const use = target.connect?.connection ?? 'warm';
      switch (use) {
        case 'warm':
          // If this fails, the request that needs the connection opens it or reports why not.
          return client.warm(connections).catch(() => {});
        case 'cold':
          return client.drop();
        case 'per-request':
          return;
        default:
          return use satisfies never;
      }
    },
    reach: async (name) => peerOf(name).client.warm(1),
    close: () => {
      for (const { client } of peers.values()) client.close();
    },
  };
}

/** The target or prompt that a cell names. */
function planned<T>(all: ReadonlyMap<string, T>, what: string, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`the plan has no ${what} ${JSON.stringify(name)}`);
  return found;
}

// A text that no tokenizer will count is not sent to another thread.
function onlyToCount(observation: Observation): Observation {
  if (observation.tokens.source !== 'usage') return observation;
  const { text: _text, thinking: _thinking, toolText: _toolText, ...rest } = observation;
  return rest;
}

function clientFor(target: Target, plan: RunPlan, clock: Clock, secrets: readonly Secret[]): StreamClient {
  return createClient({
    ...targetOptions(target),
    timeouts: plan.timeouts,
    limits: plan.limits,
    secrets,
    clock,
  });
}

function chatOf(
  { model, maxTokens }: Target,
  prompt: Prompt,
  own: Pick<ChatRequest, 'stream' | 'nonce'>,
): ChatRequest {
  return {
    model,
    messages: prompt.messages,
    maxTokens: prompt.length ?? maxTokens ?? prompt.maxTokens,
    ...own,
  };
}

/** The index of a thread, from 0, and the number of threads. */
export interface ThreadIndex {
  index: number;
  of: number;
}

/** Who draws nonces: a thread of a run, or of one of its shards. */
interface NonceOwner extends ThreadIndex {
  shard?: Shard;
}

const COUNT = 36 ** NONCE_LENGTH;
const GOLDEN_STEP = Math.round(COUNT * 0.6180339887498949);

/**
 * A generator of nonces. All nonces of one seed and salt differ, over all threads (up to 36^8); the same seed, salt and thread
 * give the same sequence. Each is a fixed step from the one before, modulo 36^8, and the step is coprime to that, so none
 * repeats. A step near the golden ratio makes consecutive nonces differ in their first characters.
 *
 * The shards of a run have different salts, because nothing connects the machines. Their nonces differ all the same: the
 * sequence depends on the seed alone, shard i of n takes every n-th nonce of it, and the salt says where it begins.
 */
export function createNonces(seed: number, salt: string, { index, of, shard }: NonceOwner): () => string {
  const drawn = digest(`${seed}:${salt}`);
  const { start, step } = sequence(shard === undefined ? drawn : digest(`${seed}`));
  const parts = shard?.of ?? 1;
  const skipped = shard === undefined ? 0 : drawn.readUIntBE(0, 6) % Math.floor(COUNT / 2 / parts);
  const first = (shard === undefined ? 0 : shard.number - 1) + parts * (skipped + index);
  const stride = timesModulo(step, parts * of);
  let next = (start + timesModulo(step, first)) % COUNT;
  return () => {
    const nonce = next.toString(36).padStart(NONCE_LENGTH, '0');
    next = (next + stride) % COUNT;
    return nonce;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The first nonce and the step between two, from random bytes. */
function sequence(bytes: Buffer): { start: number; step: number } {
  return { start: bytes.readUIntBE(0, 6) % COUNT, step: coprimeFrom(GOLDEN_STEP + bytes.readUInt32BE(6)) };
}

// The product exceeds the whole numbers that a double holds exactly.
function timesModulo(a: number, b: number): number {
  return Number((BigInt(a) * BigInt(b)) % BigInt(COUNT));
}

/** The first number from `value` on that is coprime to a power of 36. */
function coprimeFrom(value: number): number {
  let found = value;
  while (found % 2 === 0 || found % 3 === 0) found++;
  return found;
}
