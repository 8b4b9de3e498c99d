import { monotonicClock } from '../../src/model/clock.ts';

/**
 * Starts a timer that serves all streams of a server, on an absolute schedule. Returns what plans an item: `handle` gets it at the
 * whole millisecond nearest to `at` on the machine-wide clock, or in the next one.
 */
export function startWheel<T>(handle: (item: T) => void): (item: T, at: number) => void {
  // By the millisecond at which something is due.
  const due = new Map<number, T[]>();
  let turn = Math.floor(monotonicClock.now());
  const tick = () => {
    for (const now = monotonicClock.now(); turn + 1 <= now; ) {
      turn++;
      const items = due.get(turn);
      due.delete(turn);
      for (const item of items ?? []) handle(item);
    }
    setTimeout(tick, Math.max(0, turn + 1 - monotonicClock.now()));
  };
  tick();
  return (item, at) => {
    const slot = Math.max(turn + 1, Math.round(at));
    const others = due.get(slot);
    if (others) others.push(item);
    else due.set(slot, [item]);
  };
}
