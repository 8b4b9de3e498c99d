import type { Clock } from '../../src/model/clock.ts';

/** A clock that moves only when told, with timers that fire when it passes them. */
export class FakeClock implements Clock {
  private time = 0;
  private timers: { atMs: number; fire: () => void }[] = [];

  now(): number {
    return this.time;
  }

  wallTime(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.time);
  }

  /** As the engine's `sleep`: resolves when the clock has passed `ms`, or with `until`. */
  readonly sleep = (ms: number, until: Promise<void> = new Promise(() => {})): Promise<void> =>
    Promise.race([until, new Promise<void>((fire) => this.timers.push({ atMs: this.time + ms, fire }))]);

  /** Moves the clock, stopping at each timer on the way so that what it wakes can run. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = this.timers.filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.time = Math.max(this.time, due.atMs);
      due.fire();
    }
    this.time = end;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
