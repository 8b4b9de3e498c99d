import type { StreamEvent } from '../model/events.ts';
import { isPlainDialect, type Limits } from '../model/plan.ts';
import type { Decoder, Dialect } from '../wire/dialect.ts';
import { ByteBuffer } from '../wire/framing/buffers.ts';
import { FRAMINGS, type FrameParser, type FrameSink } from '../wire/framing/framings.ts';
import { PayloadTally } from '../wire/payload-paths.ts';
import type { ObservationBuilder } from './observation-builder.ts';
import type { LimitExceeded } from './outcome/evidence.ts';
import { looksStreamed } from './outcome/sniff.ts';

/** Wraps what a listener throws (`cause`), to tell it from a failure of the reader. */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';

  constructor(cause: unknown) {
    super('a listener threw', { cause });
  }
}

/** The same listeners; what they throw is wrapped in a `ListenerError`. */
export function guardListeners({ onEvents, onBytes, originAt }: BodyListeners): BodyListeners {
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

/** Reads a body: as frames while they arrive, or as one document at the end. */
export interface BodyReader {
  /** One read. The chunk may be overwritten when this has returned. */
  push(chunk: Uint8Array, atMs: number, read: number): void;
  /** `eofAt` is when the server ended the body; undefined when it was cut. */
  end(lastReadAt: number, eofAt: number | undefined): void;
}

/** Listeners to a body. */
export interface BodyListeners {
  /**
   * Called with the events of each frame, after they were counted. `atMs` is relative to `originAt`; `size` is the length of
   * the frame in characters.
   */
  onEvents?: (events: readonly StreamEvent[], atMs: number, read: number, size: number) => void;
  /** Called with the body bytes of each socket read, before they are decoded. */
  onBytes?: (chunk: Uint8Array) => void;
  /** Origin of the listeners' times, on the machine's clock. */
  originAt: number;
}

/** Limits of a body. Nothing is decoded after one is exceeded. */
export interface BodyLimits {
  limits: Limits;
  onExceeded(exceeded: LimitExceeded): void;
}

/** Reads a stream. */
export function streamReader(
  dialect: Dialect,
  builder: ObservationBuilder,
  listeners: BodyListeners,
  { limits, onExceeded }: BodyLimits,
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
      const events = decoder.decode(frame);
      builder.onFrame(events, atMs, read);
      onEvents?.(events, atMs - originAt, read, frame.data.length);
    },
    comment: () => builder.onComment(),
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
export function wholeReader(
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
      const body = bytes
        .view()
        .toString('utf8')
        .replace(/^\uFEFF/, '');
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
