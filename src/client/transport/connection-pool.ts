import type { Clock } from '../../model/clock.ts';
import { type ConnectOptions, DEFAULT_STREAMS_PER_SESSION } from '../../model/plan.ts';
import type { ConnectionPool } from './connection.ts';
import type { Dialer } from './dialer.ts';
import { Http2SessionPool } from './http2-session-pool.ts';
import { SocketPool } from './socket-pool.ts';

/** Limits of every connection. */
export interface PoolLimits {
  /** How long a connection that is opened ahead of need may take. */
  connectMs: number;
  /** The largest response headers. */
  headerBytes: number;
}

/** The pool that the options ask for. */
export function connectionPool(
  dialer: Dialer,
  clock: Clock,
  options: ConnectOptions,
  limits: PoolLimits,
): ConnectionPool {
  const keep = options.connection !== 'per-request';
  const { http = 1, streamsPerSession: limit = DEFAULT_STREAMS_PER_SESSION } = options;
  return http === 2
    ? new Http2SessionPool(dialer, clock, { limit, keep, headerBytes: limits.headerBytes })
    : new SocketPool(dialer, clock, { keep, ...limits });
}
