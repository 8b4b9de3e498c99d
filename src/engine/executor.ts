import { createHash } from 'node:crypto';
import { createClient, type StreamClient } from '../client/client.ts';
import type { MeasuredRequest } from '../client/client-options.ts';
import { targetOptions } from '../client/client-options.ts';
import { pieceBytes } from '../client/paced-sink.ts';
import { openNodeTransport } from '../client/transport/node-transport.ts';
import type { Clock } from '../model/clock.ts';
import type { ToolCallEvent } from '../model/events.ts';
import type { Cell, RunPlan, Target } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { type AnsweredCall, type ChatRequest, NONCE_LENGTH } from '../model/request.ts';
import type { Shard } from '../model/shard.ts';
import { Conversation } from '../prompts/conversation.ts';
import { createDrawer, type DrawnPrompt } from '../prompts/drawer.ts';
import { assignBehaviours } from './behaviours.ts';
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
  const slowReaders = plan.client?.slowReaders;
  const peers = new Map(
    plan.targets.map((target): [string, Peer] => {
      const client = clientFor(target, plan, clock, secrets);
      // With connections of their own, whose reads are small.
      const slow =
        slowReaders &&
        clientFor(slowTarget(target, pieceBytes(slowReaders.bytesPerSecond)), plan, clock, secrets);
      return [target.name, { target, client, slow }];
    }),
  );
  const behaviourOf = assignBehaviours(plan.client ?? {}, plan.seed);
  const { seed, salt = '' } = plan;
  const prompts = new Map(
    plan.prompts.map((prompt) => [prompt.name, { prompt, drawer: createDrawer(prompt, { seed, salt }) }]),
  );
  const peerOf = (name: string) => planned(peers, 'target', name);
  const nextNonce = createNonces(seed, salt, { ...thread, shard: plan.shard });
  const nextTrace = plan.traceparent ? createTraces(seed, salt, { ...thread, shard: plan.shard }) : undefined;
  /** Draws what a request or a session sends. */
  const draw = (cell: Cell, number: number, warmup: boolean): DrawnRequest => {
    const { target } = peerOf(cell.target);
    const { prompt, drawer } = planned(prompts, 'prompt', cell.prompt);
    const nonce = prompt.unique ? nextNonce() : undefined;
    const { promptId, cachePlan, turns, ...drawn } = drawer.draw({
      number,
      warmup,
      nonce,
      freshNonce: nextNonce,
    });
    const request = {
      ...drawn,
      model: target.model,
      maxTokens: prompt.length ?? target.maxTokens ?? drawn.maxTokens,
      stream: cell.mode === 'streaming',
      nonce,
    };
    return { request, promptId, cachePlan, turns };
  };
  const measure = async (cell: Cell, { request, promptId, cachePlan }: DrawnRequest, rest: Due) => {
    const keepText = rest.onToolCall !== undefined || plan.keepText || plan.tokenizer !== undefined;
    const trace = nextTrace?.();
    const { client, slow = client } = peerOf(cell.target);
    const { behaviour } = rest;
    const sender = behaviour?.kind === 'slow' ? slow : client;
    const observation = await sender.measure({
      ...{ ...rest, request, keepText, trace },
      keepChunks: plan.keepChunks,
      cutAfterMs: plan.streamForMs,
    });
    if (trace !== undefined) observation.trace = trace;
    if (behaviour !== undefined) observation.behaviour = behaviour;
    if (promptId !== undefined) observation.promptId = promptId;
    if (cachePlan !== undefined) observation.cachePlan = cachePlan;
    return observation;
  };
  const kept = (observation: Observation): Observation => {
    if (plan.keepText || observation.text === undefined) return observation;
    return plan.tokenizer === undefined ? withoutTexts(observation) : onlyToCount(observation);
  };
  return {
    send: async ({ cell, number, warmup, ...rest }: Job) => {
      // Each thread numbers its warm-up requests from 0.
      const drawn = draw(cell, warmup ? number * thread.of + thread.index : number, warmup);
      const behaviour = warmup || cell.length !== undefined ? undefined : behaviourOf(number);
      return kept(await measure(cell, drawn, { ...rest, behaviour, resume: plan.client?.resume }));
    },
    session(cell, number) {
      if (planned(prompts, 'prompt', cell.prompt).prompt.session === undefined) return undefined;
      const { turns = [], ...first } = draw(cell, number, false);
      const conversation = new Conversation(first.request.messages, turns);
      let turn = 0;
      let thinkMs = 0;
      return {
        get thinkMs() {
          return thinkMs;
        },
        async send(due) {
          turn += 1;
          const calls: AnsweredCall[] = [];
          const { messages, left } = conversation;
          // Only the first turn meets a planned prefix: later ones repeat the conversation.
          const cachePlan = turn === 1 ? first.cachePlan : undefined;
          const request = { ...first.request, messages };
          const rest = { ...due, onToolCall: (piece: ToolCallEvent) => addToolCall(calls, piece) };
          const observation = await measure(cell, { ...first, request, cachePlan }, rest);
          observation.turn = { session: number, turn, left };
          if (observation.outcome.kind === 'ok') {
            const next = conversation.answered({ text: observation.text ?? '', calls: whole(calls) });
            thinkMs = next.thinkMs;
            observation.turn.left = next.left;
            if (next.skipped > 0) observation.turn.skipped = next.skipped;
          }
          return kept(observation);
        },
      };
    },
    async warm(name, connections) {
      const { target, client, slow } = peerOf(name);
      const use = target.connect?.connection ?? 'warm';
      switch (use) {
        case 'warm':
          // If this fails, the request that needs the connection opens it or reports why not.
          return client.warm(connections).catch(() => {});
        case 'cold':
          slow?.drop();
          return client.drop();
        case 'per-request':
          return;
        default:
          return use satisfies never;
      }
    },
    reach: async (name) => peerOf(name).client.warm(1),
    close: () => {
      for (const { client, slow } of peers.values()) {
        client.close();
        slow?.close();
      }
      for (const { drawer } of prompts.values()) drawer.close();
    },
  };
}

/** A target and its clients. */
interface Peer {
  target: Target;
  client: StreamClient;
  /** Of the slow readers; absent in a run without them. */
  slow?: StreamClient;
}

function slowTarget(target: Target, readBytes: number): Target {
  return { ...target, connect: { ...target.connect, readBytes } };
}

/** The target or prompt that a cell names. */
function planned<T>(all: ReadonlyMap<string, T>, what: string, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`the plan has no ${what} ${JSON.stringify(name)}`);
  return found;
}

/** What a request sends, and what its record says about it. */
interface DrawnRequest extends Pick<DrawnPrompt, 'promptId' | 'cachePlan' | 'turns'> {
  request: ChatRequest;
}

/** When a request is sent, what its client does, and who receives its tool calls. */
type Due = Pick<
  MeasuredRequest,
  'scheduledAt' | 'originAt' | 'signal' | 'onToolCall' | 'behaviour' | 'resume'
>;

/** The calls without holes in their numbers; a call without arguments has an empty object. */
function whole(calls: readonly AnsweredCall[]): AnsweredCall[] {
  return calls
    .filter(() => true)
    .map((call) => (call.arguments === '' ? { ...call, arguments: '{}' } : call));
}

function addToolCall(calls: AnsweredCall[], { index, id, name, arguments: piece }: ToolCallEvent): void {
  const call = calls[index];
  if (call === undefined) calls[index] = { id: id ?? `call_${index}`, name: name ?? '', arguments: piece };
  else calls[index] = { id: id ?? call.id, name: name ?? call.name, arguments: `${call.arguments}${piece}` };
}

// A text that no tokenizer will count is not sent to another thread.
function onlyToCount(observation: Observation): Observation {
  return observation.tokens.source === 'usage' ? withoutTexts(observation) : observation;
}

function withoutTexts(observation: Observation): Observation {
  const { text: _text, thinking: _thinking, toolText: _toolText, ...rest } = observation;
  return rest;
}

function clientFor(target: Target, plan: RunPlan, clock: Clock, secrets: readonly Secret[]): StreamClient {
  return createClient(
    {
      ...targetOptions(target),
      timeouts: plan.timeouts,
      limits: plan.limits,
      secrets,
      clock,
    },
    openNodeTransport,
  );
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
