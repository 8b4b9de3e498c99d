import type { ServerResponse } from 'node:http';
import type { StreamEvent } from '../model/events.ts';
import { wireFormat } from '../wire/dialects.ts';
import type { AnswerContext, WireBody } from '../wire/format.ts';
import { FRAMINGS } from '../wire/framing.ts';
import { type ChatCall, type PreparedChat, prepareChat } from './chat.ts';
import type { Core } from './core.ts';
import { EventStream } from './event-stream.ts';
import { HttpError, type RefusalStatus } from './http-error.ts';
import type { KeepOptions } from './keeper.ts';
import type { Completion } from './metrics.ts';
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
  core.streams.add(out, { id: chat.id, route: call.route.name });
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
    out.stop('shutdown');
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
  let events: AsyncIterable<StreamEvent> | StreamEvent[] = chat.events(out.signal, body.mode);
  // The requests that came together are all passed on before the first of them is stored: what takes time here is done
  // while the models think.
  await new Promise((resolve) => setImmediate(resolve));
  const keeper = chat.store(keepOptions(core));
  if (body.mode === 'legacy') {
    // The old way, kept for comparison: not even the headers leave before the answer has been generated.
    events = rechunk(await collect(events), body.options.textBufferSize || LEGACY_CHUNK);
    const failure = failureOf(events);
    if (failure !== undefined && out.stopped === undefined) {
      keeper?.finish(`upstream_error: ${failure.message}`);
      finished(core, call, chat, 'upstream_error', failure.message);
      throw badGateway(failure);
    }
  }
  let bytes = false;
  let content = false;
  out.open({ ...headers, 'content-type': FRAMINGS.sse.contentType });
  const end = await relay({
    events,
    out,
    encode: wireFormat(route.dialect).encoder(context(core, call, chat)),
    ...(keeper === undefined ? {} : { keeper }),
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
  finished(core, call, chat, end.status, end.message);
}

async function whole(
  core: Core,
  call: ChatCall,
  chat: PreparedChat,
  out: EventStream,
  headers: Record<string, string>,
): Promise<ChatResponse> {
  const keeper = chat.store({ strategy: { kind: 'end' } });
  const events = [...chat.prologue, ...(await collect(chat.events(out.signal, 'legacy')))];
  for (const event of events) keeper?.add(event);
  const { stopped } = out;
  const failure = failureOf(events);
  if (stopped !== undefined) {
    keeper?.finish(stopped);
    finished(core, call, chat, stopped);
    if (stopped !== 'shutdown') return { kind: 'sent' };
    throw new HttpError(503, 'shutting_down', 'the service is shutting down');
  }
  if (failure !== undefined) {
    keeper?.finish(`upstream_error: ${failure.message}`);
    finished(core, call, chat, 'upstream_error', failure.message);
    throw badGateway(failure);
  }
  keeper?.finish();
  finished(core, call, chat, 'ok');
  const body = wireFormat(call.route.dialect).encodeWhole(events, context(core, call, chat));
  return { kind: 'whole', body, headers };
}

function keepOptions({ settings: { strategy, checkpointMs } }: Core): KeepOptions {
  return { strategy, ...(checkpointMs === undefined ? {} : { checkpointMs }) };
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

function failureOf(events: readonly StreamEvent[]) {
  const last = events.at(-1);
  return last?.type === 'error' ? last : undefined;
}

function badGateway({ message, code }: { message: string; code?: string }): HttpError {
  const status: RefusalStatus =
    code === 'rate_limited' || code === '429' ? 429 : code === 'timeout' ? 504 : 502;
  return new HttpError(status, 'upstream_error', `the model failed: ${message}`);
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
    ...(message === undefined ? {} : { message }),
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
