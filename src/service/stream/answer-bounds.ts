/** Limits of one answer, in bytes. */
export interface AnswerLimits {
  /** Text, reasoning and tool calls together. */
  maxAnswerBytes: number;
  /** What may wait for a reader that is behind. The model is held back then. */
  maxUnreadBytes: number;
}

/** Watches what one question to a model brings. */
export interface QuestionMeter {
  /** Bytes of the body came, in a socket read of their own. */
  arrived(bytes: number): void;
  /** An event was taken out that holds this much content. */
  taken(contentBytes: number): void;
}

// What a model may send for a byte of content. One event of 5 characters takes some 200 bytes in the OpenAI dialect;
// it is seldom that small. A whole answer is one document, in which a character takes 6 bytes at most for its 3.
const WIRE_BYTES_STREAMED = 16;
const WIRE_BYTES_WHOLE = 2;
const WIRE_BYTES_ALWAYS = 65_536;

/**
 * Bounds what an answer can take: its content, and everything that comes over the wire for it (comments and empty events
 * count there). What waits between the model and the reader is the client's to bound.
 */
export class AnswerBounds {
  /** What may wait for the reader, in bytes. */
  readonly maxUnreadBytes: number;
  private readonly maxAnswerBytes: number;
  private readonly onPassed: () => void;
  private contentBytes = 0;
  private wireBytes = 0;

  constructor({ maxAnswerBytes, maxUnreadBytes }: AnswerLimits, onPassed: () => void) {
    this.maxAnswerBytes = maxAnswerBytes;
    this.maxUnreadBytes = maxUnreadBytes;
    this.onPassed = onPassed;
  }

  /** A further question of the same answer begins. */
  question(kind: 'streamed' | 'whole'): QuestionMeter {
    const { maxAnswerBytes, onPassed } = this;
    const perByte = kind === 'streamed' ? WIRE_BYTES_STREAMED : WIRE_BYTES_WHOLE;
    const maxWireBytes = maxAnswerBytes * perByte + WIRE_BYTES_ALWAYS;
    return {
      arrived: (bytes) => {
        this.wireBytes += bytes;
        if (this.wireBytes > maxWireBytes) onPassed();
      },
      taken: (contentBytes) => {
        this.contentBytes += contentBytes;
        if (this.contentBytes > maxAnswerBytes) onPassed();
      },
    };
  }
}
