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
  return Object.assign(new Error(`no connection within ${limitMs} ms`), { code: 'ETIMEDOUT' });
}
