import type { Clock } from '../../model/clock.ts';
import {
  type Connection,
  type ConnectionPool,
  type ConnectionSink,
  connectTimeout,
  type SocketRequest,
} from './connection.ts';
import type { Dialer, PendingDial } from './dialer.ts';
import { Http2Session, type StreamControl } from './http2-session.ts';

/** A session that is being opened, until it is ready or has failed. */
interface Opening {
  /** The request that it is opened for, which is sent as soon as the socket is open. Undefined if opened ahead of need. */
  opener: Http2Slot | undefined;
  dialing: PendingDial;
  session?: Http2Session;
  settle?: (error?: Error) => void;
}

/** Options of a session pool. */
export interface Http2SessionPoolOptions {
  /** Concurrent requests on a session. */
  limit: number;
  /** False: each request has its own session. */
  keep: boolean;
  /** The largest response headers. */
  headerBytes?: number;
}

/**
 * HTTP/2 sessions to one origin. A request uses the first session with a free slot; if there is none, as many sessions are
 * opened as the waiting requests need. No request waits for another's response.
 */
export class Http2SessionPool implements ConnectionPool {
  private readonly dialer: Dialer;
  private readonly clock: Clock;
  readonly limit: number;
  private readonly keep: boolean;
  readonly headerBytes: number | undefined;
  private sessions: Http2Session[] = [];
  private readonly openings = new Set<Opening>();
  private readonly waiting: Http2Slot[] = [];
  private closed = false;

  constructor(dialer: Dialer, clock: Clock, { limit, keep, headerBytes }: Http2SessionPoolOptions) {
    this.dialer = dialer;
    this.clock = clock;
    this.limit = keep ? limit : 1;
    this.keep = keep;
    this.headerBytes = headerBytes;
  }

  acquire(): Connection {
    return new Http2Slot(this);
  }

  replace(connection: Connection): Connection {
    connection.destroy();
    return new Http2Slot(this, { fresh: true });
  }

  release(connection: Connection): void {
    connection.destroy();
  }

  async warm(count: number, limitMs: number): Promise<void> {
    for (;;) {
      const room = this.sessions.reduce((sum, session) => sum + session.room, 0);
      if (room >= count) return;
      await this.openAhead(limitMs);
      if (!this.keep) return this.drop();
    }
  }

  drop(): void {
    for (const session of this.sessions.splice(0)) {
      if (session.isIdle) session.destroy();
      else session.retire();
    }
  }

  close(): void {
    this.closed = true;
    this.drop();
    for (const { opener, dialing } of this.openings) {
      if (opener === undefined) dialing.destroy(new Error('closed'));
    }
  }

  /** Sends a slot's request as soon as a session has room for it. */
  place(slot: Http2Slot): void {
    this.waiting.push(slot);
    if (this.keep && !slot.fresh) this.assignWaiting();
    else this.open(slot);
  }

  /** Removes a cancelled request, and aborts the connections that no request needs any more. */
  withdraw(slot: Http2Slot): void {
    const at = this.waiting.indexOf(slot);
    if (at !== -1) this.waiting.splice(at, 1);
    for (const opening of [...this.openings]) {
      const { opener, session, dialing } = opening;
      const wanted = opener === undefined || (this.keep ? this.waiting.length > 0 : opener !== slot);
      if (wanted) continue;
      if (session === undefined) dialing.destroy(new Error('cancelled'));
      else if (!opener.usable) {
        // Its request has failed before the session was ready: the next request opens another one.
        this.openings.delete(opening);
        session.destroy();
      }
    }
  }

  private assignWaiting(): void {
    const openers = new Set(Array.from(this.openings, ({ opener }) => opener));
    // A request that opens a session waits for that session, so that each new session is reported by a request.
    const others = this.waiting.filter((slot) => !openers.has(slot));
    for (const session of this.sessions) {
      while (session.room > 0) {
        const slot = others.shift();
        if (slot === undefined) break;
        this.waiting.splice(this.waiting.indexOf(slot), 1);
        slot.start(session, false);
      }
    }
    // Each session being opened has room for its opener and for the other requests that a session takes.
    const limit = this.sessions.at(-1)?.limit || this.limit;
    let unserved = others.length;
    for (const { opener } of this.openings) unserved -= opener === undefined ? limit : limit - 1;
    while (unserved > 0) {
      this.open(others.at(-unserved));
      unserved -= limit;
    }
  }

  private openAhead(limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      const opening = this.open(undefined, settle);
      const timer = setTimeout(() => {
        opening.dialing.destroy(connectTimeout(limitMs));
        opening.session?.destroy();
        settle(connectTimeout(limitMs));
      }, limitMs);
    });
  }

  private open(opener: Http2Slot | undefined, settle?: Opening['settle']): Opening {
    const failed = (error: Error) => {
      if (!this.openings.delete(opening)) return;
      settle?.(error);
      if (opener !== undefined) this.fail(opener, error);
      // The other requests fail too, unless another session is being opened that may have room.
      if (this.openings.size === 0) for (const slot of [...this.waiting]) this.fail(slot, error);
    };
    const dialing = this.dialer.dial((error, opened) => {
      if (error !== null) return failed(error);
      const session: Http2Session = new Http2Session(this.dialer, opened, this.clock, this, {
        onReady: () => {
          // The service may send its settings again, with another limit.
          if (this.openings.delete(opening)) this.ready(session, settle);
          else this.assignWaiting();
        },
        onRoom: () => this.assignWaiting(),
        onClosed: (cause) => {
          this.sessions = this.sessions.filter((other) => other !== session);
          failed(cause ?? new Error('the session was closed'));
        },
      });
      opening.session = session;
      if (opener === undefined) return;
      const at = this.waiting.indexOf(opener);
      if (at === -1) return;
      this.waiting.splice(at, 1);
      opener.start(session, true, this.keep ? undefined : () => session.destroy());
    });
    const opening: Opening = { opener, dialing };
    this.openings.add(opening);
    return opening;
  }

  private ready(session: Http2Session, settle: Opening['settle']): void {
    if (this.closed) session.retire();
    else if (this.keep || settle !== undefined) this.sessions.push(session);
    settle?.(session.limit > 0 ? undefined : new Error('the service accepts no HTTP/2 requests (limit 0)'));
    if (this.keep) this.assignWaiting();
  }

  private fail(slot: Http2Slot, error: Error): void {
    const at = this.waiting.indexOf(slot);
    if (at === -1) return;
    this.waiting.splice(at, 1);
    slot.fail(this.clock.now(), error);
  }
}

/** A slot in a session, for one request. */
class Http2Slot implements Connection {
  private readonly pool: Http2SessionPool;
  /** Set by `send`. The pool knows the slot only from then on, so `start` and `fail` may rely on it. */
  private pending: { request: SocketRequest; sink: ConnectionSink } | undefined;
  private stream: StreamControl | undefined;
  private after: (() => void) | undefined;
  private dead = false;
  /** Never uses a session that is already open. */
  readonly fresh: boolean;

  constructor(pool: Http2SessionPool, { fresh = false } = {}) {
    this.pool = pool;
    this.fresh = fresh;
  }

  get usable(): boolean {
    return !this.dead;
  }

  send(request: SocketRequest, sink: ConnectionSink): void {
    this.pending = { request, sink };
    this.pool.place(this);
  }

  /** Sends the request over this session; `after` is called when it has ended. */
  start(session: Http2Session, first: boolean, after?: () => void): void {
    const { request, sink } = this.pending!;
    this.after = after;
    this.stream = session.send(request, sink, first);
  }

  fail(atMs: number, error: Error): void {
    this.pending!.sink.onError(atMs, error);
  }

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  destroy(): void {
    if (this.dead) return;
    this.dead = true;
    this.pool.withdraw(this);
    this.stream?.cancel();
    this.after?.();
  }
}
