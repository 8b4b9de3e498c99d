/** A request that entered the slots. */
export interface SlotEntry {
  /** The queue was full: the request gets no slot. */
  readonly isRefused: boolean;
  /** All slots were taken when the request came. */
  readonly hasWaited: boolean;
  /** Leaves the queue. False for a request that no longer waits. */
  cancel(): boolean;
}

/** A limited number of requests at once; others wait in order of arrival. */
export class Slots {
  private free: number;
  private readonly most: number;
  private readonly waiting: (() => void)[] = [];

  /** `queue`: requests that may wait. Default: no limit. */
  constructor(slots: number, queue = Number.POSITIVE_INFINITY) {
    this.free = slots;
    this.most = queue;
  }

  /** Calls `start` when the request has a slot, but never inside this call. */
  enter(start: () => void): SlotEntry {
    const begin = () => queueMicrotask(start);
    if (this.free > 0) {
      this.free--;
      begin();
      return { isRefused: false, hasWaited: false, cancel: () => false };
    }
    if (this.waiting.length >= this.most) return { isRefused: true, hasWaited: false, cancel: () => false };
    this.waiting.push(begin);
    return {
      isRefused: false,
      hasWaited: true,
      cancel: () => {
        const index = this.waiting.indexOf(begin);
        if (index === -1) return false;
        this.waiting.splice(index, 1);
        return true;
      },
    };
  }

  /** Passes the slot of a request that has ended to the one that has waited longest. */
  leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free++;
    else next();
  }
}
