import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScheduler, nextWait, type WaitPrimitives } from '../../src/simulator/schedule.ts';

/** A machine whose time moves only while something waits; timers wake late, or too early, by what they are told. */
class Machine implements WaitPrimitives {
  timeMs = 0;
  sleeps = 0;
  napsMs = 0;
  private timers: { atMs: number; wake: () => void; cleared: boolean }[] = [];
  private turns: (() => void)[] = [];
  private readonly skewMs: () => number;

  constructor(skewMs: () => number = () => 0) {
    this.skewMs = skewMs;
  }

  readonly clock = { now: () => this.timeMs, wallTime: () => new Date(0) };

  set(waitMs: number, wake: () => void): unknown {
    this.sleeps++;
    const timer = { atMs: this.timeMs + waitMs + this.skewMs(), wake, cleared: false };
    this.timers.push(timer);
    return timer;
  }

  clear(handle: unknown): void {
    (handle as { cleared: boolean }).cleared = true;
  }

  soon(wake: () => void): void {
    this.turns.push(wake);
  }

  nap(waitMs: number): void {
    this.napsMs += waitMs;
    this.timeMs += waitMs + 0.06;
  }

  /** Timers that have not been cleared. */
  get armed(): number {
    return this.timers.filter(({ cleared }) => !cleared).length;
  }

  /** Lets the machine run until nothing waits any more. */
  settle(): void {
    for (let steps = 0; steps < 100_000; steps++) {
      const turn = this.turns.shift();
      if (turn !== undefined) {
        this.timeMs += 0.002;
        turn();
        continue;
      }
      this.timers = this.timers.filter(({ cleared }) => !cleared).sort((a, b) => a.atMs - b.atMs);
      const timer = this.timers.shift();
      if (timer === undefined) return;
      this.timeMs = Math.max(this.timeMs, timer.atMs);
      timer.wake();
    }
    throw new Error('never settles');
  }
}

describe('nextWait', () => {
  it.each([
    [-1, false, { kind: 'run' }],
    [0, true, { kind: 'run' }],
    [0.3, false, { kind: 'sleep', waitMs: 1 }],
    [4.2, false, { kind: 'sleep', waitMs: 5 }],
    [4.9, true, { kind: 'sleep', waitMs: 4 }],
    [1, true, { kind: 'sleep', waitMs: 1 }],
    [0.9, true, { kind: 'nap', waitMs: 0.25 }],
    [0.03, true, { kind: 'nap', waitMs: 0 }],
  ] as const)('%d ms left, own thread %s', (leftMs, ownThread, wait) => {
    expect(nextWait(leftMs, ownThread)).toEqual(wait);
  });
});

describe('createScheduler', () => {
  it('runs every task once, in order of time, never early, on one timer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 60 }),
        fc.boolean(),
        fc.infiniteStream(fc.double({ min: -0.9, max: 1.4, noNaN: true })),
        (times, ownThread, skews) => {
          const machine = new Machine(() => skews.next().value);
          const scheduler = createScheduler({ clock: machine.clock, alarm: machine, ownThread });
          const ran: { dueMs: number; order: number; atMs: number }[] = [];
          times.forEach((dueMs, order) => {
            scheduler.at(dueMs, () => ran.push({ dueMs, order, atMs: machine.timeMs }));
          });
          expect(machine.armed).toBeLessThanOrEqual(1);
          expect(scheduler.size).toBe(times.length);
          machine.settle();
          expect(ran.map(({ order }) => order)).toEqual(
            times
              .map((dueMs, order) => ({ dueMs, order }))
              .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)
              .map(({ order }) => order),
          );
          expect(ran.every(({ dueMs, atMs }) => atMs >= dueMs)).toBe(true);
          expect(scheduler.size).toBe(0);
        },
      ),
    );
  });

  it('keeps to an absolute schedule: lateness does not add up', () => {
    const machine = new Machine(() => 1.4);
    const scheduler = createScheduler({ clock: machine.clock, alarm: machine });
    let count = 0;
    const tick = (): void => {
      machine.timeMs += 0.5;
      if (++count < 100) scheduler.at(10 * count, tick);
    };
    scheduler.at(0, tick);
    machine.settle();
    expect(machine.timeMs).toBeLessThan(990 + 10);
  });

  it('is exact on its own thread', () => {
    const machine = new Machine(() => 0.08);
    const scheduler = createScheduler({ clock: machine.clock, alarm: machine, ownThread: true });
    const lateMs: number[] = [];
    for (const dueMs of [3.7, 9.15, 9.2, 20.99])
      scheduler.at(dueMs, () => lateMs.push(machine.timeMs - dueMs));
    machine.settle();
    expect(lateMs).toHaveLength(4);
    for (const late of lateMs) expect(late).toBeLessThan(0.1);
    expect(machine.napsMs).toBeLessThan(4);
  });

  it('never runs a task inside at(), even one that is overdue', () => {
    for (const ownThread of [true, false]) {
      const machine = new Machine();
      machine.timeMs = 100;
      const scheduler = createScheduler({ clock: machine.clock, alarm: machine, ownThread });
      let ran = false;
      scheduler.at(5, () => {
        ran = true;
      });
      expect(ran).toBe(false);
      machine.settle();
      expect(ran).toBe(true);
    }
  });

  it('arms anew when a task comes that is due before all others', () => {
    const machine = new Machine();
    const scheduler = createScheduler({ clock: machine.clock, alarm: machine });
    const ran: string[] = [];
    scheduler.at(50, () => ran.push(`late at ${machine.timeMs}`));
    scheduler.at(5, () => ran.push(`soon at ${machine.timeMs}`));
    expect(machine.armed).toBe(1);
    machine.settle();
    expect(ran).toEqual(['soon at 5', 'late at 50']);
  });

  it('does not run tasks that were cancelled or closed', () => {
    const machine = new Machine();
    const scheduler = createScheduler({ clock: machine.clock, alarm: machine });
    const ran: string[] = [];
    const first = scheduler.at(5, () => ran.push('first'));
    scheduler.at(6, () => ran.push('second'));
    first.cancel();
    first.cancel();
    expect(scheduler.size).toBe(1);
    machine.settle();
    expect(ran).toEqual(['second']);
    scheduler.at(60, () => ran.push('third'));
    scheduler.close();
    expect(machine.armed).toBe(0);
    machine.settle();
    expect(ran).toEqual(['second']);
  });

  it('continues after a task that throws', () => {
    const machine = new Machine();
    const scheduler = createScheduler({ clock: machine.clock, alarm: machine });
    let ran = false;
    scheduler.at(1, () => {
      throw new Error('broken');
    });
    scheduler.at(2, () => {
      ran = true;
    });
    expect(() => machine.settle()).toThrow('broken');
    machine.settle();
    expect(ran).toBe(true);
  });
});
