/**
 * The counters of one block, shared by its measuring threads: the next request's number, and the requests in flight. Each
 * operation is atomic, so that a request is sent once and a limit applies to all threads together.
 */
export interface BlockCounts {
  /** Takes the next request's number, from 0. */
  take(): number;
  /** Takes a slot. Returns the requests in flight including this one, or 0 if `limit` are in flight already. */
  enter(limit: number): number;
  /** Releases a slot. */
  leave(): void;
  /** Requests in flight, over all threads. */
  inFlight(): number;
  /** Slots that were taken so far: the requests that were sent. */
  issued(): number;
}

const TAKEN = 0;
const IN_FLIGHT = 1;
const ISSUED = 2;

/** Memory for the counters of one block, to share with other threads. */
export function countsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
}

/** The counters in this memory. */
export function blockCounts(memory: SharedArrayBuffer = countsMemory()): BlockCounts {
  const cells = new Int32Array(memory);
  return {
    take: () => Atomics.add(cells, TAKEN, 1),
    enter(limit) {
      for (let open = Atomics.load(cells, IN_FLIGHT); open < limit; ) {
        const seen = Atomics.compareExchange(cells, IN_FLIGHT, open, open + 1);
        if (seen === open) {
          Atomics.add(cells, ISSUED, 1);
          return open + 1;
        }
        open = seen;
      }
      return 0;
    },
    leave: () => void Atomics.sub(cells, IN_FLIGHT, 1),
    inFlight: () => Atomics.load(cells, IN_FLIGHT),
    issued: () => Atomics.load(cells, ISSUED),
  };
}
