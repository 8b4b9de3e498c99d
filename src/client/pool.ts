import type { Clock } from '../model/clock.ts';
import { type ConnectOptions, DEFAULT_STREAMS_PER_SESSION } from '../model/plan.ts';
import type { Connection, ConnectionPool } from './connection.ts';
import type { Dialer } from './dialer.ts';
import { SessionPool } from './session-pool.ts';
import { SocketConnection } from './socket-connection.ts';

/** The pool that the options ask for. */
export function connectionPool(dialer: Dialer, clock: Clock, options: ConnectOptions): ConnectionPool {
  const keep = options.connection !== 'per-request';
  const { http = 1, streamsPerSession: limit = DEFAULT_STREAMS_PER_SESSION } = options;
  return http === 2
    ? new SessionPool(dialer, clock, { limit, keep })
    : new SocketPool(() => new SocketConnection(dialer, clock), keep);
}

/** HTTP/1.1: one socket for each request at once. The one used last is used next, so that few stay warm. */
class SocketPool implements ConnectionPool {
  private readonly idle: SocketConnection[] = [];
  private readonly make: () => SocketConnection;
  private readonly keep: boolean;
  private closed = false;

  constructor(make: () => SocketConnection, keep: boolean) {
    this.make = make;
    this.keep = keep;
  }

  acquire(): Connection {
    const open = this.idle.findLastIndex((connection) => connection.isOpen);
    const found = open === -1 ? this.idle.pop() : this.idle.splice(open, 1)[0];
    return found ?? this.make();
  }

  release(connection: Connection): void {
    if (!connection.usable) return;
    if (this.closed || !this.keep) connection.destroy();
    else this.idle.push(connection as SocketConnection);
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
  }

  close(): void {
    this.closed = true;
    this.drop();
  }
}
