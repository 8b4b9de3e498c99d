import { byteLength, textOfBytes } from '../../model/bytes.ts';

const BOM = 0xfeff;
const ASCII_END = 0x80;

/**
 * Decodes UTF-8 in chunks. HOT PATH: nearly all reads end with an event, in ASCII. No character is split then, and the chunk
 * is decoded by itself in half the time that a TextDecoder takes.
 */
export class Utf8Stream {
  // It does not see all chunks, so it could mistake U+FEFF in the middle of the stream for a byte order mark.
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private inCharacter = false;
  private started = false;

  /** The text of this chunk, up to the last complete character. A byte order mark at the start of the stream is removed. */
  push(piece: Uint8Array): string {
    const size = piece.byteLength;
    if (size === 0) return '';
    // `!`: the piece is not empty.
    const whole = piece[size - 1]! < ASCII_END;
    const text =
      whole && !this.inCharacter ? decodeWhole(piece) : this.decoder.decode(piece, { stream: true });
    this.inCharacter = !whole;
    return this.started ? text : this.first(text);
  }

  /** The stream has ended: an incomplete character becomes U+FFFD. */
  end(): string {
    const text = this.decoder.decode();
    return this.started ? text : this.first(text);
  }

  private first(text: string): string {
    if (text === '') return text;
    this.started = true;
    return text.charCodeAt(0) === BOM ? text.slice(1) : text;
  }
}

const asBuffer = (piece: Uint8Array): Buffer =>
  Buffer.isBuffer(piece) ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);

/** Decodes a piece that ends with a whole character. */
const decodeWhole: (piece: Uint8Array) => string =
  typeof Buffer === 'undefined' ? textOfBytes : (piece) => asBuffer(piece).toString('utf8');

const MAX_SMALL = 1_024;

/**
 * A text received in pieces. The pieces are joined once, so that a long text takes linear time. Small pieces are joined
 * into larger ones, so that single bytes take no more memory than the text.
 */
export class Pieces {
  /** Characters so far. */
  length = 0;
  private large: string[] = [];
  private small: string[] = [];

  get isEmpty(): boolean {
    return this.length === 0;
  }

  add(piece: string): void {
    if (piece === '') return;
    this.length += piece.length;
    if (this.small.push(piece) < MAX_SMALL) return;
    this.large.push(this.small.join(''));
    this.small = [];
  }

  /** Returns the text and clears it. */
  take(): string {
    if (this.length === 0) return '';
    const text = this.large.length === 0 ? this.small.join('') : this.large.join('') + this.small.join('');
    this.large = [];
    this.small = [];
    this.length = 0;
    return text;
  }
}

const FIRST_BYTES = 1_024;

/** Bytes received in pieces, stored contiguously: memory use depends on their total size, not on their number. */
export class ByteBuffer {
  private memory = new Uint8Array(FIRST_BYTES);
  private start = 0;
  private end = 0;

  /** Stored bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Appends a copy of `chunk`. */
  add(chunk: Uint8Array): void {
    if (this.end + chunk.byteLength > this.memory.byteLength) this.grow(chunk.byteLength);
    this.memory.set(chunk, this.end);
    this.end += chunk.byteLength;
  }

  /** The stored bytes, not copied: valid until the next call of `add`. */
  view(): Uint8Array {
    return this.memory.subarray(this.start, this.end);
  }

  /** Removes the first `count` bytes. */
  drop(count: number): void {
    this.start += count;
    if (this.start < this.end) return;
    this.start = 0;
    this.end = 0;
  }

  private grow(wanted: number): void {
    const { length } = this;
    let size = this.memory.byteLength;
    // Doubles the capacity, so that the bytes are not moved for every small piece.
    while (size < 2 * length + wanted) size *= 2;
    const memory = size === this.memory.byteLength ? this.memory : new Uint8Array(size);
    memory.set(this.view());
    this.memory = memory;
    this.start = 0;
    this.end = length;
  }
}

/** True if a text takes more than `maxBytes` bytes in UTF-8. Fast for texts that are clearly smaller. */
export function isLarger(text: string, maxBytes: number): boolean {
  return text.length * MOST_BYTES_PER_UNIT > maxBytes && byteLength(text) > maxBytes;
}

// A UTF-16 code unit takes at most three bytes of UTF-8.
const MOST_BYTES_PER_UNIT = 3;
