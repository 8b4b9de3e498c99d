import type { StreamClient } from '../client/client.ts';
import type { StreamEvent } from '../model/events.ts';
import type { Message } from '../model/request.ts';
import type { Tool } from './tools.ts';

/** A model behind the service. Callers may name only the upstreams that the service was given. */
export interface Upstream {
  /** The name by which a caller may ask for it. */
  name: string;
  client: StreamClient;
  /** The model for requests that name none. Default: the client's own. */
  model?: string;
  /** The models that callers may name. Default: any. */
  models?: readonly string[];
  /** How tools are offered: `openai` puts them into the request as `tools`. Default: they are not. */
  offerTools?: 'openai';
}

/** `real`: each token as it comes. `legacy`: the whole answer is generated first, then cut into chunks. */
export type AnswerMode = 'real' | 'legacy';

/** One question to a model. */
export interface Question {
  messages: readonly Message[];
  model?: string;
  maxTokens?: number;
  temperature?: number;
  tools: readonly Tool[];
  mode: AnswerMode;
  signal: AbortSignal;
}

/**
 * The events of a model's answer: as they come, or, in `legacy` mode, all at once when the answer is whole. Never throws:
 * an answer that fails ends with an `error` event.
 */
export function ask(upstream: Upstream, question: Question): AsyncIterable<StreamEvent> {
  const { messages, maxTokens, temperature, signal, mode, tools } = question;
  const model = question.model ?? upstream.model;
  const request = {
    messages,
    signal,
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(upstream.offerTools === undefined || tools.length === 0
      ? {}
      : { extra: { tools: tools.map(openaiTool) } }),
  };
  return mode === 'real' ? upstream.client.stream(request) : whole(upstream.client, request);
}

async function* whole(
  client: StreamClient,
  request: Parameters<StreamClient['complete']>[0],
): AsyncGenerator<StreamEvent> {
  const { events, observation } = await client.complete(request);
  yield* events;
  const { kind, message = kind, code = kind } = observation.outcome;
  if (kind !== 'ok' && events.at(-1)?.type !== 'error') yield { type: 'error', message, code };
}

function openaiTool({ name, description, parameters }: Tool): object {
  return { type: 'function', function: { name, description, parameters } };
}
