import { randomUUID } from 'node:crypto';
import type { StreamEvent } from '../model/events.ts';
import type { Message } from '../model/request.ts';
import { type AnswerPlan, answer } from './agent/agent.ts';
import { memoryMessages, readMemory, remember } from './agent/memory.ts';
import type { Upstream } from './agent/upstream.ts';
import type { Core } from './core.ts';
import type { Caller } from './http/auth.ts';
import { HttpError } from './http/http-error.ts';
import type { ChatBody } from './http/requests.ts';
import type { ChatRoute } from './http/routes.ts';
import { tooMany } from './http/user-requests.ts';
import { asHistory, type Conversation } from './store.ts';
import { AnswerKeeper, type KeepOptions } from './stream/keeper.ts';
import { redactEvents } from './stream/redact-events.ts';

/** A chat request that was let in. */
export interface ChatCall {
  route: ChatRoute;
  caller: Caller;
  body: ChatBody;
  /** The `:id` of the path, where the route has one. */
  pathId?: string;
  /** When it came in, on the service's clock. */
  receivedAtMs: number;
}

/** A chat that is ready to be answered: its model is chosen, its history read. */
export interface PreparedChat {
  id: string;
  session?: string;
  model: string;
  upstream: Upstream;
  /**
   * Stores the user's message and gives a keeper for the answer; undefined where nothing is stored. Throws an
   * `HttpError` when the store fails: a conversation that cannot be stored is not begun.
   */
  store(options: KeepOptions): AnswerKeeper | undefined;
  /** Asks the model, and gives the events of its answer. */
  events(
    signal: AbortSignal,
    mode: AnswerPlan['mode'],
    watch: Pick<AnswerPlan, 'bounds' | 'onFailure'>,
  ): AsyncIterable<StreamEvent>;
  /** What is told right after the start. */
  prologue: readonly StreamEvent[];
}

/**
 * Readies a chat. Throws an `HttpError` when the service takes no more, the caller may not have the upstream or model
 * that was asked for, or the store cannot be read.
 */
export function prepareChat(core: Core, call: ChatCall): PreparedChat {
  const { route, body, caller, pathId } = call;
  const { settings } = core;
  admit(core, caller);
  const upstream = chooseUpstream(settings.upstreams, route, body);
  const model = body.model ?? upstream.model;
  const id = `msg_${randomUUID()}`;
  const session =
    route.session === 'path'
      ? pathId
      : (body.sessionId ?? (route.session === 'body' ? randomUUID() : undefined));
  const conversation: Conversation | undefined =
    session === undefined ? undefined : { owner: caller.subject, session };
  const asked = body.messages.findLast(({ role }) => role === 'user')?.content ?? '';

  return guardStore(core, () => {
    const known = route.session === 'path' || body.sessionId !== undefined;
    const useHistory =
      conversation !== undefined &&
      known &&
      route.history &&
      !body.wholeConversation &&
      settings.historyMessages > 0;
    const history = useHistory
      ? asHistory(core.store.messages(conversation, settings.historyMessages, settings.bodyLimitBytes))
      : [];
    const memory = route.agent ? recall(core, caller, pathId ?? 'default', asked) : undefined;
    const messages = [...(memory?.messages ?? []), ...history, ...body.messages];
    const told = {
      request_id: id,
      session_id: session,
      route: route.name,
      upstream: upstream.name,
      model,
      mode: body.mode,
    };
    return {
      id,
      upstream,
      model: model ?? 'default',
      session,
      store(options) {
        if (conversation === undefined) return undefined;
        if (asked !== '') guardStore(core, () => core.store.addUser(conversation, asked));
        return newKeeper(core, conversation, model, options);
      },
      events(signal, mode, { bounds, onFailure }) {
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
        return core.redactor.active ? redactEvents(events, core.redactor) : events;
      },
      prologue: [{ type: 'metadata', data: told }, ...(memory?.events ?? [])],
    };
  });
}

function admit({ draining, streams, settings }: Core, { subject }: Caller): void {
  if (draining) {
    const headers = { 'retry-after': '5', connection: 'close' };
    throw new HttpError(503, 'shutting_down', 'the service is shutting down', { headers });
  }
  if (streams.active >= settings.maxStreams) {
    const headers = { 'retry-after': '1' };
    throw new HttpError(503, 'too_many_streams', `${settings.maxStreams} streams are under way`, { headers });
  }
  const { maxStreamsPerUser } = settings;
  if (streams.activeOf(subject) >= maxStreamsPerUser) {
    throw tooMany('too_many_streams', `${maxStreamsPerUser} streams of this user are under way`, 1);
  }
}

/** The upstream of a request: only among those that the service was given, so no request can go anywhere else. */
function chooseUpstream(upstreams: readonly Upstream[], route: ChatRoute, body: ChatBody): Upstream {
  const first = upstreams[0]!;
  const wanted = body.upstream ?? first.name;
  if (wanted !== first.name && !route.choosesUpstream) {
    throw new HttpError(403, 'upstream_not_allowed', 'this endpoint has one upstream', {
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
  asked: string,
): { messages: Message[]; events: StreamEvent[] } {
  const memory = remember(readMemory(core.store.memory(caller.subject, agent)), asked);
  core.store.saveMemory(caller.subject, agent, memory);
  return { messages: memoryMessages(memory), events: [{ type: 'memory_update', data: memory }] };
}

function newKeeper(
  core: Core,
  conversation: Conversation,
  model: string | undefined,
  options: KeepOptions,
): AnswerKeeper {
  const { store, metrics, log } = core;
  return new AnswerKeeper(
    {
      store,
      conversation,
      model,
      onWrite: () => metrics.storeWrite(),
      onError(error) {
        metrics.storeError();
        log.error(
          { session: conversation.session, error: messageOf(error) },
          'an answer could not be stored',
        );
      },
    },
    options,
  );
}

/** Does work on the message store. Throws an `HttpError` 503 when it fails. */
export function guardStore<T>(core: Core, work: () => T): T {
  try {
    return work();
  } catch (error) {
    core.metrics.storeError();
    core.log.error({ error: messageOf(error) }, 'the message store failed');
    throw new HttpError(503, 'store_unavailable', 'the message store cannot be written', {
      headers: { 'retry-after': '5' },
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
