import type { Clock } from '../../model/clock.ts';
import { DEFAULT_STREAMS_PER_SESSION } from '../../model/plan.ts';
import type { ConnectionPool } from './connection.ts';
import { Dialer } from './dialer.ts';
import { Http2SessionPool } from './http2-session-pool.ts';
import { SocketPool } from './socket-pool.ts';
import type { OpenTransport, TransportSettings } from './transport.ts';

/** Sockets of Node.js, each read of which is stamped. */
export const openNodeTransport: OpenTransport = (
  clock: Clock,
  { origin, connect, connectMs, headerBytes, env }: TransportSettings,
): ConnectionPool => {
  const dialer = new Dialer(origin, clock, connect, env);
  const { connection, http = 1, streamsPerSession = DEFAULT_STREAMS_PER_SESSION } = connect;
  const keep = connection !== 'per-request';
  return http === 2
    ? new Http2SessionPool(dialer, clock, { limit: streamsPerSession, keep, headerBytes })
    : new SocketPool(dialer, clock, { keep, connectMs, headerBytes });
};
