import { Worker } from 'node:worker_threads';
import { type Clock, monotonicClock } from '../model/clock.ts';
import type { RunPlan } from '../model/plan.ts';
import { type LoopDeps, timerSleep } from './loop.ts';

/** Settings of an alarm's thread: the shared memory that holds the time to wake up. */
export interface AlarmSettings {
  memory: SharedArrayBuffer;
}

/** Typed views of an alarm's memory. */
export interface AlarmCells {
  /** The number of the last order. */
  order: Int32Array;
  /** When the last order is due, on the machine's clock, in ms. */
  dueAt: Float64Array;
}

/** How a loop sleeps. */
export interface Sleeper {
  sleep: LoopDeps['sleep'];
  /** Stops the thread. Current and later sleeps then use timers. */
  close(): void;
}

const DUE_BYTE = 8;

/** The views of this memory. */
export function alarmCells(memory = new SharedArrayBuffer(2 * DUE_BYTE)): AlarmCells {
  return { order: new Int32Array(memory, 0, 1), dueAt: new Float64Array(memory, DUE_BYTE, 1) };
}

/**
 * An alarm with its own thread, which waits in the kernel and wakes the event loop. Timers have a granularity of 1 ms and are
 * about 1 ms late: at 500 requests/s they would send requests in bursts. The thread wakes the loop within 0.2 to 0.3 ms
 * (median), at a fifth of the CPU time of a busy loop. If the thread fails or is late, a timer ends the sleep: only precision
 * is lost.
 */
export function createAlarm(clock: Clock = monotonicClock): Sleeper {
  const cells = alarmCells();
  const settings: AlarmSettings = { memory: cells.order.buffer as SharedArrayBuffer };
  const worker = new Worker(new URL('./alarm-worker.js', import.meta.url), { workerData: settings });
  let ring = (_order: number) => {};
  worker.on('message', (order: number) => ring(order));
  // Falls back to timers.
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

/** The sleeper for a plan: an alarm if requests are due at fixed times. A closed loop waits for answers instead. */
export function sleeperFor({ cells }: Pick<RunPlan, 'cells'>): Sleeper {
  if (cells.some(({ rate }) => rate !== undefined)) return createAlarm();
  return { sleep: timerSleep, close() {} };
}
