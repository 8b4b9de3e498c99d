import { LINGER_MS } from '../client/deadline.ts';
import { joinBytes } from '../model/bytes.ts';
import { monotonicClock } from '../model/clock.ts';
import { errorMessage } from '../model/errors.ts';
import type { ErrorEvent, StreamEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import type { AnswerContext, Dialect, Encoder } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { FRAMINGS } from '../wire/framing/framings.ts';
import { AnswerNormalizer } from './normalizer.ts';

/** The events of one answer: an `AnswerStream` of the client, a generator, or a list. */
export type AnswerEvents = AsyncIterable<StreamEvent> | Iterable<StreamEvent>;

/** How events are encoded. */
export interface EncodeOptions {
  /** Name of a dialect, such as `anthropic`, or the dialect. */
  dialect: string | Dialect;
  /** Id of the answer. Default: the one of the `start` event, or a new one. */
  id?: string;
  /** Default: the one of the `start` event, or of the request. */
  model?: string;
  /** The request that is answered, for options that change the answer. Default: an answer that states its token counts. */
  request?: ChatRequest;
  /** Aborted when the reader goes away, for sources that cannot be stopped in another way. */
  stop?: AbortController;
  /** Called for each event that the dialect cannot express, such as reasoning in a text completion. Default: it is left out. */
  onLost?(event: StreamEvent): void;
}

/** Options of a response. */
export interface ResponseOptions extends EncodeOptions {
  /** False for one whole answer instead of a stream. Default: as the request says, or true. */
  stream?: boolean;
  /** Additional response headers. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Encodes events as a stream of bytes in a dialect. One event is one chunk, made when the reader asks for it, so a slow reader
 * slows the source down. Cancelling the stream ends the source. A source that throws, or ends without `complete`, becomes an
 * error event of the dialect; where the dialect has none (`raw`), the stream fails. Throws a `UserError` for an unknown dialect.
 */
export function encodeStream(events: AnswerEvents, options: EncodeOptions): ReadableStream<Uint8Array> {
  return streamOf(new EventReader(events, options.stop), options, dialectOf(options));
}

/**
 * Encodes events as a response in a dialect: a stream, or one whole answer. If the first event is an error, the response has an
 * error status (the status or the code of the event, else 502) and the dialect's error body. Rejects with a `UserError` for an
 * unknown dialect, and never with what the source throws.
 */
export async function encodeResponse(events: AnswerEvents, options: ResponseOptions): Promise<Response> {
  const dialect = dialectOf(options);
  const reader = new EventReader(events, options.stop);
  const { request, stream = request?.stream ?? true, headers = {} } = options;
  if (!stream) return wholeResponse(reader, options, dialect);
  const first = await reader.peek();
  if (first?.type === 'error') {
    reader.finish();
    return errorResponse(dialect, first, headers);
  }
  return new Response(streamOf(reader, options, dialect), {
    headers: {
      'content-type': FRAMINGS[dialect.framing].contentType,
      // A cache or a compressor on the way would hold events back.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...dialect.responseHeaders,
      ...headers,
    },
  });
}

/** An HTTP error in a dialect. */
export function errorResponse(
  dialect: Dialect,
  {
    message,
    code,
    status: given,
    rateLimited,
  }: Pick<ErrorEvent, 'message' | 'code' | 'status' | 'rateLimited'>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const known = String(given ?? code);
  const status = /^[45]\d\d$/.test(known) ? Number(known) : rateLimited ? 429 : 502;
  const { contentType, body } = dialect.encodeError(status, message);
  return new Response(body, { status, headers: { 'content-type': contentType, ...headers } });
}

async function wholeResponse(
  reader: EventReader,
  options: ResponseOptions,
  dialect: Dialect,
): Promise<Response> {
  const events: StreamEvent[] = [];
  const answer = new AnswerEncoder(options, dialect);
  for (let event = await reader.next(); event !== undefined; event = await reader.next()) {
    events.push(...answer.normal(event));
    if (answer.ended) break;
  }
  events.push(...answer.end());
  reader.finish();
  const failed = events.find((event) => event.type === 'error');
  if (failed !== undefined) return errorResponse(dialect, failed, options.headers);
  const { contentType, body } = dialect.encodeWhole(events, answer.context);
  return new Response(body, { headers: { 'content-type': contentType, ...options.headers } });
}

function dialectOf({ dialect }: EncodeOptions): Dialect {
  return typeof dialect === 'string' ? getDialect(dialect, { thinkTags: false }) : dialect;
}

function streamOf(reader: EventReader, options: EncodeOptions, dialect: Dialect): ReadableStream<Uint8Array> {
  const answer = new AnswerEncoder(options, dialect);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const event = await reader.next();
          const bytes = answer.encode(event === undefined ? answer.end() : answer.normal(event));
          if (bytes.byteLength > 0) controller.enqueue(bytes);
          if (answer.ended) {
            reader.finish();
            if (answer.failure === undefined) controller.close();
            else controller.error(new Error(answer.failure));
          }
          if (answer.ended || bytes.byteLength > 0) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead.
    { highWaterMark: 0 },
  );
}

/** Encodes the events of one answer, from the first one on. */
class AnswerEncoder {
  /** Set after the first event, which may have the id and the model. */
  context: AnswerContext;
  /** The message of an error that the dialect cannot express. */
  failure: string | undefined;
  private readonly dialect: Dialect;
  private readonly normalizer: AnswerNormalizer;
  private readonly framing;
  private encoder: Encoder | undefined;

  constructor(options: EncodeOptions, dialect: Dialect) {
    const { id = `answer-${crypto.randomUUID()}`, model, request, onLost = () => {} } = options;
    this.dialect = dialect;
    this.framing = FRAMINGS[dialect.framing];
    this.context = {
      id,
      model: model ?? request?.model ?? 'unknown',
      createdSeconds: Math.floor(monotonicClock.wallTime().getTime() / 1000),
      request: request ?? STATES_USAGE,
    };
    this.fixed = { id: options.id !== undefined, model: model !== undefined };
    this.normalizer = new AnswerNormalizer({ dialect, id: id.replaceAll(/[^\w-]/g, '_'), onLost });
  }

  private readonly fixed: { id: boolean; model: boolean };

  get ended(): boolean {
    return this.normalizer.ended;
  }

  normal(event: StreamEvent): readonly StreamEvent[] {
    if (event.type === 'start' && this.encoder === undefined) {
      const { id, model } = event;
      if (id !== undefined && !this.fixed.id) this.context.id = id;
      if (model !== undefined && !this.fixed.model) this.context.model = model;
    }
    return this.normalizer.push(event);
  }

  end(): readonly StreamEvent[] {
    return this.normalizer.end();
  }

  encode(events: readonly StreamEvent[]): Uint8Array {
    if (events.length === 0) return NOTHING;
    this.encoder ??= this.dialect.encoder(this.context);
    const parts: Uint8Array[] = [];
    for (const event of events) {
      const frames = this.encoder(event);
      if (event.type === 'error' && frames.length === 0) this.failure = event.message;
      for (const frame of frames) {
        const written = this.framing.write(frame);
        parts.push(typeof written === 'string' ? utf8.encode(written) : written);
      }
    }
    return joinBytes(parts);
  }
}

const NOTHING = new Uint8Array(0);
const utf8 = new TextEncoder();

/** OpenAI's dialects send token counts only to requests that ask for them. */
const STATES_USAGE: ChatRequest = {
  messages: [],
  stream: true,
  extra: { stream_options: { include_usage: true } },
};

/** How long a source may take to end after its last event, in ms. The client ends its own requests earlier. */
const SOURCE_END_MS = 2 * LINGER_MS;
/** How many events may follow the last one of an answer before the source is cancelled. */
const MAX_LATE_EVENTS = 16;

/** Reads a source one event at a time. What the source throws becomes an `error` event. */
class EventReader {
  private readonly source: AnswerEvents & { cancel?: (reason?: string) => void };
  private readonly iterator: AsyncIterator<StreamEvent> | Iterator<StreamEvent>;
  private readonly stop: AbortController | undefined;
  private peeked: { event: StreamEvent | undefined } | undefined;
  private over = false;

  constructor(source: AnswerEvents, stop: AbortController | undefined) {
    this.source = source;
    this.stop = stop;
    this.iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async peek(): Promise<StreamEvent | undefined> {
    this.peeked ??= { event: await this.read() };
    return this.peeked.event;
  }

  /** The next event; undefined at the end. */
  async next(): Promise<StreamEvent | undefined> {
    if (this.peeked === undefined) return this.read();
    const { event } = this.peeked;
    this.peeked = undefined;
    return event;
  }

  /**
   * The answer has ended: lets the source end too. A cancelled request would be observed as `cancelled`, and its connection could
   * not be used again. A source that does not end is cancelled.
   */
  finish(): void {
    if (this.over) return;
    const timer = setTimeout(() => this.cancel('the answer has ended'), SOURCE_END_MS);
    void this.drain().then(() => {
      clearTimeout(timer);
      this.cancel('the answer has ended');
    });
  }

  /** Ends the source, also while it waits for its next event: a generator handles `return` only after that. */
  cancel(reason: unknown): void {
    if (this.over) return;
    this.over = true;
    const text = typeof reason === 'string' ? reason : 'the reader left';
    this.stop?.abort(text);
    this.source.cancel?.(text);
    Promise.resolve(this.iterator.return?.()).catch(() => {});
  }

  private async drain(): Promise<void> {
    for (let events = 0; events < MAX_LATE_EVENTS && (await this.read()) !== undefined; events++);
  }

  private async read(): Promise<StreamEvent | undefined> {
    if (this.over) return undefined;
    try {
      const { done, value } = await this.iterator.next();
      if (!done) return value;
    } catch (error) {
      this.over = true;
      return { type: 'error', message: errorMessage(error) };
    }
    this.over = true;
    return undefined;
  }
}
