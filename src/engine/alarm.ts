import { Worker } from 'node:worker_threads';
import { type Clock, monotonicClock } from '../model/clock.ts';
import type { RunPlan } from '../model/plan.ts';
import { type LoopDeps, timerSleep } from './loop.ts';

/** What the thread of an alarm is given: the memory in which it is told when to ring. */
export interface AlarmSettings {
  memory: SharedArrayBuffer;
}

/** The cells of an alarm's memory. */
export interface AlarmCells {
  /** The number of the last order. */
  order: Int32Array;
  /** When that one is due, on the machine's clock, in ms. */
  dueAt: Float64Array;
}

/** How a loop sleeps. */
export interface Sleeper {
  sleep: LoopDeps['sleep'];
  /** Frees what it holds. Sleeps that are under way, and later ones, end by timers. */
  close(): void;
}

const DUE_BYTE = 8;

/** The cells of this memory. */
export function alarmCells(memory = new SharedArrayBuffer(2 * DUE_BYTE)): AlarmCells {
  return { order: new Int32Array(memory, 0, 1), dueAt: new Float64Array(memory, DUE_BYTE, 1) };
}

/**
 * An alarm with a thread of its own, which waits in the kernel and wakes the event loop. Timers have a granularity of 1 ms and
 * are about 1 ms late: at 500 requests a second they would send requests in bunches. The thread wakes the loop within 0.2 to
 * 0.3 ms at the median, for a fifth of the processor time of a loop that spins. Where the thread is missing or late, a timer ends the
 * sleep, so that it costs exactness and nothing else.
 */
export function createAlarm(clock: Clock = monotonicClock): Sleeper {
  const cells = alarmCells();
  const settings: AlarmSettings = { memory: cells.order.buffer as SharedArrayBuffer };
  const worker = new Worker(new URL('./alarm-worker.js', import.meta.url), { workerData: settings });
  let ring = (_order: number) => {};
  worker.on('message', (order: number) => ring(order));
  // Without the thread the timers do.
  worker.on('error', () => {});
  worker.unref();
  return {
    async sleep(ms, until) {
      const order = Atomics.load(cells.order, 0) + 1;
      const rung = new Promise<void>((resolve) => {
        ring = (done) => {
          if (done === order) resolve();
        };
      });
      cells.dueAt[0] = clock.now() + ms;
      Atomics.store(cells.order, 0, order);
      Atomics.notify(cells.order, 0);
      await timerSleep(ms, Promise.race([until, rung]));
    },
    close: () => void worker.terminate(),
  };
}

/** The sleeper for a plan: an alarm where requests are due at stated moments. A closed loop waits for answers, not for a moment. */
export function sleeperFor({ cells }: Pick<RunPlan, 'cells'>): Sleeper {
  if (cells.some(({ rate }) => rate !== undefined)) return createAlarm();
  return { sleep: timerSleep, close() {} };
}
