const FIRST_BYTES = 1_024;

/**
 * What one response has brought and nobody has decoded yet: the bytes of its reads, end to end in memory of its own, and
 * when each was read. HOT PATH: a read leaves no object behind. Keeping the chunks themselves would keep two objects and
 * an allocation outside the heap alive for each, which the garbage collector has to carry around.
 */
export class ReadBuffer {
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private readonly times: number[] = [];
  private readonly ends: number[] = [];
  private readonly numbers: number[] = [];
  private added = 0;
  private taken = 0;

  /** Reads that wait. */
  get reads(): number {
    return this.added - this.taken;
  }

  /** Bytes that are kept, those of reads already taken included while others wait. */
  get byteLength(): number {
    return this.added === 0 ? 0 : this.ends[this.added - 1]!;
  }

  /**
   * Adds what a read of the socket brought. The chunk is copied. What the same read brought before is joined with it, as
   * long as it waits: the numbers of the reads tell.
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

  /** Takes up to `limit` reads, oldest first, and returns how many. What `visit` is given is overwritten later. */
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
