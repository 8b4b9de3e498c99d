import { errorMessage, UserError } from '../model/errors.ts';
import { formatSizeLimit } from '../model/format.ts';
import { DEFAULT_LIMITS } from '../model/plan.ts';
import { FRAMINGS, type FrameSink } from '../wire/framing/framings.ts';
import { lastEventIdHeader } from './event-ids.ts';
import { waitUnlessAborted } from './resumption.ts';

/** How the data of each event type is decoded. The keys are the types that are delivered. */
export type EventDecoders = Readonly<Record<string, (data: string) => unknown>>;

/** One event. `data` is what its decoder returned; without decoders, the text. */
export type ServerEvent<D extends EventDecoders = EventDecoders> = {
  [Type in keyof D & string]: {
    /** The `event` field; `message` if there was none. */
    type: Type;
    data: ReturnType<D[Type]>;
    /** The last id that the server sent so far; empty if there was none. */
    id: string;
  };
}[keyof D & string];

/** Event with any type and its data as text. */
export interface TextEvent {
  type: string;
  data: string;
  id: string;
}

/** Settings of an event source. */
export interface EventSourceSettings {
  headers?: Readonly<Record<string, string>>;
  /** Continue after this event. Default: from the beginning. */
  lastEventId?: string;
  /** Time between connections in ms, until the server sets it (`retry:`). Default: 3,000. */
  retryMs?: number;
  /** How many connections in a row may fail before iteration throws. Default: no limit, as in browsers. */
  maxFailures?: number;
  /** Ends the source, as `close()` does. */
  signal?: AbortSignal;
  /** Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/**
 * The server's answer is not an event stream, an event is larger than 16 MiB, or too many connections failed. The source does not
 * connect again.
 */
export class EventSourceError extends Error {
  override readonly name = 'EventSourceError';
  /** HTTP status; undefined if no connection could be made. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

const RETRY_MS = 3_000;

/**
 * The events of a URL that sends Server-Sent Events, as a browser's `EventSource` reads them: when a connection ends or
 * breaks, the next one continues with `Last-Event-ID` after the server's `retry` time. Status 204 ends the iteration. Any
 * other status but 200, or another content type, makes it throw an `EventSourceError`. Connects when it is iterated.
 */
export class EventSourceStream<E> implements AsyncIterable<E>, AsyncDisposable {
  /** The id that the next connection continues after; empty if the server sent none. */
  lastEventId: string;
  /** Connections that were opened so far. */
  connections = 0;
  private readonly url: string;
  private readonly settings: EventSourceSettings;
  private readonly decode: (event: TextEvent) => E | undefined;
  private readonly stop = new AbortController();
  private readonly signal: AbortSignal;
  private retryMs: number;
  private isIterated = false;

  constructor(url: string, settings: EventSourceSettings, decode: (event: TextEvent) => E | undefined) {
    checkTarget(url, settings);
    this.url = url;
    this.settings = settings;
    this.decode = decode;
    this.lastEventId = settings.lastEventId ?? '';
    this.retryMs = settings.retryMs ?? RETRY_MS;
    const { signal } = settings;
    this.signal = signal === undefined ? this.stop.signal : AbortSignal.any([signal, this.stop.signal]);
  }

  /** Closes the connection. The iteration ends. */
  close(): void {
    this.stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Iterate once: leaving the loop closes the source. A slow loop slows the server down. */
  async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    if (this.isIterated) throw new Error('an event source can be iterated once: make another one');
    this.isIterated = true;
    const { maxFailures = Number.POSITIVE_INFINITY } = this.settings;
    let failures = 0;
    try {
      while (!this.signal.aborted) {
        try {
          const response = await this.connect();
          if (response === undefined) return;
          failures = 0;
          yield* this.read(response);
        } catch (error) {
          if (this.signal.aborted) return;
          if (error instanceof EventSourceError || error instanceof DecoderError) throw causeOf(error);
          failures++;
          if (failures >= maxFailures) {
            throw new EventSourceError(`${failures} connections in a row failed`, undefined, error);
          }
        }
        if (!(await waitUnlessAborted(this.retryMs, this.signal))) return;
      }
    } finally {
      this.close();
    }
  }

  /** Undefined if the server has no more events (204). */
  private async connect(): Promise<Response | undefined> {
    const { headers, fetch = globalThis.fetch } = this.settings;
    this.connections++;
    const response = await fetch(this.url, {
      headers: {
        accept: 'text/event-stream',
        'cache-control': 'no-store',
        ...headers,
        ...(this.lastEventId !== '' && { 'last-event-id': lastEventIdHeader(this.lastEventId) }),
      },
      signal: this.signal,
    });
    const { status } = response;
    if (status === 204) return undefined;
    const type = response.headers.get('content-type') ?? '';
    const isStream = /^\s*text\/event-stream\s*(;|$)/i.test(type);
    if (status === 200 && isStream && response.body !== null) return response;
    await response.body?.cancel();
    throw new EventSourceError(
      status === 200
        ? `the answer is not an event stream (content-type: ${type || 'none'})`
        : `the server answered with status ${status}`,
      status,
    );
  }

  private async *read({ body }: Response): AsyncGenerator<E, void, undefined> {
    const maxBytes = DEFAULT_LIMITS.eventBytes;
    let events: E[] = [];
    const sink: FrameSink = {
      frame: ({ data, event, id, incomplete }) => {
        // An event without the empty line at its end is discarded.
        if (incomplete) return;
        if (id !== undefined) this.lastEventId = id;
        const decoded = this.decode({ type: event ?? 'message', data, id: this.lastEventId });
        if (decoded !== undefined) events.push(decoded);
      },
      comment() {},
      retry: (ms) => {
        this.retryMs = ms;
      },
      tooLarge() {
        throw new EventSourceError(`an event is larger than ${formatSizeLimit(maxBytes)}`, 200);
      },
    };
    const parser = FRAMINGS.sse.parser(sink, maxBytes);
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      parser.push(chunk);
      const ready = events;
      events = [];
      yield* ready;
    }
  }
}

/** Throws for what would fail on every connection. A relative URL is valid where the page has an address. */
function checkTarget(url: string, { headers }: EventSourceSettings): void {
  const { location } = globalThis as { location?: { href: string } };
  if (!URL.canParse(url, location?.href)) {
    throw new UserError('usage', {
      message: `invalid URL ${JSON.stringify(url)}`,
      hint: 'give an absolute URL, such as https://example.com/events',
    });
  }
  try {
    new Headers(headers);
  } catch (error) {
    throw new UserError('usage', { message: `invalid header: ${errorMessage(error)}` });
  }
}

/** An exception of a decoder of the user: it ends the iteration. */
class DecoderError extends Error {}

function causeOf(error: Error): unknown {
  return error instanceof DecoderError ? error.cause : error;
}

/**
 * Reads the events of any URL that sends Server-Sent Events; see `EventSourceStream`. With `events`, only the types that it
 * names are delivered, each with its data decoded and typed: `eventSource(url, { events: { tick: Number, done: String } })`.
 * Throws a `UserError` for an invalid URL or header.
 */
export function eventSource(url: string, settings?: EventSourceSettings): EventSourceStream<TextEvent>;
export function eventSource<D extends EventDecoders>(
  url: string,
  settings: EventSourceSettings & { events: D },
): EventSourceStream<ServerEvent<D>>;
export function eventSource(
  url: string,
  { events, ...settings }: EventSourceSettings & { events?: EventDecoders } = {},
): EventSourceStream<unknown> {
  return new EventSourceStream<unknown>(url, settings, (event) => {
    if (events === undefined) return event;
    const decoder = Object.hasOwn(events, event.type) ? events[event.type] : undefined;
    if (decoder === undefined) return undefined;
    try {
      return { ...event, data: decoder(event.data) };
    } catch (error) {
      throw new DecoderError('a decoder threw', { cause: error });
    }
  });
}
