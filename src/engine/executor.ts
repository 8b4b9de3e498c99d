import { createClient, type StreamClient } from '../client/client.ts';
import { targetOptions } from '../client/client-options.ts';
import type { Clock } from '../model/clock.ts';
import type { Prompt, RunPlan, Target } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Executor, Job } from './block.ts';
import { createNonces, type ThreadIndex } from './nonces.ts';

/** An executor over one client for each target of the plan. */
export interface ClientExecutor extends Executor {
  /** Opens a connection to the target, and keeps it where connections are kept. Rejects with the system's error when that fails. */
  reach(target: string): Promise<void>;
  close(): void;
}

/**
 * Makes the clients for a plan. Throws a `UserError` for a target whose address or dialect is not valid. `thread` says which of
 * several measuring threads this is, so that no two of them send the same prompt.
 */
export function clientExecutor(
  plan: RunPlan,
  clock: Clock,
  secrets: readonly Secret[],
  thread: ThreadIndex = { index: 0, of: 1 },
): ClientExecutor {
  const clients = new Map(
    plan.targets.map((target) => [target.name, clientFor(target, plan, clock, secrets)]),
  );
  const targets = new Map(plan.targets.map((target) => [target.name, target]));
  const prompts = new Map(plan.prompts.map((prompt) => [prompt.name, prompt]));
  const nextNonce = createNonces(plan.seed, plan.salt ?? '', thread);
  return {
    send: async ({ cell, ...rest }: Job) => {
      const target = targets.get(cell.target)!;
      const prompt = prompts.get(cell.prompt)!;
      const nonce = prompt.unique ? nextNonce() : undefined;
      const request = chatOf(target, prompt, { stream: cell.mode === 'streaming', nonce });
      const keepText = plan.keepText || plan.tokenizer !== undefined;
      const observation = await clients.get(cell.target)!.measure({ ...rest, request, keepText });
      return plan.keepText || !keepText ? observation : onlyToCount(observation);
    },
    async warm(target, connections) {
      const client = clients.get(target)!;
      const use = targets.get(target)!.connect?.connection ?? 'warm';
      switch (use) {
        case 'warm':
          // A connection that cannot be opened now is opened, or fails, with the request that needs it.
          return client.warm(connections).catch(() => {});
        case 'cold':
          return client.drop();
        case 'per-request':
          return;
        default:
          return use satisfies never;
      }
    },
    reach: (target) => clients.get(target)!.warm(1),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

// A text that no tokenizer will count need not cross from thread to thread.
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
