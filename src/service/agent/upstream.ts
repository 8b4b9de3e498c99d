import type { AnswerStream } from '../../client/answer-stream.ts';
import type { StreamClient } from '../../client/client.ts';
import type { StreamEvent } from '../../model/events.ts';
import type { Observation, OutcomeKind } from '../../model/record.ts';
import type { Secret } from '../../model/redaction/secrets.ts';
import type { Message } from '../../model/request.ts';
import type { AnswerBounds, ResponseMeter } from '../stream/answer-bounds.ts';
import type { Tool } from './tools.ts';

/** A model behind the service. Callers can choose only configured upstreams. */
export interface Upstream {
  /** The name by which a caller chooses it. */
  name: string;
  client: StreamClient;
  /** The model for requests that name none. Default: the client's own. */
  model?: string;
  /** The models that callers may choose. Default: any. */
  models?: readonly string[];
  /** How tools are offered to the model: `openai` sends them as `tools`. Default: not at all. */
  offerTools?: 'openai';
  /** Secret values that are sent to the upstream, such as its key. They are removed from its answers. */
  secrets?: readonly Secret[];
}

/** How a request to a model failed, in addition to its `error` event. */
export interface UpstreamFailure {
  kind: OutcomeKind;
  /** The upstream's `retry-after` header, if it is well-formed. */
  retryAfter?: string;
}

/** `real`: each token is sent when it arrives. `legacy`: the whole answer is generated first, then cut into chunks. */
export type AnswerMode = 'real' | 'legacy';

/** One request to a model. */
export interface ModelRequest {
  messages: readonly Message[];
  model?: string;
  maxTokens?: number;
  temperature?: number;
  tools: readonly Tool[];
  mode: AnswerMode;
  signal: AbortSignal;
  /** Limits the size of the answer. */
  bounds?: AnswerBounds;
  /** Called before the `error` event of a failed request. */
  onFailure?(failure: UpstreamFailure): void;
}

/**
 * Sends a request to a model and returns the events of its answer: as they arrive, or, in `legacy` mode, all at once when
 * the answer is complete. Never throws: a failed answer ends with an `error` event.
 */
export function askModel(upstream: Upstream, modelRequest: ModelRequest): AsyncIterable<StreamEvent> {
  const { messages, maxTokens, temperature, signal, mode, tools } = modelRequest;
  const model = modelRequest.model ?? upstream.model;
  const meter = modelRequest.bounds?.startResponse(mode === 'real' ? 'streamed' : 'whole');
  const request = {
    messages,
    signal,
    keepText: false,
    aheadBytes: modelRequest.bounds?.maxUnreadBytes,
    onBytes: meter === undefined ? undefined : (chunk: Uint8Array) => meter.received(chunk.byteLength),
    model,
    maxTokens,
    temperature,
    extra:
      upstream.offerTools === 'openai' && tools.length > 0 ? { tools: tools.map(openaiTool) } : undefined,
  };
  return mode === 'real'
    ? streamed(upstream.client.stream(request), modelRequest, meter)
    : whole(upstream.client, request, modelRequest, meter);
}

// HOT PATH: runs for every event of the model, so it is no generator, which would add promises to each of them.
function streamed(
  stream: AnswerStream,
  { onFailure }: ModelRequest,
  meter: ResponseMeter | undefined,
): AsyncIterable<StreamEvent> {
  const events = stream[Symbol.asyncIterator]();
  const pass = (result: IteratorResult<StreamEvent>) => {
    if (result.done) return result;
    const event = result.value;
    meter?.decoded(contentBytes(event));
    return event.type === 'error' && onFailure !== undefined ? failed(result, onFailure) : result;
  };
  const failed = async (result: IteratorResult<StreamEvent>, report: (failure: UpstreamFailure) => void) => {
    const observation = await settled(stream.result);
    if (observation !== undefined) report(failureOf(observation));
    return result;
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => events.next().then(pass),
      return: () => events.return(),
    }),
  };
}

async function* whole(
  client: StreamClient,
  request: Parameters<StreamClient['complete']>[0],
  { onFailure }: ModelRequest,
  meter: ResponseMeter | undefined,
): AsyncGenerator<StreamEvent> {
  const { events, observation } = await client.complete(request);
  const { kind, message = kind, code = kind } = observation.outcome;
  if (kind !== 'ok') onFailure?.(failureOf(observation));
  for (const event of events) meter?.decoded(contentBytes(event));
  yield* events;
  if (kind !== 'ok' && events.at(-1)?.type !== 'error') yield { type: 'error', message, code };
}

/** The observation of a finished request; undefined while its body continues after an `error` event. */
function settled(result: Promise<Observation>): Promise<Observation | undefined> {
  return Promise.race([result, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
}

function failureOf({ outcome, headers }: Observation): UpstreamFailure {
  const retryAfter = headers?.['retry-after'];
  return { kind: outcome.kind, retryAfter: isRetryAfter(retryAfter) ? retryAfter : undefined };
}

/** True for seconds or an HTTP date. */
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
