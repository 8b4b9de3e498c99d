import type { Clock } from '../../model/clock.ts';
import type { Connection, ConnectionPool } from './connection.ts';
import type { Dialer } from './dialer.ts';
import { DROPPED_WITHIN_MS, SocketConnection } from './socket-connection.ts';

/** Options of a socket pool. */
export interface SocketPoolOptions {
  /** False: each request has its own connection. */
  keep: boolean;
  /** Time limit for opening a connection ahead of need. */
  connectMs: number;
  /** Maximum size of the response headers. */
  headerBytes?: number;
}

/**
 * HTTP/1.1: one socket per concurrent request. The most recently used socket is used next, so that few are kept warm.
 *
 * Some servers (such as llama.cpp's) announce keep-alive, but close the connection after each response. A request that is sent
 * in between is lost. Once a server has done so, a connection is set aside after its response, and another one is opened for
 * the next request.
 */
export class SocketPool implements ConnectionPool {
  private readonly idle: SocketConnection[] = [];
  /** Connections whose response has ended, waiting for the server to close them. */
  private readonly aside = new Map<SocketConnection, NodeJS.Timeout>();
  private serverDrops = false;
  private closed = false;
  private readonly dialer: Dialer;
  private readonly clock: Clock;
  private readonly keep: boolean;
  private readonly connectMs: number;
  private readonly headerBytes: number | undefined;

  constructor(dialer: Dialer, clock: Clock, { keep, connectMs, headerBytes }: SocketPoolOptions) {
    this.dialer = dialer;
    this.clock = clock;
    this.keep = keep;
    this.connectMs = connectMs;
    this.headerBytes = headerBytes;
  }

  acquire(): Connection {
    const open = this.idle.findLastIndex((connection) => connection.isOpen);
    const best = open === -1 ? this.idle.findLastIndex((connection) => connection.isOpening) : open;
    const found = best === -1 ? this.idle.pop() : this.idle.splice(best, 1)[0];
    return found ?? this.make();
  }

  replace(connection: Connection): Connection {
    connection.destroy();
    const unanswered = connection as SocketConnection;
    if (unanswered.wasDropped) this.serverDrops = true;
    return this.make(unanswered);
  }

  release(connection: Connection): void {
    if (!connection.usable) return;
    const answered = connection as SocketConnection;
    if (this.closed || !this.keep) answered.destroy();
    else if (this.serverDrops && answered.isOpen) this.putAside(answered);
    else this.idle.push(answered);
  }

  async warm(count: number, limitMs: number): Promise<void> {
    const wanted = this.keep ? count : 1;
    while (this.idle.length < wanted) this.idle.push(this.make());
    try {
      await Promise.all(this.idle.slice(-wanted).map((connection) => connection.open(limitMs)));
    } finally {
      if (!this.keep) this.drop();
    }
  }

  drop(): void {
    for (const connection of this.idle.splice(0)) connection.destroy();
    for (const connection of [...this.aside.keys()]) this.forget(connection);
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  private make(replaces?: SocketConnection): SocketConnection {
    const connection = new SocketConnection(this.dialer, this.clock, this.headerBytes);
    connection.replaces = replaces;
    connection.onIdleClose = () => {
      if (connection.wasDropped) this.serverDrops = true;
      this.forget(connection);
    };
    return connection;
  }

  /** Replaces a connection that the server will probably close, and waits to see whether it does. */
  private putAside(answered: SocketConnection): void {
    const next = this.make(answered);
    this.idle.push(next);
    // If this fails, the request that gets the connection opens its own, and reports the error.
    next.open(this.connectMs).catch(() => {});
    const timer = setTimeout(() => {
      if (answered.isOpen) this.serverDrops = false;
      this.forget(answered);
    }, DROPPED_WITHIN_MS);
    this.aside.set(answered, timer.unref());
  }

  private forget(connection: SocketConnection): void {
    const timer = this.aside.get(connection);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.aside.delete(connection);
    connection.destroy();
  }
}
