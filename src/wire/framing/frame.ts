/** How a byte stream is cut into frames. */
export type FramingName = 'sse' | 'ndjson' | 'json-array' | 'aws-event-stream' | 'raw';

/** One frame: an SSE event or an NDJSON line. */
export interface Frame {
  /** The payload: the joined `data:` lines, or the line. */
  data: string;
  /** SSE event name, where one was sent. */
  event?: string;
  /** SSE id, where one was sent. */
  id?: string;
  /** The stream ended inside this frame: no blank line, or no line feed, after it. It may have been cut. */
  incomplete?: true;
}

/** Receives what a frame parser finds. */
export interface FrameSink {
  frame(frame: Frame): void;
  /** An SSE comment, such as `: keep-alive`. */
  comment(text: string): void;
  /** A frame is larger than the parser's limit: it has at least so many bytes. Neither it nor anything after it is delivered. */
  tooLarge?(bytes: number): void;
}

/** Cuts one byte stream into frames; each is delivered as soon as its last byte has been pushed. */
export interface FrameParser {
  /** `chunk` may be overwritten when this has returned. */
  push(chunk: Uint8Array): void;
  /** The stream has ended. What is left over is delivered with `incomplete`. */
  end(): void;
}

/** One way to cut and to write frames. */
export interface Framing {
  readonly name: FramingName;
  /** What a server says in `content-type`. */
  readonly contentType: string;
  /** `maxFrameBytes`: the largest frame that is kept in memory, in bytes of UTF-8. Default: no limit. */
  parser(sink: FrameSink, maxFrameBytes?: number): FrameParser;
  /** The bytes of a frame, as text where the framing is text. */
  write(frame: Frame): string | Uint8Array;
}

/** True when a text takes more bytes than `maxBytes`. Cheap for texts that are clearly smaller. */
export function isLarger(text: string, maxBytes: number): boolean {
  return text.length * MOST_BYTES_PER_UNIT > maxBytes && Buffer.byteLength(text) > maxBytes;
}

// A UTF-16 code unit takes at most three bytes of UTF-8.
const MOST_BYTES_PER_UNIT = 3;
