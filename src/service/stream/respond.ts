import type { ErrorEvent, StreamEvent, UsageEvent } from '../../model/events.ts';
import type { AnswerContext, WireBody } from '../../wire/dialect.ts';
import { getDialect } from '../../wire/dialects/index.ts';
import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { Upstream, UpstreamFailure } from '../agent/upstream.ts';
import { type ChatCall, openOwnUpstream, type PreparedChat, prepareChat, priceOf } from '../chat.ts';
import type { Core } from '../core.ts';
import { HttpError } from '../http/http-error.ts';
import { describeError } from '../logger.ts';
import type { Completion } from '../service-metrics.ts';
import { usageOf } from '../usage-cost.ts';
import { AnswerBounds } from './answer-bounds.ts';
import { answerEncoder } from './answer-encoder.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { coalesce } from './coalesce.ts';
import { EventStream, type StreamResponse } from './event-stream.ts';
import { type AnswerStart, firstEvent, stoppedEarly, upstreamFailed } from './failure.ts';
import { type RelayCounts, relay } from './relay.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import { fromArray, rechunk } from './shape.ts';

/** An answer that the caller has to send, or `sent` when the response has been written here. */
export type ChatResponse =
  | { kind: 'whole'; body: WireBody; headers: Record<string, string> }
  | { kind: 'sent' /** The answer is complete. */; ok: boolean };

// Characters per chunk of a legacy answer, where the caller gives no number.
const LEGACY_CHUNK = 20;

/** What one answer needs, from the request to its end. */
interface Answering {
  core: Core;
  call: ChatCall;
  chat: PreparedChat;
  out: EventStream;
  bounds: AnswerBounds;
  onFailure(failure: UpstreamFailure): void;
  /** Set by `onFailure`. */
  failure?: UpstreamFailure;
  /** The last token counts of the model. */
  usage?: UsageEvent;
  /** Undefined until the chat has been stored, and if it is not stored. */
  writer?: AnswerWriter;
}

/**
 * Answers a chat: streams it to `res`, or returns the whole answer. `headers` are added to those of a stream. Throws an
 * `HttpError` as long as nothing has been sent; a later failure is an `error` event in the stream.
 */
export async function respond(
  core: Core,
  call: ChatCall,
  res: StreamResponse,
  headers: Readonly<Record<string, string>>,
): Promise<ChatResponse> {
  const ownUpstream = await openOwnUpstream(core, call);
  try {
    return await respondFrom(core, call, ownUpstream, res, headers);
  } finally {
    ownUpstream?.client.close();
  }
}

async function respondFrom(
  core: Core,
  call: ChatCall,
  ownUpstream: Upstream | undefined,
  res: StreamResponse,
  headers: Readonly<Record<string, string>>,
): Promise<ChatResponse> {
  const chat = prepareChat(core, call, ownUpstream);
  const { clock, resumeBytes, maxConnectionMs } = core.settings;
  const isStreamed = call.route.stream && call.body.stream;
  const replay = isStreamed && call.body.resumable ? new ReplayBuffer(chat.id, resumeBytes) : undefined;
  const out = new EventStream(res, clock, replay, maxConnectionMs);
  core.streams.add(out, {
    id: chat.id,
    route: call.route.name,
    subject: call.caller.subject,
    session: chat.session,
    ticket: call.ticket,
  });
  const answering: Answering = {
    core,
    call,
    chat,
    out,
    bounds: new AnswerBounds(core.settings, () => out.stop('too_large')),
    onFailure: (failure) => (answering.failure = failure),
  };
  const timeoutMs = call.body.timeoutMs ?? call.route.timeoutMs;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => out.stop('timeout'), timeoutMs);
  try {
    const ids: Record<string, string> = { 'x-request-id': chat.id };
    if (chat.session !== undefined) ids['x-session-id'] = chat.session;
    if (chat.cache !== undefined) ids['x-answer-cache'] = chat.cache;
    if (!isStreamed) return await answerWhole(answering, ids);
    return { kind: 'sent', ok: await answerStreamed(answering, { ...headers, ...ids }) };
  } catch (error) {
    // The model may still be sending its answer.
    out.stop('internal_error');
    throw error;
  } finally {
    clearTimeout(timer);
    out.end();
    core.streams.delete(out);
  }
}

/** Returns true for a complete answer. */
async function answerStreamed(
  answering: Answering,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { core, call, chat, out } = answering;
  const { metrics, settings, log } = core;
  const { route, receivedAtMs, body } = call;
  const { clock } = settings;
  const { events: started, late } = await startAnswer(answering);
  const { textBufferMs } = body.options;
  const events = textBufferMs > 0 && body.mode === 'real' ? coalesce(started, textBufferMs) : started;
  let bytes = false;
  let content = false;
  out.open({ ...headers, 'content-type': FRAMINGS.sse.contentType }, call.compression);
  if (late) out.keepAlive();
  const end = await relay({
    events,
    out,
    encode: answerEncoder(
      route,
      { compat: call.compat, promptId: call.promptId, ...body },
      answerContext(answering),
    ),
    writer: answering.writer,
    options: body.mode === 'legacy' ? { ...body.options, textBufferSize: 0 } : body.options,
    prologue: chat.prologue,
    epilogue: (counts) => ({ type: 'metadata', data: countsJson(counts) }),
    debug: route.debug,
    clock,
    receivedAtMs,
    onUsage: (event) => (answering.usage = event),
    onSent(hasContent) {
      if (!bytes) metrics.firstByte(route.name, clock.now() - receivedAtMs);
      bytes = true;
      if (!hasContent) return;
      metrics.chunk();
      if (!content) metrics.firstToken(route.name, clock.now() - receivedAtMs);
      content = true;
    },
  });
  if (route.debug) out.write(`: ${JSON.stringify(countsJson(end))}\n\n`);
  log.debug({ id: chat.id, ...countsJson(end) }, 'stream counts');
  if (end.fault !== undefined) {
    log.error({ id: chat.id, error: describeError(end.fault) }, 'the service failed during an answer');
  }
  recordCompletion(answering, end.status, end.message);
  return end.status === 'ok';
}

/**
 * Sends the request to the model, stores the user's message, and waits for the start of the answer. Throws an `HttpError`
 * when the model fails before it.
 */
async function startAnswer(answering: Answering): Promise<AnswerStart> {
  const { core, call, chat, out } = answering;
  const { settings } = core;
  const { mode, options } = call.body;
  const events = chat.events(out.signal, mode, answering);
  // All requests of this turn of the event loop are sent to their models before the first of them is stored: the store
  // then works while the models do.
  await new Promise((resolve) => setImmediate(resolve));
  const { strategy, checkpointMs } = settings;
  answering.writer = chat.store({ strategy, checkpointMs });
  try {
    let start: AnswerStart;
    if (mode === 'legacy') {
      // As legacy services do: not even the headers are sent before the answer is complete.
      const all = rechunk(await collect(events), options.textBufferSize || LEGACY_CHUNK);
      start = { first: failureOf(all), late: false, events: fromArray(all) };
    } else {
      // A failure before the first event can still be an HTTP status. The wait is limited, because proxies time out.
      start = await firstEvent(events, settings.keepAliveMs);
    }
    // A timeout and a cancellation are reported in the stream, whenever they come.
    const reported = isGone(out) || out.stopped === 'timeout' || out.stopped === 'cancelled';
    if (start.first?.type === 'error' && !reported) throw failureBeforeStart(answering, start.first);
    return start;
  } catch (error) {
    if (!(error instanceof HttpError)) {
      answering.writer?.finish('internal_error');
      recordCompletion(answering, 'internal_error');
    }
    throw error;
  }
}

async function answerWhole(answering: Answering, headers: Record<string, string>): Promise<ChatResponse> {
  const { call, chat, out } = answering;
  const writer = chat.store({ strategy: { kind: 'end' } });
  answering.writer = writer;
  try {
    const events = [...chat.prologue, ...(await collect(chat.events(out.signal, 'legacy', answering)))];
    for (const event of events) {
      writer?.add(event);
      if (event.type === 'usage') answering.usage = event;
    }
    const error = failureOf(events);
    if (error !== undefined || out.stopped !== undefined) throw failureBeforeStart(answering, error);
    const body = getDialect(call.route.dialect).encodeWhole(events, answerContext(answering));
    writer?.finish();
    recordCompletion(answering, 'ok');
    return { kind: 'whole', body, headers };
  } catch (error) {
    if (error instanceof HttpError) {
      if (isGone(out)) return { kind: 'sent', ok: false };
    } else {
      writer?.finish('internal_error');
      recordCompletion(answering, 'internal_error');
    }
    throw error;
  }
}

function isGone({ stopped }: EventStream): boolean {
  return stopped === 'client_gone' || stopped === 'client_stalled';
}

/**
 * Stores and records an answer that failed before a byte of it was sent, and returns the refusal. `event` is the model's
 * own error. If the stream was stopped, the reason for that counts instead.
 */
function failureBeforeStart(answering: Answering, event: ErrorEvent | undefined): HttpError {
  const { out, writer, failure } = answering;
  const { stopped } = out;
  if (stopped === undefined && event !== undefined) {
    writer?.finish(`upstream_error: ${event.message}`);
    recordCompletion(answering, 'upstream_error', event.message);
    return upstreamFailed(event, failure);
  }
  const reason = stopped ?? 'internal_error';
  writer?.finish(reason);
  recordCompletion(answering, reason);
  return stoppedEarly(reason);
}

function answerContext({ core, call, chat }: Answering): AnswerContext {
  const { clock } = core.settings;
  return {
    id: chat.id,
    model: chat.model,
    createdSeconds: Math.floor(clock.wallTime().getTime() / 1000),
    agentId: call.route.agent ? call.pathId : undefined,
    elapsedMs: () => Math.round(clock.now() - call.receivedAtMs),
  };
}

async function collect(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const all: StreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function failureOf(events: readonly StreamEvent[]): ErrorEvent | undefined {
  const last = events.at(-1);
  return last?.type === 'error' ? last : undefined;
}

/** Counts and logs the end of an answer. */
function recordCompletion(
  { core, call, chat, usage }: Answering,
  status: Completion,
  message?: string,
): void {
  const { metrics, log, settings } = core;
  const { route, receivedAtMs } = call;
  metrics.completed(route.name, status);
  if (chat.cache !== undefined) metrics.cacheLookup(chat.cache);
  const counted = usage === undefined ? undefined : usageOf(usage, priceOf(settings, chat.model));
  if (counted !== undefined) metrics.usage(route.name, counted);
  const entry = {
    id: chat.id,
    route: route.name,
    upstream: chat.upstream.name,
    status,
    ms: Math.round(settings.clock.now() - receivedAtMs),
    message,
    ...counted,
  };
  if (status === 'upstream_error') log.warn(entry, 'answer failed');
  else log.info(entry, 'answer ended');
}

function countsJson({ chunks, characters, firstTokenMs, elapsedMs }: RelayCounts): object {
  return {
    chunks,
    characters,
    first_token_ms: firstTokenMs === undefined ? null : Math.round(firstTokenMs * 10) / 10,
    elapsed_ms: Math.round(elapsedMs * 10) / 10,
  };
}
