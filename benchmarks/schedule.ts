import { monotonicClock } from '../src/model/clock.ts';

/** Calls `perform` with each item at its time, in ms on the machine-wide clock, on an absolute schedule. One timer serves all items. */
export function createSchedule<T>(perform: (item: T) => void): { add(item: T, at: number): void } {
  // By the millisecond at which something is due.
  const due = new Map<number, T[]>();
  let turn = Math.floor(monotonicClock.now());
  const tick = () => {
    for (const now = monotonicClock.now(); turn + 1 <= now; ) {
      turn++;
      const items = due.get(turn);
      due.delete(turn);
      for (const item of items ?? []) perform(item);
    }
    setTimeout(tick, Math.max(0, turn + 1 - monotonicClock.now()));
  };
  tick();
  return {
    add(item, at) {
      const slot = Math.max(turn + 1, Math.round(at));
      const others = due.get(slot);
      if (others) others.push(item);
      else due.set(slot, [item]);
    },
  };
}

/** A chunk of HTTP/1.1 chunked transfer coding. The text is ASCII. */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
