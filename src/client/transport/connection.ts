import { formatTimeLimit } from '../../model/format.ts';
import type { ConnectionInfo } from '../../model/record.ts';

/** Why a connection could not be opened, if the system has no code for it. */
export type ConnectErrorCode =
  /** The proxy is unreachable. */
  | 'PROXY_UNREACHABLE'
  /** The proxy requires (other) credentials. */
  | 'PROXY_AUTH'
  /** The proxy refuses to connect to the service. */
  | 'PROXY_REFUSED'
  /** HTTP/2 was requested, and the service does not support it. */
  | 'HTTP2_UNAVAILABLE';

/** An error with a code, like the system's own errors. The message must not contain a secret. */
export function connectError(code: ConnectErrorCode, message: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

/** No connection within a time limit. */
export function connectTimeout(limitMs: number): Error {
  return Object.assign(new Error(`no connection within ${formatTimeLimit(limitMs)}`), { code: 'ETIMEDOUT' });
}

export type { ConnectOptions } from '../../model/plan.ts';

/**
 * When the phases of opening a connection ended, on the machine's clock. With a proxy, `tcpAt` is when the path to the service
 * was ready: the proxy's response to CONNECT, or TCP (and TLS) to a proxy that forwards the request itself.
 */
export interface ConnectPhases {
  startedAt: number;
  /** Absent if no name was looked up: an IP address, a pinned or cached name, a unix socket. */
  dnsAt?: number;
  tcpAt?: number;
  tlsAt?: number;
}

/**
 * Receives the events of one request on a connection, immediately. Data parsed from one socket read has the stamp of that read
 * (see `SocketReads`); for other events the clock is read first.
 */
export interface ConnectionSink {
  /** The request was sent on this socket. `phases` is set if the connection was opened for this request. */
  onSocket(info: ConnectionInfo, phases: ConnectPhases | undefined): void;
  /** `atMs`: when the last write of the request began, over TLS and HTTP/2 when it ended. */
  onSent(atMs: number): void;
  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void;
  /** Bytes of the body. Chunks with the same `socketRead` came in one read of the socket, one after another. */
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void;
  onEnd(atMs: number): void;
  /**
   * The connection was lost, or the response was cut off. `unanswered`: the connection was open before the request, and no
   * byte of the response has arrived, so the request may be sent again.
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

/** Carries one request at a time: a socket, or a slot in a shared HTTP/2 session. */
export interface Connection {
  /** False once it was destroyed: it takes no more requests. */
  readonly usable: boolean;
  /** Sends one request. The caller sends no other before this one has ended. */
  send(request: SocketRequest, sink: ConnectionSink): void;
  /** Stops reading the response until `resume`. Data that was already read is still reported. Other streams continue. */
  pause(): void;
  resume(): void;
  /** Aborts the request in flight. A shared session continues. */
  destroy(): void;
}

/** The connections to one origin. */
export interface ConnectionPool {
  /** A connection for one request: an open one if available, else one that opens with the request. */
  acquire(): Connection;
  /**
   * Destroys a connection on which a request was not answered (`unanswered` in `ConnectionSink.onError`), and returns a new
   * one.
   */
  replace(connection: Connection): Connection;
  /** Returns a connection whose response has ended to the pool. A destroyed one is dropped. */
  release(connection: Connection): void;
  /**
   * Opens connections until `count` requests would find one open. Rejects with the cause if one cannot be opened within
   * `limitMs`. If connections are not kept, opens one and closes it again.
   */
  warm(count: number, limitMs: number): Promise<void>;
  /** Closes the idle connections; the next requests open new ones. */
  drop(): void;
  /** Closes the idle connections, and those in use when they are released. */
  close(): void;
}
