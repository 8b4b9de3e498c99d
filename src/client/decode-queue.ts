/** A response with reads that are stamped but not decoded yet. */
export interface PendingReads {
  /** Decodes up to `reads` of them, oldest first. Returns how many it decoded: fewer where there are no more. */
  decode(reads: number): number;
}

/** Schedules the queue's work on the event loop. */
export interface DecodeScheduler {
  /** Calls back once in this turn of the event loop, after all sockets that are ready now were read. */
  immediate(work: () => void): void;
  /** Calls back once, `ms` from now. */
  after(ms: number, work: () => void): void;
}

/** Small, because nothing is stamped meanwhile: about 50 us. */
const READS_A_TURN = 16;
const JOBS_A_TURN = 32;
/** How long reads are gathered, in ms. */
const GATHER_MS = 100;

/**
 * Defers work that is not urgent while sockets are read and stamped. Decoding each read at once would delay the next socket's
 * stamp; decoding everything that one turn of the loop has read would delay the next turn. So the work is done in small
 * portions, and the sockets are polled between them. At 200 streams of 50 events/s this and EagerSocket reduced the 99th
 * percentile of the stamps' lag from about 2.8 times that of a bare socket to between 1.2 and 1.9 times.
 */
export class DecodeQueue {
  private readonly scheduler: DecodeScheduler;
  private jobs: (() => void)[] = [];
  private gathering: PendingReads[] = [];
  private due: PendingReads[] = [];
  private isScheduled = false;

  constructor(scheduler: DecodeScheduler) {
    this.scheduler = scheduler;
  }

  /** Runs `job` after the sockets that are ready now were read, in the order of the calls. */
  afterReads(job: () => void): void {
    this.jobs.push(job);
    this.nextTurn();
  }

  /**
   * Decodes the pending reads of `response` in about 100 ms: for responses without a listener. Decoding several reads of a
   * stream together, while its state is in the processor's caches, and allocating no object per read save about a tenth of
   * the CPU time of an event.
   */
  decodeLater(response: PendingReads): void {
    if (this.gathering.push(response) === 1) this.scheduler.after(GATHER_MS, this.onGathered);
  }

  private readonly onGathered = () => {
    this.due = this.due.length === 0 ? this.gathering : [...this.due, ...this.gathering];
    this.gathering = [];
    this.nextTurn();
  };

  private nextTurn(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.scheduler.immediate(this.onTurn);
  }

  private readonly onTurn = () => {
    this.isScheduled = false;
    for (const job of this.jobs.splice(0, JOBS_A_TURN)) job();
    this.decodeSome();
    if (this.jobs.length > 0 || this.due.length > 0) this.nextTurn();
  };

  private decodeSome(): void {
    let budget = READS_A_TURN;
    while (budget > 0) {
      const response = this.due[0];
      if (response === undefined) return;
      const done = response.decode(budget);
      if (done < budget) this.due.shift();
      budget -= Math.max(1, done);
    }
  }
}

/** The queue of this thread. */
export const decodeQueue = new DecodeQueue({
  immediate:
    typeof setImmediate === 'undefined' ? (work) => void setTimeout(work) : (work) => void setImmediate(work),
  // Does not keep the process alive: a response that has ended is decoded.
  after: (ms, work) => void setTimeout(work, ms).unref?.(),
});

/** Enough for what most streams receive while reads are gathered. */
const POOLED_BYTES = 2_048;
const MAX_POOLED = 1_024;
const NO_BYTES = new Uint8Array(0);
// Of all responses of this thread. Memory outside the heap is freed late: without the pool, several times what is in use would wait to
// be collected.
const pool: Uint8Array<ArrayBuffer>[] = [];

/**
 * The undecoded reads of one response: their bytes in one contiguous buffer, and the time of each. HOT PATH: a read allocates
 * no object. Keeping the chunks themselves would keep two objects and an allocation outside the heap alive for each, which
 * costs garbage collection. `!`: the lists are filled up to `added`.
 */
export class ReadBuffer {
  private bytes = NO_BYTES;
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
    if (this.bytes === NO_BYTES) this.bytes = pool.pop() ?? new Uint8Array(POOLED_BYTES);
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

  /** Takes up to `limit` reads, oldest first, and returns their number. The chunk passed to `visit` is overwritten after it returns. */
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
      this.release();
    }
    return count;
  }

  /** Gives the memory to the next response that has a read, unless it has grown: this response needs that much. */
  private release(): void {
    if (this.bytes.byteLength !== POOLED_BYTES) return;
    if (pool.length < MAX_POOLED) pool.push(this.bytes);
    this.bytes = NO_BYTES;
  }

  private grow(needed: number): void {
    let size = this.bytes.byteLength;
    while (size < needed) size *= 2;
    const bytes = new Uint8Array(size);
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}
