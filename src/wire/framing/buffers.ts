const BOM = 0xfeff;
const ASCII_END = 0x80;

/**
 * Bytes that come in pieces, as text. HOT PATH: a read nearly always ends where an event does, in ASCII. Then no
 * character is cut and the piece is decoded by itself, in half the time that a TextDecoder takes.
 */
export class Utf8Stream {
  // It would take a mark in the middle of the stream for one at its start, when it has not seen the pieces before.
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private cut = false;
  private begun = false;

  /** The text that this piece makes certain. A byte order mark at the start of the stream is left out. */
  push(piece: Uint8Array): string {
    const size = piece.byteLength;
    if (size === 0) return '';
    const whole = piece[size - 1]! < ASCII_END;
    const text =
      whole && !this.cut ? asBuffer(piece).toString('utf8') : this.decoder.decode(piece, { stream: true });
    this.cut = !whole;
    return this.begun ? text : this.first(text);
  }

  /** The stream has ended: a character that was cut is told as U+FFFD. */
  end(): string {
    const text = this.decoder.decode();
    return this.begun ? text : this.first(text);
  }

  private first(text: string): string {
    if (text === '') return text;
    this.begun = true;
    return text.charCodeAt(0) === BOM ? text.slice(1) : text;
  }
}

function asBuffer(piece: Uint8Array): Buffer {
  return Buffer.isBuffer(piece) ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

const MOST_SMALL = 1_024;

/**
 * A text that comes in pieces. They are joined once, when it is whole, so that a long text costs linear time; and many
 * small pieces are joined into larger ones, so that a sender of single bytes costs no more memory than its text.
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
    if (this.small.push(piece) < MOST_SMALL) return;
    this.large.push(this.small.join(''));
    this.small = [];
  }

  /** The whole text. Nothing is kept. */
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

/** Bytes that come in pieces, end to end in one piece of memory: as large as they are, however small the pieces. */
export class ByteBuffer {
  private memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private start = 0;
  private end = 0;

  /** Bytes that are kept. */
  get length(): number {
    return this.end - this.start;
  }

  /** Adds a copy of `chunk`. */
  add(chunk: Uint8Array): void {
    if (this.end + chunk.byteLength > this.memory.byteLength) this.makeRoom(chunk.byteLength);
    this.memory.set(chunk, this.end);
    this.end += chunk.byteLength;
  }

  /** The bytes that are kept, without a copy: they are valid until the next call of `add`. */
  view(): Buffer {
    return this.memory.subarray(this.start, this.end);
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.start += count;
    if (this.start < this.end) return;
    this.start = 0;
    this.end = 0;
  }

  private makeRoom(wanted: number): void {
    const { length } = this;
    let size = this.memory.byteLength;
    // Room for as much again: what is kept is not moved for every small piece.
    while (size < 2 * length + wanted) size *= 2;
    const memory = size === this.memory.byteLength ? this.memory : Buffer.allocUnsafeSlow(size);
    memory.set(this.view());
    this.memory = memory;
    this.start = 0;
    this.end = length;
  }
}
