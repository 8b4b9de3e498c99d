/** Limits of one answer, in bytes. */
export interface AnswerLimits {
  /** Text, reasoning and tool calls together. */
  maxAnswerBytes: number;
  /** Buffered for a slow client. Beyond it, reading from the model pauses. */
  maxUnreadBytes: number;
}

/** Counts the bytes of one response of a model. */
export interface ResponseMeter {
  /** A socket read with this many bytes of the body. */
  received(bytes: number): void;
  /** An event with this many bytes of content. */
  decoded(contentBytes: number): void;
}

// Bytes of body that a model may send per byte of content. In the OpenAI dialect, an event with 5 characters takes about
// 200 bytes, and few events are that small. A response that is not streamed is one document, in which a character of 3
// bytes takes at most 6.
const WIRE_BYTES_STREAMED = 16;
const WIRE_BYTES_WHOLE = 2;
const WIRE_BYTES_ALWAYS = 65_536;

/**
 * Limits the size of an answer: its content, and the bytes received for it, which include comments and empty events. The
 * buffer between the model and the client is limited by the client library.
 */
export class AnswerBounds {
  /** Buffered for the client, in bytes. */
  readonly maxUnreadBytes: number;
  private readonly maxAnswerBytes: number;
  private readonly onExceeded: () => void;
  private contentBytes = 0;
  private wireBytes = 0;

  constructor({ maxAnswerBytes, maxUnreadBytes }: AnswerLimits, onExceeded: () => void) {
    this.maxAnswerBytes = maxAnswerBytes;
    this.maxUnreadBytes = maxUnreadBytes;
    this.onExceeded = onExceeded;
  }

  /** Starts the meter of a further response for the same answer. */
  startResponse(kind: 'streamed' | 'whole'): ResponseMeter {
    const { maxAnswerBytes, onExceeded } = this;
    const perByte = kind === 'streamed' ? WIRE_BYTES_STREAMED : WIRE_BYTES_WHOLE;
    const maxWireBytes = maxAnswerBytes * perByte + WIRE_BYTES_ALWAYS;
    return {
      received: (bytes) => {
        this.wireBytes += bytes;
        if (this.wireBytes > maxWireBytes) onExceeded();
      },
      decoded: (contentBytes) => {
        this.contentBytes += contentBytes;
        if (this.contentBytes > maxAnswerBytes) onExceeded();
      },
    };
  }
}
