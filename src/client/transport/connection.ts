import { formatTimeLimit } from '../../model/format.ts';
import type { ConnectionInfo } from '../../model/record.ts';

/** Why a connection could not be made, where the system has no code for it. */
export type ConnectErrorCode =
  /** The proxy itself cannot be reached. */
  | 'PROXY_UNREACHABLE'
  /** The proxy wants a name and a password, or others. */
  | 'PROXY_AUTH'
  /** The proxy does not make a way to the service. */
  | 'PROXY_REFUSED'
  /** HTTP/2 was asked for, and the service does not speak it. */
  | 'HTTP2_UNAVAILABLE';

/** An error with a code, as the system's own errors have. The message holds no secret. */
export function connectError(code: ConnectErrorCode, message: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

/** No connection within a time limit. */
export function connectTimeout(limitMs: number): Error {
  return Object.assign(new Error(`no connection within ${formatTimeLimit(limitMs)}`), { code: 'ETIMEDOUT' });
}

export type { ConnectOptions } from '../../model/plan.ts';

/**
 * When the phases of opening a connection were done, on the machine's clock. Through a proxy, `tcpAt` is when the way to
 * the service stood: the proxy's answer to CONNECT, or TCP (and TLS) to a proxy that is sent the request itself.
 */
export interface ConnectPhases {
  startedAt: number;
  /** Absent where no name was looked up: an address in figures, a pinned or already known name, a unix socket. */
  dnsAt?: number;
  tcpAt?: number;
  tlsAt?: number;
}

/**
 * What a connection reports of one request. Every call is made at once. What was parsed out of one read of the socket has
 * the stamp of that read (see `SocketReads`); of anything else, `atMs` was read first thing.
 */
export interface ConnectionSink {
  /** The request went to this socket; the phases are there when the connection was made for this request. */
  onSocket(info: ConnectionInfo, phases: ConnectPhases | undefined): void;
  onSent(atMs: number): void;
  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void;
  /** Bytes of the body. Chunks with the same `socketRead` came in one read of the socket, one after another. */
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void;
  onEnd(atMs: number): void;
  /**
   * The connection was lost, or the response broken off. `unanswered`: the connection was open before the request, and
   * not one byte of the response has come, so that the request may be sent again.
   */
  onError(atMs: number, error: Error, unanswered?: boolean): void;
}

/** The response's headers are larger than the connection's limit. */
export class HeadersTooLarge extends Error {
  override readonly name = 'HeadersTooLarge';
  /** Their size, or the part of it that was read, in bytes. */
  readonly bytes: number;

  constructor(bytes: number) {
    super('the response headers are too large');
    this.bytes = bytes;
  }
}

/** Response headers, their names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A request as it goes to the socket. */
export interface SocketRequest {
  method: 'GET' | 'POST';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** What carries one request at a time: a socket of its own, or a place in an HTTP/2 session that others share. */
export interface Connection {
  /** False once it was destroyed: it takes no more requests. */
  readonly usable: boolean;
  /** Sends one request. The caller sends no other before this one has ended. */
  send(request: SocketRequest, sink: ConnectionSink): void;
  /** Reads no more of the response until `resume`. What was read already is still told. Others on a session go on. */
  pause(): void;
  resume(): void;
  /** Ends what is in flight on it at once. A session that others share goes on. */
  destroy(): void;
}

/** The connections to one origin. */
export interface ConnectionPool {
  /** A connection for one request: an open one if there is one, else one that opens with the request. */
  acquire(): Connection;
  /**
   * A new connection in place of one on which a request was not answered (`unanswered` in `ConnectionSink.onError`), which
   * is destroyed.
   */
  replace(connection: Connection): Connection;
  /** Takes back a connection whose response has ended. One that was destroyed is forgotten. */
  release(connection: Connection): void;
  /**
   * Sees to it that `count` requests would find open connections. Rejects with the cause when one cannot be opened within
   * `limitMs`. Where connections are not kept, one is opened and closed again.
   */
  warm(count: number, limitMs: number): Promise<void>;
  /** Closes the idle connections; the next requests open others. */
  drop(): void;
  /** Closes the idle connections, and those still in use when they come back. */
  close(): void;
}
