/** Limits of one answer, in bytes. */
export interface AnswerLimits {
  /** Text, reasoning and tool calls together. */
  maxAnswerBytes: number;
  /** What the model has sent and the reader has not taken yet, as it came over the wire. */
  maxUnreadBytes: number;
}

/** Which limit was passed. */
export type PassedLimit = 'answer' | 'unread';

/** Watches what one question to a model brings. */
export interface QuestionMeter {
  /** Bytes of the body came, in a socket read of their own. */
  arrived(bytes: number): void;
  /** An event was taken out, which came in this read (numbered from 0) and holds this much content. */
  taken(read: number, contentBytes: number): void;
}

// What a model may send for a byte of content. One event of 5 characters takes some 200 bytes in the OpenAI dialect;
// it is seldom that small. A whole answer is one document, in which a character takes 6 bytes at most for its 3.
const WIRE_BYTES_STREAMED = 16;
const WIRE_BYTES_WHOLE = 2;
const WIRE_BYTES_ALWAYS = 65_536;

/**
 * Bounds the memory that an answer can take: its content, everything that comes over the wire for it (comments and empty
 * events count there), and what waits between the model and the reader.
 */
export class AnswerBounds {
  private readonly limits: AnswerLimits;
  private readonly onPassed: (limit: PassedLimit) => void;
  private contentBytes = 0;
  private wireBytes = 0;

  constructor(limits: AnswerLimits, onPassed: (limit: PassedLimit) => void) {
    this.limits = limits;
    this.onPassed = onPassed;
  }

  /** A further question of the same answer begins. A whole answer is not read before it has come, so nothing waits. */
  question(kind: 'streamed' | 'whole'): QuestionMeter {
    const { maxAnswerBytes, maxUnreadBytes } = this.limits;
    const perByte = kind === 'streamed' ? WIRE_BYTES_STREAMED : WIRE_BYTES_WHOLE;
    const maxWireBytes = maxAnswerBytes * perByte + WIRE_BYTES_ALWAYS;
    const unread = new UnreadBytes();
    return {
      arrived: (bytes) => {
        this.wireBytes += bytes;
        if (this.wireBytes > maxWireBytes) this.onPassed('answer');
        else if (kind === 'streamed' && unread.add(bytes) > maxUnreadBytes) this.onPassed('unread');
      },
      taken: (read, contentBytes) => {
        unread.take(read);
        this.contentBytes += contentBytes;
        if (this.contentBytes > maxAnswerBytes) this.onPassed('answer');
      },
    };
  }
}

/** The bytes of socket reads of which no event has been taken yet. HOT PATH. */
class UnreadBytes {
  /** Sizes of the reads from number `first` on; those before `at` have been taken. */
  private sizes: number[] = [];
  private first = 0;
  private at = 0;
  private bytes = 0;

  add(bytes: number): number {
    this.sizes.push(bytes);
    this.bytes += bytes;
    return this.bytes;
  }

  /** An event of this read was taken, so everything up to it has been. */
  take(read: number): void {
    while (this.first + this.at <= read && this.at < this.sizes.length) this.bytes -= this.sizes[this.at++]!;
    if (this.at === this.sizes.length) {
      this.first += this.at;
      this.sizes = [];
      this.at = 0;
    }
  }
}
