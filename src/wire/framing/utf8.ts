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
