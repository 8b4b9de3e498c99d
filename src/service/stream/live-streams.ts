import type { Clock } from '../../model/clock.ts';
import type { EventStream, StreamLimits } from './event-stream.ts';

/** What identifies a stream. */
export interface StreamInfo {
  id: string;
  /** Name of the endpoint. */
  route: string;
  /** The user. */
  subject: string;
  /** The session in which its messages are stored, if they are. */
  session?: string;
  /** The ticket that opened it, if one did. */
  ticket?: string;
}

/** An active stream. */
export interface ActiveStream extends StreamInfo {
  stream: EventStream;
  /** Resolves when the answer has ended and is stored. */
  ended: Promise<void>;
}

/** A stream in a list. */
export interface ListedStream extends StreamInfo {
  ageMs: number;
  resumable: boolean;
  /** False while it waits for its client to reconnect. */
  connected: boolean;
}

// Frames of ended streams that are kept for clients that reconnect, in bytes.
const MAX_RETAINED_BYTES = 64 * 1024 * 1024;

/** The active streams, and the ended ones that can still be resumed. */
export class LiveStreams {
  private readonly streams = new Map<EventStream, ActiveStream & { end: () => void }>();
  private readonly byId = new Map<string, EventStream>();
  /** Ended streams, in the order in which they expire. */
  private readonly retained = new Map<string, StreamInfo & { stream: EventStream; expiresAtMs: number }>();
  private retainedBytes = 0;
  private readonly limits: StreamLimits;
  private readonly clock: Clock;
  private readonly timer: NodeJS.Timeout;
  private readonly ofUser = new Map<string, number>();
  private peak = 0;

  constructor(limits: StreamLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
    // A limit is exceeded by at most a quarter.
    const { keepAliveMs, staleMs, resumeWindowMs } = limits;
    const everyMs = Math.max(10, Math.min(keepAliveMs, staleMs, resumeWindowMs) / 4);
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
    this.streams.set(stream, { ...info, stream, ended, end });
    this.byId.set(info.id, stream);
    this.ofUser.set(info.subject, this.activeOf(info.subject) + 1);
    this.peak = Math.max(this.peak, this.streams.size);
  }

  delete(stream: EventStream): void {
    const entry = this.streams.get(stream);
    if (entry === undefined) return;
    this.streams.delete(stream);
    this.byId.delete(entry.id);
    const left = this.activeOf(entry.subject) - 1;
    if (left > 0) this.ofUser.set(entry.subject, left);
    else this.ofUser.delete(entry.subject);
    this.retain(entry);
    entry.end();
  }

  /** An active stream of this user. */
  find(id: string, subject: string): ActiveStream | undefined {
    const stream = this.byId.get(id);
    const entry = stream === undefined ? undefined : this.streams.get(stream);
    return entry?.subject === subject ? entry : undefined;
  }

  /** A stream with this id that can be resumed, or could until now. */
  findResumable(id: string): (StreamInfo & { stream: EventStream }) | undefined {
    const active = this.byId.get(id);
    const entry = active === undefined ? this.retained.get(id) : this.streams.get(active);
    return entry?.stream.replay === undefined ? undefined : entry;
  }

  /** The oldest streams first; of one user, if `subject` is given. */
  list(limit: number, subject?: string): ListedStream[] {
    const now = this.clock.now();
    const found: ListedStream[] = [];
    for (const [stream, { id, route, subject: owner, session }] of this.streams) {
      if (found.length >= limit) break;
      if (subject !== undefined && owner !== subject) continue;
      const ageMs = Math.round(now - stream.openedAtMs);
      found.push({
        id,
        route,
        subject: owner,
        session,
        ageMs,
        resumable: stream.replay !== undefined,
        connected: stream.connected,
      });
    }
    return found;
  }

  sweep(): void {
    const now = this.clock.now();
    for (const stream of this.streams.keys()) stream.sweep(now, this.limits);
    for (const [id, { expiresAtMs }] of this.retained) {
      if (expiresAtMs > now) break;
      this.forget(id);
    }
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
    this.retained.clear();
  }

  /** Stops every stream now. */
  stopAll(): void {
    for (const stream of [...this.streams.keys()]) stream.stop('shutdown');
  }

  /** Keeps the last frames of an ended stream for a client that reconnects. */
  private retain({ stream, id, route, subject, session, ticket }: ActiveStream): void {
    const bytes = stream.replay?.bytes ?? 0;
    if (bytes === 0) return;
    const expiresAtMs = this.clock.now() + this.limits.resumeWindowMs;
    this.retained.set(id, { id, route, subject, session, ticket, stream, expiresAtMs });
    this.retainedBytes += bytes;
    for (const oldest of this.retained.keys()) {
      if (this.retainedBytes <= MAX_RETAINED_BYTES) break;
      this.forget(oldest);
    }
  }

  private forget(id: string): void {
    this.retainedBytes -= this.retained.get(id)?.stream.replay?.bytes ?? 0;
    this.retained.delete(id);
  }
}
