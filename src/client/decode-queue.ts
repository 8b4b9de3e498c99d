/** A response with reads that were stamped and are not decoded yet. */
export interface PendingReads {
  /** Decodes up to `reads` of them, oldest first. Returns how many it decoded: fewer where there are no more. */
  decode(reads: number): number;
}

/** How the queue waits. */
export interface DecodeScheduler {
  /** Calls back once in this turn of the event loop, after all sockets that are ready now have been read. */
  afterReads(work: () => void): void;
  /** Calls back once, `ms` from now. */
  after(ms: number, work: () => void): void;
}

/** Small, because nothing is stamped meanwhile: some 50 us. */
const READS_A_TURN = 16;
const JOBS_A_TURN = 32;
/** How long reads are gathered, in ms. */
const GATHER_MS = 100;

/**
 * Puts off what need not be done while sockets are being read and stamped. Decoding a read at once would make the next
 * socket's stamp late by as long as that takes; decoding all that one turn of the loop has read would do the same to the
 * next turn. So both are done in small portions with a look at the sockets between them. At 200 streams of 50 events a
 * second this and EagerSocket have brought the 99th percentile of the stamps' lag from some 2.8 times that of a bare
 * socket to between 1.2 and 1.9 times.
 */
export class DecodeQueue {
  private readonly scheduler: DecodeScheduler;
  private jobs: (() => void)[] = [];
  private gathering: PendingReads[] = [];
  private due: PendingReads[] = [];
  private turnComes = false;

  constructor(scheduler: DecodeScheduler) {
    this.scheduler = scheduler;
  }

  /** Does `job` after the sockets that are ready now have been read, in the order of the calls. */
  soon(job: () => void): void {
    this.jobs.push(job);
    this.nextTurn();
  }

  /**
   * Decodes what `response` has by then when about 100 ms have passed: nobody waits for it. A stream's reads are decoded
   * several at a time, while its state is in the processor's caches. That, and no object for each read, takes about a
   * tenth off the processor time of an event.
   */
  later(response: PendingReads): void {
    if (this.gathering.push(response) === 1) this.scheduler.after(GATHER_MS, this.onGathered);
  }

  private readonly onGathered = () => {
    this.due = this.due.length === 0 ? this.gathering : [...this.due, ...this.gathering];
    this.gathering = [];
    this.nextTurn();
  };

  private nextTurn(): void {
    if (this.turnComes) return;
    this.turnComes = true;
    this.scheduler.afterReads(this.onTurn);
  }

  private readonly onTurn = () => {
    this.turnComes = false;
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
  afterReads: (work) => void setImmediate(work),
  // Of no weight for the process's end: a response that is over has been decoded.
  after: (ms, work) => void setTimeout(work, ms).unref(),
});
