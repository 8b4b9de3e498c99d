import { byteLength } from '../../model/bytes.ts';
import { isLarger, Pieces } from './buffers.ts';
import type { Frame, FrameSink, Framing } from './frame.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COMMA = 44;

/**
 * One JSON array, sent incrementally. Each element is a frame, delivered with its last character. Also reads concatenated
 * JSON values, and a single value, such as an error instead of the array.
 */
export const jsonArray: Framing = {
  name: 'json-array',
  contentType: 'application/json; charset=utf-8',
  parser(sink, maxFrameBytes = Number.POSITIVE_INFINITY) {
    const utf8 = new TextDecoder();
    const splitter = new ArraySplitter(sink, maxFrameBytes);
    return {
      push: (chunk) => splitter.text(utf8.decode(chunk, { stream: true })),
      end() {
        splitter.text(utf8.decode());
        splitter.end();
      },
    };
  },
  // The encoder writes the brackets and commas: it knows the first and the last frame.
  write: ({ data }) => data,
};

class ArraySplitter {
  private readonly sink: FrameSink;
  private readonly maxFrameBytes: number;
  /** The unfinished element. */
  private readonly pieces = new Pieces();
  private stopped = false;
  private open = false;
  private inString = false;
  private escaped = false;
  /** Braces and brackets open inside the element. */
  private depth = 0;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.sink = sink;
    this.maxFrameBytes = maxFrameBytes;
  }

  text(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length && !this.stopped; at++) {
      const code = text.charCodeAt(at);
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (code === BACKSLASH) this.escaped = true;
        else if (code === QUOTE) this.inString = false;
        continue;
      }
      if (!this.open) {
        if (isBetween(code) || code === OPEN_BRACKET || code === CLOSE_BRACKET) continue;
        this.open = true;
        from = at;
      } else if (this.depth === 0 && (isBetween(code) || code === CLOSE_BRACKET)) {
        this.close(text.slice(from, at));
        continue;
      }
      if (code === QUOTE) this.inString = true;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.depth++;
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && this.depth > 0 && --this.depth === 0) {
        this.close(text.slice(from, at + 1));
      }
    }
    if (this.stopped || !this.open) return;
    this.pieces.add(from === 0 ? text : text.slice(from));
    if (this.pieces.length > this.maxFrameBytes) this.stop(this.pieces.length);
  }

  end(): void {
    // A number or word is complete only at the end of the stream. An object that is still open is truncated.
    if (this.open && !this.stopped) this.close('', this.depth > 0 || this.inString);
  }

  private close(piece: string, incomplete = false): void {
    const data = this.pieces.isEmpty ? piece : this.pieces.take() + piece;
    this.open = false;
    this.inString = false;
    this.depth = 0;
    const frame: Frame = incomplete ? { data, incomplete } : { data };
    if (isLarger(data, this.maxFrameBytes)) this.stop(byteLength(data));
    else this.sink.frame(frame);
  }

  private stop(bytes: number): void {
    this.stopped = true;
    this.pieces.take();
    this.sink.tooLarge?.(bytes);
  }
}

// White space and commas.
function isBetween(code: number): boolean {
  return code <= 32 || code === COMMA || code === 0xfeff;
}
