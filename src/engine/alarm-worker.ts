import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../model/clock.ts';
import { type AlarmSettings, alarmCells } from './alarm.ts';

/** Waits until each order is due and posts its number. A new order replaces one that is waiting. */
function serve(port: NonNullable<typeof parentPort>, { memory }: AlarmSettings): void {
  const { order, dueAt } = alarmCells(memory);
  let last = 0;
  // `!`: the array has one element.
  const leftMs = () => dueAt[0]! - monotonicClock.now();
  for (;;) {
    Atomics.wait(order, 0, last);
    last = Atomics.load(order, 0);
    for (let ms = leftMs(); ms > 0 && Atomics.load(order, 0) === last; ms = leftMs()) {
      Atomics.wait(order, 0, last, ms);
    }
    if (Atomics.load(order, 0) === last) port.postMessage(last);
  }
}

if (parentPort !== null) serve(parentPort, workerData as AlarmSettings);
