import type { AnswerStream } from '../../client/answer-stream.ts';
import type { StreamClient } from '../../client/client.ts';
import type { StreamEvent } from '../../model/events.ts';
import type { Observation, OutcomeKind } from '../../model/record.ts';
import type { Secret } from '../../model/redaction/secrets.ts';
import type { Message } from '../../model/request.ts';
import type { AnswerBounds, QuestionMeter } from '../stream/answer-bounds.ts';
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
  /** Values that this model's server is sent and no caller may see: the key. They are taken out of all that it answers. */
  secrets?: readonly Secret[];
}

/** How a model's answer failed, beside what its `error` event tells. */
export interface UpstreamFailure {
  kind: OutcomeKind;
  /** The `retry-after` header of the model's server, where it is well-formed. */
  retryAfter?: string;
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
  /** Watches the size of what comes. */
  bounds?: AnswerBounds;
  /** Called before the `error` event of a request that failed as a whole. */
  onFailure?(failure: UpstreamFailure): void;
}

/**
 * The events of a model's answer: as they come, or, in `legacy` mode, all at once when the answer is whole. Never throws:
 * an answer that fails ends with an `error` event.
 */
export function ask(upstream: Upstream, question: Question): AsyncIterable<StreamEvent> {
  const { messages, maxTokens, temperature, signal, mode, tools } = question;
  const model = question.model ?? upstream.model;
  const meter = question.bounds?.question(mode === 'real' ? 'streamed' : 'whole');
  const request = {
    messages,
    signal,
    keepText: false,
    aheadBytes: question.bounds?.maxUnreadBytes,
    onBytes: meter === undefined ? undefined : (chunk: Uint8Array) => meter.arrived(chunk.byteLength),
    model,
    maxTokens,
    temperature,
    ...(upstream.offerTools === undefined || tools.length === 0
      ? {}
      : { extra: { tools: tools.map(openaiTool) } }),
  };
  return mode === 'real'
    ? streamed(upstream.client.stream(request), question, meter)
    : whole(upstream.client, request, question, meter);
}

// HOT PATH: one step for every event of the model's.
async function* streamed(
  stream: AnswerStream,
  { onFailure }: Question,
  meter: QuestionMeter | undefined,
): AsyncGenerator<StreamEvent> {
  for await (const event of stream) {
    meter?.taken(contentBytes(event));
    if (event.type === 'error' && onFailure !== undefined) {
      const observation = await settled(stream.result);
      if (observation !== undefined) onFailure(failureOf(observation));
    }
    yield event;
  }
}

async function* whole(
  client: StreamClient,
  request: Parameters<StreamClient['complete']>[0],
  { onFailure }: Question,
  meter: QuestionMeter | undefined,
): AsyncGenerator<StreamEvent> {
  const { events, observation } = await client.complete(request);
  const { kind, message = kind, code = kind } = observation.outcome;
  if (kind !== 'ok') onFailure?.(failureOf(observation));
  for (const event of events) meter?.taken(contentBytes(event));
  yield* events;
  if (kind !== 'ok' && events.at(-1)?.type !== 'error') yield { type: 'error', message, code };
}

/** What was observed of a request that is over; undefined while its body goes on after an error inside it. */
function settled(result: Promise<Observation>): Promise<Observation | undefined> {
  return Promise.race([result, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
}

function failureOf({ outcome, headers }: Observation): UpstreamFailure {
  const retryAfter = headers?.['retry-after'];
  return { kind: outcome.kind, retryAfter: isRetryAfter(retryAfter) ? retryAfter : undefined };
}

/** True for what the header may hold: seconds, or a date. */
function isRetryAfter(value: string | undefined): boolean {
  return value !== undefined && /^(?:\d{1,8}|[A-Z][a-z]{2}, [\w: ]{20,26})$/.test(value);
}

function contentBytes(event: StreamEvent): number {
  switch (event.type) {
    case 'message_chunk':
    case 'thinking':
      return Buffer.byteLength(event.text);
    case 'tool_call':
    case 'server_tool_call':
      return Buffer.byteLength(event.arguments);
    case 'media':
    case 'unknown':
      return Buffer.byteLength(event.data);
    default:
      return 0;
  }
}

function openaiTool({ name, description, parameters }: Tool): object {
  return { type: 'function', function: { name, description, parameters } };
}
