import type { ServerResponse } from 'node:http';
import type { ErrorEvent, StreamEvent } from '../../model/events.ts';
import type { AnswerContext, WireBody } from '../../wire/dialect.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { UpstreamFailure } from '../agent/upstream.ts';
import { type ChatCall, type PreparedChat, prepareChat } from '../chat.ts';
import type { Core } from '../core.ts';
import { describeError, HttpError } from '../http/http-error.ts';
import type { Completion } from '../service-metrics.ts';
import { AnswerBounds } from './answer-bounds.ts';
import { EventStream } from './event-stream.ts';
import { firstEvent, stoppedEarly, upstreamFailed } from './failure.ts';
import type { AnswerKeeper, KeepOptions } from './keeper.ts';
import { type RelayCounts, relay } from './relay.ts';
import { rechunk } from './shape.ts';

/** A whole answer, still to be sent by the caller, or `sent` when the response has been written here. */
export type ChatResponse =
  | { kind: 'whole'; body: WireBody; headers: Record<string, string> }
  | { kind: 'sent' };

// What a legacy service cuts its finished answer into, where the caller does not say.
const LEGACY_CHUNK = 20;

/**
 * Answers a chat on `res`: as a stream, or as a whole that is returned. `headers` are added to those of a stream. Throws
 * an `HttpError` while nothing has been sent; what fails later is told inside the stream.
 */
export async function respond(
  core: Core,
  call: ChatCall,
  res: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<ChatResponse> {
  const chat = prepareChat(core, call);
  const out = new EventStream(res, core.settings.clock);
  core.streams.add(out, { id: chat.id, route: call.route.name, subject: call.caller.subject });
  try {
    const ids = {
      'x-request-id': chat.id,
      ...(chat.session === undefined ? {} : { 'x-session-id': chat.session }),
    };
    if (!call.route.stream || !call.body.stream) return await whole(core, call, chat, out, ids);
    await stream(core, call, chat, out, { ...headers, ...ids });
    return { kind: 'sent' };
  } catch (error) {
    // The model may be answering already.
    out.stop('internal_error');
    throw error;
  } finally {
    out.end();
    core.streams.delete(out);
  }
}

async function stream(
  core: Core,
  call: ChatCall,
  chat: PreparedChat,
  out: EventStream,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { metrics, settings, log } = core;
  const { route, receivedAtMs, body } = call;
  const { clock } = settings;
  const watch = watchOf(core, out);
  let events = chat.events(out.signal, body.mode, watch);
  // The requests that came together are all passed on before the first of them is stored: what takes time here is done
  // while the models think.
  await new Promise((resolve) => setImmediate(resolve));
  const keeper = chat.store(keepOptions(core));
  let late = false;
  try {
    let first: StreamEvent | undefined;
    if (body.mode === 'legacy') {
      // The old way, kept for comparison: not even the headers leave before the answer has been generated.
      const all = rechunk(await collect(events), body.options.textBufferSize || LEGACY_CHUNK);
      first = failureOf(all);
      events = fromArray(all);
    } else {
      // Until the model has begun its failure can still be a status; but no proxy on the way may wait too long.
      ({ first, events, late } = await firstEvent(events, settings.keepAliveMs));
    }
    if (first?.type === 'error' && !isGone(out)) {
      throwFailure(core, call, chat, { out, keeper, event: first, watch });
    }
  } catch (error) {
    if (!(error instanceof HttpError)) {
      keeper?.finish('internal_error');
      finished(core, call, chat, 'internal_error');
    }
    throw error;
  }
  let bytes = false;
  let content = false;
  out.open({ ...headers, 'content-type': FRAMINGS.sse.contentType });
  if (late) out.keepAlive();
  const end = await relay({
    events,
    out,
    encode: getDialect(route.dialect).encoder(context(core, call, chat)),
    keeper,
    options: body.mode === 'legacy' ? { ...body.options, textBufferSize: 0 } : body.options,
    prologue: chat.prologue,
    epilogue: (counts) => ({ type: 'metadata', data: toldCounts(counts) }),
    debug: route.debug,
    clock,
    receivedAtMs,
    onSent(hasContent) {
      if (!bytes) metrics.firstByte(route.name, clock.now() - receivedAtMs);
      bytes = true;
      if (!hasContent) return;
      metrics.chunk();
      if (!content) metrics.firstToken(route.name, clock.now() - receivedAtMs);
      content = true;
    },
  });
  if (route.debug) out.write(`: ${JSON.stringify(toldCounts(end))}\n\n`);
  log.debug({ id: chat.id, ...toldCounts(end) }, 'stream counts');
  if (end.fault !== undefined)
    log.error({ id: chat.id, error: describeError(end.fault) }, 'an answer failed here');
  finished(core, call, chat, end.status, end.message);
}

async function whole(
  core: Core,
  call: ChatCall,
  chat: PreparedChat,
  out: EventStream,
  headers: Record<string, string>,
): Promise<ChatResponse> {
  const watch = watchOf(core, out);
  const keeper = chat.store({ strategy: { kind: 'end' } });
  try {
    const events = [...chat.prologue, ...(await collect(chat.events(out.signal, 'legacy', watch)))];
    for (const event of events) keeper?.add(event);
    const event = failureOf(events);
    if (event !== undefined || out.stopped !== undefined) {
      throwFailure(core, call, chat, { out, keeper, event, watch });
    }
    const body = getDialect(call.route.dialect).encodeWhole(events, context(core, call, chat));
    keeper?.finish();
    finished(core, call, chat, 'ok');
    return { kind: 'whole', body, headers };
  } catch (error) {
    if (error instanceof HttpError) {
      if (isGone(out)) return { kind: 'sent' };
    } else {
      keeper?.finish('internal_error');
      finished(core, call, chat, 'internal_error');
    }
    throw error;
  }
}

function isGone({ stopped }: EventStream): boolean {
  return stopped === 'client_gone' || stopped === 'client_stalled';
}

/** What is learnt about an answer beside its events. */
interface AnswerWatch {
  bounds: AnswerBounds;
  onFailure(failure: UpstreamFailure): void;
  failure?: UpstreamFailure;
}

function watchOf({ settings }: Core, out: EventStream): AnswerWatch {
  const watch: AnswerWatch = {
    bounds: new AnswerBounds(settings, () => out.stop('too_large')),
    onFailure: (failure) => (watch.failure = failure),
  };
  return watch;
}

interface FailedAnswer {
  out: EventStream;
  keeper: AnswerKeeper | undefined;
  /** The model's own error; where the stream was stopped, the reason for that counts. */
  event?: ErrorEvent;
  watch: AnswerWatch;
}

/** Ends an answer that failed before a byte of it was sent: it is stored, counted and refused. */
function throwFailure(
  core: Core,
  call: ChatCall,
  chat: PreparedChat,
  { out, keeper, event, watch }: FailedAnswer,
): never {
  const { stopped } = out;
  if (stopped === undefined && event !== undefined) {
    keeper?.finish(`upstream_error: ${event.message}`);
    finished(core, call, chat, 'upstream_error', event.message);
    throw upstreamFailed(event, watch.failure);
  }
  const reason = stopped ?? 'internal_error';
  keeper?.finish(reason);
  finished(core, call, chat, reason);
  throw stoppedEarly(reason);
}

function keepOptions({ settings: { strategy, checkpointMs } }: Core): KeepOptions {
  return { strategy, checkpointMs };
}

function context(core: Core, call: ChatCall, chat: PreparedChat): AnswerContext {
  const { clock } = core.settings;
  return {
    id: chat.id,
    model: chat.model,
    createdSeconds: Math.floor(clock.wallTime().getTime() / 1000),
    elapsedMs: () => Math.round(clock.now() - call.receivedAtMs),
  };
}

async function collect(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const all: StreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function* fromArray(events: readonly StreamEvent[]): AsyncGenerator<StreamEvent> {
  yield* events;
}

function failureOf(events: readonly StreamEvent[]): ErrorEvent | undefined {
  const last = events.at(-1);
  return last?.type === 'error' ? last : undefined;
}

function finished(
  core: Core,
  call: ChatCall,
  chat: PreparedChat,
  status: Completion,
  message?: string,
): void {
  const { metrics, log, settings } = core;
  const { route, receivedAtMs } = call;
  metrics.completed(route.name, status);
  const entry = {
    id: chat.id,
    route: route.name,
    upstream: chat.upstream.name,
    status,
    ms: Math.round(settings.clock.now() - receivedAtMs),
    message,
  };
  if (status === 'upstream_error') log.warn(entry, 'answer failed');
  else log.info(entry, 'answer ended');
}

function toldCounts({ chunks, characters, firstTokenMs, elapsedMs }: RelayCounts): object {
  return {
    chunks,
    characters,
    first_token_ms: firstTokenMs === undefined ? null : Math.round(firstTokenMs * 10) / 10,
    elapsed_ms: Math.round(elapsedMs * 10) / 10,
  };
}
