import { randomUUID } from 'node:crypto';
import { errorMessage } from '../model/errors.ts';
import type { StreamEvent } from '../model/events.ts';
import { createRedactor, type Redactor } from '../model/redaction/redactor.ts';
import type { Message } from '../model/request.ts';
import { type AnswerPlan, answer } from './agent/agent.ts';
import { openCallerEndpoint } from './agent/caller-endpoint.ts';
import { memoryMessages, readMemory, updateMemory } from './agent/memory.ts';
import type { Upstream } from './agent/upstream.ts';
import type { Core } from './core.ts';
import type { Caller } from './http/auth.ts';
import { HttpError } from './http/http-error.ts';
import type { ChatBody } from './http/requests.ts';
import type { ChatRoute } from './http/routes.ts';
import { tooManyRequests } from './http/user-rate-limiter.ts';
import type { Settings } from './service-options.ts';
import { type Conversation, toHistory } from './store.ts';
import { AnswerWriter, type WriteOptions } from './stream/answer-writer.ts';
import { redactEvents } from './stream/redact-events.ts';
import type { Compression } from './stream/response-body.ts';
import { fromArray } from './stream/shape.ts';
import type { Price } from './usage-cost.ts';

/** An authenticated chat request. */
export interface ChatCall {
  route: ChatRoute;
  caller: Caller;
  body: ChatBody;
  /** The `:id` of the path, if the route has one. */
  pathId?: string;
  /** How the answer is written, from the query string. */
  compat?: 'plain';
  compression: Compression;
  /** The id of a prompt in a batch: its events carry it. */
  promptId?: string;
  /** The ticket that the request was sent with. */
  ticket?: string;
  /** When the request arrived, on the service's clock. */
  receivedAtMs: number;
}

/** A chat that is ready to be answered: the model is chosen and the history read. */
export interface PreparedChat {
  id: string;
  session?: string;
  model: string;
  upstream: Upstream;
  /** Whether the answer comes from the cache; undefined if this chat does not use it. */
  cache?: 'hit' | 'miss';
  /**
   * Stores the user's message and returns a writer for the answer; undefined if this chat is not stored. Throws an
   * `HttpError` when the store fails: a conversation that cannot be stored is not started.
   */
  store(options: WriteOptions): AnswerWriter | undefined;
  /** Sends the request to the model and returns the events of its answer. */
  events(
    signal: AbortSignal,
    mode: AnswerPlan['mode'],
    watch: Pick<AnswerPlan, 'bounds' | 'onFailure'>,
  ): AsyncIterable<StreamEvent>;
  /** Events that are sent right after `start`. */
  prologue: readonly StreamEvent[];
}

/**
 * Prepares a chat with an upstream of the caller's own, or with a configured one. Throws an `HttpError` when the service is at its limits, the caller may not use the requested upstream
 * or model, or the store cannot be read.
 */
export function prepareChat(core: Core, call: ChatCall, ownUpstream?: Upstream): PreparedChat {
  const { route, body, caller, pathId } = call;
  const { settings } = core;
  admit(core, caller);
  const upstream = ownUpstream ?? chooseUpstream(settings.upstreams, route, body);
  const redactor = redactorFor(core, ownUpstream);
  const model = body.model ?? upstream.model;
  const id = `msg_${randomUUID()}`;
  const session = sessionOf(call);
  const conversation = session === undefined ? undefined : { owner: caller.subject, session };
  const userText = body.messages.findLast(({ role }) => role === 'user')?.content ?? '';

  return guardStore(core, () => {
    const history = readHistory(core, call, conversation);
    const memory = route.agent ? recall(core, caller, pathId ?? 'default', userText) : undefined;
    const messages = [...(memory?.messages ?? []), ...history, ...body.messages];
    const usesCache = !route.agent && ownUpstream === undefined;
    const cache = usesCache ? core.answers : undefined;
    const question = [caller.subject, upstream.name, model, messages, body.maxTokens, body.temperature];
    const key = cache === undefined ? '' : JSON.stringify(question);
    const cached = cache?.get(key);
    const metadata = {
      request_id: id,
      session_id: session,
      route: route.name,
      upstream: upstream.name,
      model,
      mode: body.mode,
      cached: cached !== undefined || undefined,
    };
    return {
      id,
      upstream,
      model: model ?? 'default',
      session,
      cache: cache && (cached === undefined ? 'miss' : 'hit'),
      store(options) {
        if (conversation === undefined) return undefined;
        if (userText !== '') guardStore(core, () => core.store.addUser(conversation, userText));
        return createWriter(core, conversation, model, options);
      },
      events(signal, mode, { bounds, onFailure }) {
        if (cached !== undefined) return fromArray([{ type: 'start', id, model }, ...cached]);
        const events = answer({
          bounds,
          onFailure,
          id,
          upstream,
          messages,
          signal,
          mode,
          tools: route.agent ? settings.tools : [],
          maxSteps: body.maxSteps,
          clock: settings.clock,
          model: body.model,
          maxTokens: body.maxTokens,
          temperature: body.temperature,
        });
        const redacted = redactor.active ? redactEvents(events, redactor) : events;
        return cache === undefined ? redacted : cache.record(key, redacted);
      },
      prologue: [{ type: 'metadata', data: metadata }, ...(memory?.events ?? [])],
    };
  });
}

/** The session in which the chat is stored; undefined if it is not stored. */
function sessionOf({ route, body, pathId }: ChatCall): string | undefined {
  switch (route.session) {
    case 'path':
      return pathId;
    case 'body':
      return body.sessionId ?? randomUUID();
    case 'none':
      return body.sessionId;
    default:
      return route.session satisfies never;
  }
}

/** Earlier messages of the conversation, for the model. */
function readHistory(
  { settings, store }: Core,
  { route, body }: ChatCall,
  conversation: Conversation | undefined,
): Message[] {
  const { historyMessages, bodyLimitBytes } = settings;
  // A session without a name from the caller is new.
  const known = route.session === 'path' || body.sessionId !== undefined;
  const wanted = route.history && !body.wholeConversation && historyMessages > 0;
  if (conversation === undefined || !known || !wanted) return [];
  return toHistory(store.messages(conversation, historyMessages, bodyLimitBytes));
}

function admit({ draining, streams, settings }: Core, { subject }: Caller): void {
  if (draining) {
    const headers = { 'retry-after': '5', connection: 'close' };
    throw new HttpError(503, 'shutting_down', 'the service is shutting down', { headers });
  }
  if (streams.active >= settings.maxStreams) {
    const headers = { 'retry-after': '1' };
    throw new HttpError(503, 'too_many_streams', `${settings.maxStreams} streams are active`, { headers });
  }
  const { maxStreamsPerUser } = settings;
  if (streams.activeOf(subject) >= maxStreamsPerUser) {
    throw tooManyRequests('too_many_streams', `${maxStreamsPerUser} streams of this user are active`, 1);
  }
}

/**
 * The upstream at an address that the caller names; undefined without one. Its client is closed by the caller of this
 * function. Throws an `HttpError` when the address is not allowed.
 */
export async function openOwnUpstream(
  { settings }: Core,
  { route, body }: ChatCall,
): Promise<Upstream | undefined> {
  if (body.endpoint === undefined) return undefined;
  return openCallerEndpoint(body.endpoint, route.choosesUpstream ? settings.allowedEndpoints : []);
}

/** Removes the operator's keys, and the caller's own key, from an answer. */
function redactorFor({ redactor, settings }: Core, ownUpstream: Upstream | undefined): Redactor {
  if (ownUpstream?.secrets === undefined) return redactor;
  return createRedactor([...settings.upstreams, ownUpstream].flatMap(({ secrets = [] }) => secrets));
}

/** The upstream of a request. Only the configured ones are possible, so no request can reach another address. */
function chooseUpstream(upstreams: readonly Upstream[], route: ChatRoute, body: ChatBody): Upstream {
  const [first] = upstreams;
  const wanted = body.upstream ?? first?.name;
  if (wanted !== first?.name && !route.choosesUpstream) {
    throw new HttpError(403, 'upstream_not_allowed', 'this endpoint has only one upstream', {
      problems: [{ path: 'upstream', message: 'leave it out' }],
    });
  }
  const upstream = upstreams.find(({ name }) => name === wanted);
  if (upstream === undefined) {
    throw new HttpError(
      403,
      'upstream_not_allowed',
      'the operator of this service does not allow that upstream',
      {
        problems: [{ path: 'upstream', message: `allowed: ${upstreams.map(({ name }) => name).join(', ')}` }],
      },
    );
  }
  const { models } = upstream;
  if (body.model !== undefined && models !== undefined && !models.includes(body.model)) {
    throw new HttpError(403, 'model_not_allowed', 'the operator of this service does not allow that model', {
      problems: [{ path: 'model', message: `allowed: ${models.join(', ')}` }],
    });
  }
  return upstream;
}

function recall(
  core: Core,
  caller: Caller,
  agent: string,
  userText: string,
): { messages: Message[]; events: StreamEvent[] } {
  const memory = updateMemory(readMemory(core.store.memory(caller.subject, agent)), userText);
  core.store.saveMemory(caller.subject, agent, memory);
  return { messages: memoryMessages(memory), events: [{ type: 'memory_update', data: memory }] };
}

/** The price of a model. Prices are by name: `prices` may have inherited properties. */
export function priceOf({ prices }: Pick<Settings, 'prices'>, model: string | undefined): Price | undefined {
  return model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
}

function createWriter(
  core: Core,
  conversation: Conversation,
  model: string | undefined,
  options: WriteOptions,
): AnswerWriter {
  const { store, metrics, log, settings } = core;
  return new AnswerWriter(
    {
      store,
      conversation,
      model,
      price: priceOf(settings, model),
      onWrite: () => metrics.storeWrite(),
      onError(error) {
        metrics.storeError();
        log.error(
          { session: conversation.session, error: errorMessage(error) },
          'the answer could not be stored',
        );
      },
    },
    options,
  );
}

/** Runs `work` on the message store. Throws an `HttpError` 503 when it fails. */
export function guardStore<T>(core: Core, work: () => T): T {
  try {
    return work();
  } catch (error) {
    core.metrics.storeError();
    core.log.error({ error: errorMessage(error) }, 'the message store failed');
    throw new HttpError(503, 'store_unavailable', 'the message store failed', {
      headers: { 'retry-after': '5' },
    });
  }
}
