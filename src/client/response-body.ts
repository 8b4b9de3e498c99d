import { textOfBytes } from '../model/bytes.ts';
import type { StreamEvent } from '../model/events.ts';
import { isPlainDialect, type Limits } from '../model/plan.ts';
import type { Decoder, Dialect } from '../wire/dialect.ts';
import { ByteBuffer } from '../wire/framing/buffers.ts';
import { FRAMINGS, type FrameParser, type FrameSink } from '../wire/framing/framings.ts';
import { PayloadTally } from '../wire/payload-paths.ts';
import type { EventIdTally } from './event-ids.ts';
import type { BodyListeners, ExchangeOptions } from './exchange-options.ts';
import { Inflater, isDecoded } from './inflater.ts';
import type { ObservationBuilder } from './observation-builder.ts';
import type { LimitExceeded } from './outcome/evidence.ts';
import { looksStreamed } from './outcome/sniff.ts';
import type { ResponseHeaders } from './transport/connection.ts';

/** Wraps what a listener throws (`cause`), to tell it from a failure of the reader. */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';

  constructor(cause: unknown) {
    super('a listener threw', { cause });
  }
}

/** Runs `decode` for bytes that came out of the decompressor, outside of any call to `push`. */
export type OnInflated = (decode: () => void, atMs: number) => void;

/** The body of one response: decompressed where necessary, then read as a stream or as one whole answer. */
export class ResponseBody {
  /** The limit that the body exceeds, if any. Nothing is decoded after that. */
  exceeded: LimitExceeded | undefined;
  private readonly builder: ObservationBuilder;
  private readonly limits: Limits;
  private readonly acceptEncoding: string | undefined;
  private readonly onInflated: OnInflated;
  private readonly reader: BodyReader;
  private inflater: Inflater | undefined;
  private succeeded = false;
  private ignoredBytes = 0;
  private lastReadAt = 0;

  constructor(
    options: ExchangeOptions & { limits: Limits },
    builder: ObservationBuilder,
    onInflated: OnInflated,
  ) {
    this.builder = builder;
    this.limits = options.limits;
    this.acceptEncoding = options.request.headers['accept-encoding'];
    this.onInflated = onInflated;
    const reader = options.stream ? streamReader : wholeReader;
    this.reader = reader(options.dialect, builder, guardListeners(options), {
      eventIds: options.eventIds,
      limits: options.limits,
      onExceeded: (exceeded) => (this.exceeded ??= exceeded),
    });
  }

  /** Call this with the response headers, before the first `push`. `succeeded`: the status is 2xx. */
  open(succeeded: boolean, headers: ResponseHeaders): void {
    this.succeeded = succeeded;
    if (succeeded) this.openInflater(headers['content-encoding']);
  }

  /** One read of the body. The chunk may be overwritten when this has returned. HOT PATH. */
  push(chunk: Uint8Array, atMs: number, read: number): void {
    this.lastReadAt = atMs;
    if (!this.succeeded) this.ignore(chunk);
    else if (this.inflater !== undefined) this.inflater.push(chunk, atMs, read);
    else this.reader.push(chunk, atMs, read);
  }

  /** Calls back when all bytes so far are decompressed: at once where the body is not compressed. */
  whenInflated(done: () => void): void {
    if (this.inflater === undefined) done();
    else this.inflater.end(done);
  }

  /** No more will come. `eofAt` is when the server ended the body; undefined when it was cut. */
  end(lastReadAt: number, eofAt: number | undefined): void {
    if (this.succeeded) this.reader.end(lastReadAt, eofAt);
  }

  close(): void {
    this.inflater?.close();
  }

  /** The body of an error response: only its beginning is kept, and it need not end. */
  private ignore(chunk: Uint8Array): void {
    const { bodyBytes: limitBytes } = this.limits;
    this.ignoredBytes += chunk.byteLength;
    if (this.ignoredBytes > limitBytes) {
      this.exceeded = { limit: 'body', limitBytes, receivedBytes: this.ignoredBytes };
    }
  }

  // Like a browser: a body is decompressed if the request accepts its encoding.
  private openInflater(encoding: string | string[] | undefined): void {
    const name = Array.isArray(encoding) ? encoding.join(',') : encoding;
    if (name === undefined || !isDecoded(name, this.acceptEncoding)) return;
    const { builder } = this;
    builder.onInflate();
    this.inflater = new Inflater(
      name,
      (bytes, atMs, read) =>
        this.onInflated(() => {
          builder.onInflated(bytes);
          this.reader.push(bytes, atMs, read);
        }, atMs),
      (message) => {
        if (builder.isFinished) return;
        builder.onEvents([{ type: 'error', message, malformed: true }], this.lastReadAt, 0);
      },
    );
  }
}

/** Reads a body: as frames while they arrive, or as one document at the end. */
interface BodyReader {
  /** One read. The chunk may be overwritten when this has returned. */
  push(chunk: Uint8Array, atMs: number, read: number): void;
  /** `eofAt` is when the server ended the body; undefined when it was cut. */
  end(lastReadAt: number, eofAt: number | undefined): void;
}

/** Limits of a body, after which nothing is decoded, and what follows its ids. */
interface BodyLimits {
  limits: Limits;
  eventIds?: EventIdTally;
  onExceeded(exceeded: LimitExceeded): void;
}

/** Reads a stream. */
function streamReader(
  dialect: Dialect,
  builder: ObservationBuilder,
  listeners: BodyListeners,
  { limits, onExceeded, eventIds }: BodyLimits,
): BodyReader {
  const { onEvents, onBytes, originAt } = listeners;
  const decoder: Decoder = dialect.decoder();
  let atMs = 0;
  let read = 0;
  const { eventBytes, streamBytes = Number.POSITIVE_INFINITY } = limits;
  let bytes = 0;
  // Only for the plain dialects: the others know where the text is.
  const payloads = isPlainDialect(dialect.name) && dialect.name !== 'raw' ? new PayloadTally() : undefined;
  const sink: FrameSink = {
    frame(frame) {
      // A listener may have ended the request, in the middle of a read.
      if (builder.isFinished) return;
      payloads?.add(frame.data);
      if (frame.id !== undefined && !frame.incomplete) eventIds?.add(frame.id);
      const events = decoder.decode(frame);
      builder.onFrame(events, atMs, read);
      onEvents?.(events, atMs - originAt, read, frame.data.length);
    },
    comment: () => builder.onComment(),
    retry: (ms) => {
      if (eventIds !== undefined) eventIds.retryMs = ms;
    },
    tooLarge: (receivedBytes) => onExceeded({ limit: 'event', limitBytes: eventBytes, receivedBytes }),
  };
  const parser: FrameParser = FRAMINGS[dialect.framing].parser(sink, eventBytes);
  return {
    push(chunk, at, number) {
      atMs = at;
      read = number;
      // A copy, because the listener may keep it.
      onBytes?.(Uint8Array.from(chunk));
      bytes += chunk.byteLength;
      parser.push(chunk);
      if (bytes > streamBytes) onExceeded({ limit: 'stream', limitBytes: streamBytes, receivedBytes: bytes });
    },
    end(lastReadAt, eofAt) {
      atMs = lastReadAt;
      parser.end();
      const facts = payloads?.result();
      if (facts !== undefined) builder.onPayloads(facts, dialect);
      for (const event of decoder.end()) {
        // A body that was cut did not end properly: an answer that only EOF completes stays incomplete.
        const at = event.type === 'complete' ? eofAt : lastReadAt;
        if (at === undefined) {
          if (event.type === 'complete') builder.onCutAfter(event);
          continue;
        }
        builder.onEvents([event], at, read);
        onEvents?.([event], at - originAt, read, 0);
      }
    },
  };
}

/** Reads one whole answer. */
function wholeReader(
  dialect: Dialect,
  builder: ObservationBuilder,
  listeners: BodyListeners,
  { limits: { bodyBytes }, onExceeded }: BodyLimits,
): BodyReader {
  const { onEvents, onBytes, originAt } = listeners;
  const bytes = new ByteBuffer();
  let read = 0;
  return {
    push(chunk, _at, number) {
      // A copy, because the listener may keep it.
      onBytes?.(Uint8Array.from(chunk));
      read = number;
      const receivedBytes = bytes.length + chunk.byteLength;
      if (receivedBytes > bodyBytes) onExceeded({ limit: 'body', limitBytes: bodyBytes, receivedBytes });
      else bytes.add(chunk);
    },
    end(at, eofAt) {
      if (eofAt === undefined || bytes.length === 0) return;
      const body = textOfBytes(bytes.view()).replace(/^\uFEFF/, '');
      // The server sent a stream instead of a whole answer: its figures must not count as those of a whole answer.
      if (!dialect.wholeIsStream && looksStreamed(body)) return;
      const events = [...dialect.decodeWhole(body)];
      // A whole document is complete, with or without a finish reason.
      if (events.some(isOfAnswer) && !events.some(({ type }) => type === 'complete' || type === 'error')) {
        events.push({ type: 'complete', finish: 'other' });
      }
      // One whole answer is one frame: its first token arrives with its last.
      builder.onFrame(events, at, read);
      onEvents?.(events, at - originAt, read, body.length);
    },
  };
}

function isOfAnswer({ type }: StreamEvent): boolean {
  return type !== 'unknown';
}

/** The same listeners; what they throw is wrapped in a `ListenerError`. */
function guardListeners({ onEvents, onBytes, originAt }: BodyListeners): BodyListeners {
  return {
    onEvents: onEvents && guarded(onEvents),
    onBytes: onBytes && guarded(onBytes),
    originAt,
  };
}

function guarded<Args extends unknown[]>(listener: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      throw new ListenerError(error);
    }
  };
}
