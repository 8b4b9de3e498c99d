import type { Clock } from '../../model/clock.ts';
import type { ConnectionPool } from './connection.ts';
import type { OpenTransport, TransportSettings } from './transport.ts';

/** The connections of a client. The sockets of Node.js, and the packages for them, are loaded with the first request. */
export class LazyPool {
  private readonly clock: Clock;
  private readonly settings: TransportSettings;
  private pool: ConnectionPool | undefined;
  private loading: Promise<ConnectionPool> | undefined;
  private closed = false;

  /** `open`: the transport, where it is loaded already. */
  constructor(clock: Clock, settings: TransportSettings, open: OpenTransport | undefined) {
    this.clock = clock;
    this.settings = settings;
    this.pool = open?.(clock, settings);
  }

  /** A promise only for the first requests, while the transport is being loaded. */
  get(): ConnectionPool | Promise<ConnectionPool> {
    if (this.pool !== undefined) return this.pool;
    this.loading ??= import('./node-transport.ts').then(({ openNodeTransport }) => {
      const pool = openNodeTransport(this.clock, this.settings);
      if (this.closed) pool.close();
      this.pool = pool;
      return pool;
    });
    return this.loading;
  }

  drop(): void {
    this.pool?.drop();
  }

  close(): void {
    this.closed = true;
    this.pool?.close();
  }
}
