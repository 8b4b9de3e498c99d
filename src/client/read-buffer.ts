const FIRST_BYTES = 1_024;

/**
 * The undecoded reads of one response: their bytes in one contiguous buffer, and the time of each. HOT PATH: a read allocates
 * no object. Keeping the chunks themselves would keep two objects and an allocation outside the heap alive for each, which
 * costs garbage collection. `!`: the lists are filled up to `added`.
 */
export class ReadBuffer {
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private readonly times: number[] = [];
  private readonly ends: number[] = [];
  private readonly numbers: number[] = [];
  private added = 0;
  private taken = 0;

  /** Reads waiting. */
  get reads(): number {
    return this.added - this.taken;
  }

  /** Bytes in the buffer, including those of taken reads while others are waiting. */
  get byteLength(): number {
    return this.added === 0 ? 0 : this.ends[this.added - 1]!;
  }

  /**
   * Adds the bytes of a socket read. The chunk is copied. Chunks with the same `socketRead` are joined while they are
   * waiting.
   */
  add(atMs: number, chunk: Uint8Array, socketRead: number): void {
    const start = this.byteLength;
    const end = start + chunk.byteLength;
    if (end > this.bytes.byteLength) this.grow(end);
    this.bytes.set(chunk, start);
    if (this.reads > 0 && this.numbers[this.added - 1] === socketRead) {
      this.ends[this.added - 1] = end;
      return;
    }
    this.times[this.added] = atMs;
    this.numbers[this.added] = socketRead;
    this.ends[this.added++] = end;
  }

  /** Takes up to `limit` reads, oldest first, and returns their number. The chunk passed to `visit` is overwritten later. */
  take(limit: number, visit: (atMs: number, chunk: Uint8Array, socketRead: number) => void): number {
    let count = 0;
    for (; count < limit && this.taken < this.added; count++) {
      const read = this.taken++;
      const start = read === 0 ? 0 : this.ends[read - 1]!;
      visit(this.times[read]!, this.bytes.subarray(start, this.ends[read]), this.numbers[read]!);
    }
    if (this.taken === this.added) {
      this.taken = 0;
      this.added = 0;
    }
    return count;
  }

  private grow(needed: number): void {
    let size = this.bytes.byteLength;
    while (size < needed) size *= 2;
    const bytes = Buffer.allocUnsafeSlow(size);
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}
