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
