import type { Clock } from '../../model/clock.ts';
import type { EventStream } from './event-stream.ts';

/** Time limits of streams, in ms. */
export interface StreamLimits {
  /** Silence after which a comment is sent. */
  keepAliveMs: number;
  /** How long a client may read nothing while data is waiting for it. */
  staleMs: number;
}

/** A stream as `/api/v1/health/stream` shows it. */
export interface StreamInfo {
  id: string;
  route: string;
  /** The user. */
  subject: string;
}

/** The active streams. */
export class LiveStreams {
  private readonly streams = new Map<EventStream, StreamInfo & { ended: Promise<void>; end: () => void }>();
  private readonly limits: StreamLimits;
  private readonly clock: Clock;
  private readonly timer: NodeJS.Timeout;
  private readonly ofUser = new Map<string, number>();
  private peak = 0;

  constructor(limits: StreamLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
    // A limit is exceeded by at most a quarter.
    const everyMs = Math.max(10, Math.min(limits.keepAliveMs, limits.staleMs) / 4);
    this.timer = setInterval(() => this.sweep(), everyMs);
    this.timer.unref();
  }

  get active(): number {
    return this.streams.size;
  }

  /** Active streams of one user. */
  activeOf(subject: string): number {
    return this.ofUser.get(subject) ?? 0;
  }

  /** Most streams that were active at once. */
  get peakActive(): number {
    return this.peak;
  }

  add(stream: EventStream, info: StreamInfo): void {
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.streams.set(stream, { ...info, ended, end });
    this.ofUser.set(info.subject, this.activeOf(info.subject) + 1);
    this.peak = Math.max(this.peak, this.streams.size);
  }

  delete(stream: EventStream): void {
    const entry = this.streams.get(stream);
    if (entry === undefined) return;
    this.streams.delete(stream);
    const left = this.activeOf(entry.subject) - 1;
    if (left > 0) this.ofUser.set(entry.subject, left);
    else this.ofUser.delete(entry.subject);
    entry.end();
  }

  /** The oldest streams first. */
  list(limit: number): { id: string; route: string; ageMs: number }[] {
    const now = this.clock.now();
    return [...this.streams].slice(0, limit).map(([stream, { id, route }]) => ({
      id,
      route,
      ageMs: Math.round(now - stream.openedAtMs),
    }));
  }

  sweep(): void {
    const now = this.clock.now();
    for (const stream of this.streams.keys()) stream.sweep(now, this.limits);
  }

  /** Waits up to `graceMs` for the streams to end, then stops the rest and waits for them. */
  async drain(graceMs: number): Promise<void> {
    const allEnded = () => Promise.all([...this.streams.values()].map(({ ended }) => ended));
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([allEnded(), grace]);
    clearTimeout(timer);
    this.stopAll();
    await allEnded();
    clearInterval(this.timer);
  }

  /** Stops every stream now. */
  stopAll(): void {
    for (const stream of [...this.streams.keys()]) stream.stop('shutdown');
  }
}
