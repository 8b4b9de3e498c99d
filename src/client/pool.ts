import type { Clock } from '../model/clock.ts';
import { Connection, type ConnectOptions } from './connection.ts';

/** The idle connections of one origin. The one used last is used next, so that few stay warm. */
export class ConnectionPool {
  private readonly idle: Connection[] = [];
  private readonly origin: URL;
  private readonly clock: Clock;
  private readonly options: ConnectOptions;
  private closed = false;

  constructor(origin: URL, clock: Clock, options: ConnectOptions) {
    this.origin = origin;
    this.clock = clock;
    this.options = options;
  }

  /** An idle connection, open if there is one, or a new one that will open with its first request. */
  acquire(): Connection {
    const open = this.idle.findLastIndex((connection) => connection.isOpen);
    const found = open === -1 ? this.idle.pop() : this.idle.splice(open, 1)[0];
    return found ?? new Connection(this.origin, this.clock, this.options);
  }

  /** Takes back a connection whose response has ended. One that was destroyed is forgotten. */
  release(connection: Connection): void {
    if (!connection.usable) return;
    if (this.closed) connection.destroy();
    else this.idle.push(connection);
  }

  /** Sees to it that `count` idle connections are open. Rejects with the cause when one cannot be, within `limitMs`. */
  async warm(count: number, limitMs: number): Promise<void> {
    while (this.idle.length < count) this.idle.push(new Connection(this.origin, this.clock, this.options));
    await Promise.all(this.idle.slice(-count).map((connection) => connection.open(limitMs)));
  }

  /** Closes the idle connections, and those still in use when they come back. */
  close(): void {
    this.closed = true;
    for (const connection of this.idle.splice(0)) connection.destroy();
  }
}
