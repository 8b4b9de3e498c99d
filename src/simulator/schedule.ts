import { type Clock, monotonicClock } from '../model/clock.ts';

// Node's timers wait whole milliseconds and fire up to about 1.4 ms late. On its own thread the simulator sleeps in the
// kernel for the last fraction of a millisecond. The sleeps are short, so that requests are still read promptly. Lateness
// measured without sockets, gaps of 12-28 ms, Node 20, 2 cores (p50 / p99 in ms, share of a core), with 1 and 100 streams:
//   timer alone          0.78 / 1.41    1 %      0.55 / 1.09    5 %
//   a timer per stream   0.75 / 2.40    1 %      0.57 / 1.65    8 %
//   timer, then polling  0.004 / 0.72   3 %      0.001 / 0.04  97 %
//   timer, then naps     0.10 / 0.32    1 %      0.015 / 0.18  14 %

/** The primitives for waiting. Tests replace them. */
export interface WaitPrimitives {
  set(waitMs: number, wake: () => void): unknown;
  clear(handle: unknown): void;
  /** Calls back after the event loop has polled its sockets once. */
  soon(wake: () => void): void;
  /** Blocks the thread. */
  nap(waitMs: number): void;
}

const systemAlarm: WaitPrimitives = {
  set: (waitMs, wake) => setTimeout(wake, waitMs),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
  soon: (wake) => setImmediate(wake),
  nap: (waitMs) => void Atomics.wait(NEVER_NOTIFIED, 0, 0, waitMs),
};

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

/** The longest nap, and so the longest delay until a request is read. */
const LONGEST_NAP_MS = 0.25;
/** How late the kernel wakes a thread, approximately. */
const WAKE_LATENCY_MS = 0.06;

/** The next action for a task. */
export type Wait =
  | { kind: 'run' }
  /** Block the thread, let the event loop poll its sockets, then decide again. */
  | { kind: 'nap'; waitMs: number }
  /** Set a timer, in whole milliseconds, then decide again. */
  | { kind: 'sleep'; waitMs: number };

/** How to wait for a task that is due in `leftMs`. Pure; never early. `ownThread`: nothing else uses this event loop. */
export function nextWait(leftMs: number, ownThread: boolean): Wait {
  if (leftMs <= 0) return { kind: 'run' };
  if (!ownThread) return { kind: 'sleep', waitMs: Math.ceil(leftMs) };
  if (leftMs >= 1) return { kind: 'sleep', waitMs: Math.floor(leftMs) };
  return { kind: 'nap', waitMs: Math.min(LONGEST_NAP_MS, Math.max(0, leftMs - WAKE_LATENCY_MS)) };
}

/** A scheduled task. */
export interface Scheduled {
  cancel(): void;
}

/** Runs tasks at absolute times, with a single timer. */
export interface Scheduler {
  /** Runs `task` once `clock.now()` has reached `dueMs`, never inside this call. Tasks with equal times run in order of scheduling. */
  at(dueMs: number, task: () => void): Scheduled;
  /** Number of waiting tasks. */
  readonly size: number;
  /** Removes all tasks. */
  close(): void;
}

/** Settings of a scheduler. */
export interface SchedulerOptions {
  clock?: Clock;
  /** Nothing else uses the thread, so it may be blocked for fractions of a millisecond. Default false. */
  ownThread?: boolean;
  alarm?: WaitPrimitives;
}

interface Entry {
  dueMs: number;
  order: number;
  /** Undefined once cancelled. The entry is removed from the heap when it is due. */
  task: (() => void) | undefined;
}

/** A scheduler. */
export function createScheduler(options: SchedulerOptions = {}): Scheduler {
  return new TimerScheduler(options);
}

class TimerScheduler implements Scheduler {
  private readonly clock: Clock;
  private readonly ownThread: boolean;
  private readonly alarm: WaitPrimitives;
  private readonly heap: Entry[] = [];
  private order = 0;
  private waiting = 0;
  private timer: unknown;
  /** The due time of the running timer; undefined if none is running. */
  private armedFor: number | undefined;
  private isPolling = false;
  private isRunning = false;

  constructor({ clock = monotonicClock, ownThread = false, alarm = systemAlarm }: SchedulerOptions) {
    this.clock = clock;
    this.ownThread = ownThread;
    this.alarm = alarm;
  }

  get size(): number {
    return this.waiting;
  }

  at(dueMs: number, task: () => void): Scheduled {
    const entry: Entry = { dueMs, order: this.order++, task };
    push(this.heap, entry);
    this.waiting++;
    this.arm();
    return {
      cancel: () => {
        if (entry.task === undefined) return;
        entry.task = undefined;
        this.waiting--;
      },
    };
  }

  close(): void {
    this.heap.length = 0;
    this.waiting = 0;
    if (this.armedFor !== undefined) this.alarm.clear(this.timer);
    this.armedFor = undefined;
  }

  private arm(): void {
    if (this.isRunning || this.isPolling) return;
    const next = this.heap[0];
    if (next === undefined || (this.armedFor !== undefined && this.armedFor <= next.dueMs)) return;
    const wait = nextWait(next.dueMs - this.clock.now(), this.ownThread);
    if (wait.kind === 'sleep') this.sleep(next.dueMs, wait.waitMs);
    else this.poll();
  }

  private sleep(dueMs: number, waitMs: number): void {
    if (this.armedFor !== undefined) this.alarm.clear(this.timer);
    this.armedFor = dueMs;
    this.timer = this.alarm.set(waitMs, () => {
      this.armedFor = undefined;
      this.run();
    });
  }

  private poll(): void {
    this.isPolling = true;
    this.alarm.soon(() => {
      this.isPolling = false;
      this.run();
    });
  }

  // HOT PATH: sends every chunk of every stream.
  private run(): void {
    this.isRunning = true;
    try {
      for (;;) {
        const next = this.heap[0];
        if (next === undefined) return;
        const wait = nextWait(next.dueMs - this.clock.now(), this.ownThread);
        if (next.task !== undefined && wait.kind !== 'run') {
          if (wait.kind === 'nap') {
            this.alarm.nap(wait.waitMs);
            this.poll();
          }
          return;
        }
        pop(this.heap);
        const { task } = next;
        if (task === undefined) continue;
        next.task = undefined;
        this.waiting--;
        task();
      }
    } finally {
      this.isRunning = false;
      this.arm();
    }
  }
}

// A binary heap: the earliest entry is at 0, the children of i are at 2i + 1 and 2i + 2. HOT PATH; `!`: all indexes are below
// the length.

function before(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(entry, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
