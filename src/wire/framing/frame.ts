/** How a byte stream is split into frames. */
export type FramingName = 'sse' | 'ndjson' | 'json-array' | 'aws-event-stream' | 'raw';

/** One frame: an SSE event or an NDJSON line. */
export interface Frame {
  /** The payload: the joined `data:` lines, or the line. */
  data: string;
  /** SSE event name, if sent. */
  event?: string;
  /** SSE id, if sent. */
  id?: string;
  /** The stream ended without a blank line or line feed after this frame, so the frame may be truncated. */
  incomplete?: true;
}

/** Receives the output of a frame parser. */
export interface FrameSink {
  frame(frame: Frame): void;
  /** An SSE comment, such as `: keep-alive`. */
  comment(text: string): void;
  /** SSE: the time before a client should connect again, in ms. */
  retry?(ms: number): void;
  /** A frame exceeds the parser's limit: it has at least `bytes` bytes. No more frames are delivered. */
  tooLarge?(bytes: number): void;
}

/** Splits one byte stream into frames. Each is delivered as soon as its last byte has been pushed. */
export interface FrameParser {
  /** `chunk` may be overwritten after this call. */
  push(chunk: Uint8Array): void;
  /** The stream has ended. Remaining data is delivered as a frame with `incomplete`. */
  end(): void;
}

/** Parses and writes the frames of one framing. */
export interface Framing {
  readonly name: FramingName;
  /** The value of the `content-type` header. */
  readonly contentType: string;
  /** `maxFrameBytes`: the largest frame, in bytes of UTF-8. Default: no limit. */
  parser(sink: FrameSink, maxFrameBytes?: number): FrameParser;
  /** Encodes a frame, as text if the framing is text. */
  write(frame: Frame): string | Uint8Array;
}
