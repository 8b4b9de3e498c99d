import type { Clock } from '../../model/clock.ts';
import type { ConnectOptions } from '../../model/plan.ts';
import type { ConnectionPool } from './connection.ts';

/** What a transport is told of its endpoint. */
export interface TransportSettings {
  origin: URL;
  connect: ConnectOptions;
  /** Time limit for opening a connection ahead of need, in ms. */
  connectMs: number;
  /** Maximum size of the response headers. */
  headerBytes: number;
  /** The environment variables, for proxies. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Makes the connections to one origin. Opens none. */
export type OpenTransport = (clock: Clock, settings: TransportSettings) => ConnectionPool;
