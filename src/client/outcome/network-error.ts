import type { Outcome } from '../../model/record.ts';

const TRUST = 'trust its authority with ca (--ca FILE), or accept any with insecure (--insecure)';

const CLOSED = 'the service, or a proxy before it, closed the connection before its answer: see its log';
const FRAMING = 'the service, or a proxy before it, violates HTTP/1.1: see its log';

const TLS_ALERT =
  'the service refused the TLS handshake: it may require another TLS version, another host name or a client certificate';

/** The remedy for a connection that cannot be opened in time. */
export const CONNECT_TIMEOUT_HINT =
  'no response from there: check address, port and firewall, and http or https';

/** Remedies by the code of the error. */
export const NETWORK_HINT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there: is the service running, is the port right?',
  ENOTFOUND: 'the host name does not resolve: check its spelling and your DNS',
  EAI_AGAIN: 'the DNS server did not answer: check the network',
  ECONNRESET: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_HEADERS_OVERFLOW:
    'look at the headers that the service, or a proxy before it, adds: cookies and policies grow',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: FRAMING,
  HTTP_UPGRADE: 'this may be the address of a WebSocket: check the path',
  ETIMEDOUT: CONNECT_TIMEOUT_HINT,
  EHOSTUNREACH: 'no route to the host: check the network',
  ENETUNREACH: 'no route to the host: check the network',
  EADDRNOTAVAIL: 'no local port is free: open fewer connections, or keep them (connection: warm)',
  EMFILE: 'the limit on open files is reached: raise it with ulimit -n, or lower the concurrency',
  ENOENT: 'there is no unix socket at that path: is the service running, is the path right?',
  ENOTSOCK: 'the file at that path is not a unix socket',
  EACCES: 'this user may not connect there: check the permissions of the socket',
  DEPTH_ZERO_SELF_SIGNED_CERT: `the certificate is self-signed: ${TRUST}`,
  SELF_SIGNED_CERT_IN_CHAIN: `the certificate is signed by an unknown authority: ${TRUST}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the certificate is signed by an unknown authority, or its chain is incomplete: ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT: `the certificate chain is incomplete: ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the certificate is signed by an unknown authority: ${TRUST}`,
  CERT_HAS_EXPIRED: 'the certificate has expired: renew it, or accept it with insecure (--insecure)',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name: check the URL',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    'the service does not support HTTP/1.1 there: use HTTP/2 with http: 2 (--http 2)',
  HTTP2_PROTOCOL_ERROR:
    'the service, or a proxy before it, violates HTTP/2: use HTTP/1.1 with http: 1 (--http 1)',
  HTTP2_UNAVAILABLE: 'use HTTP/1.1 with http: 1 (--http 1)',
  HTTP2_STREAM_RESET:
    'the service, or a proxy before it, cancelled this request: see its log; for REFUSED_STREAM lower streamsPerSession (--streams-per-session)',
  HTTP2_GOAWAY:
    'the service, or a proxy before it, rejected the connection: see its log; for ENHANCE_YOUR_CALM send fewer requests at once',
  HTTP2_SESSION_CLOSED:
    'the service is restarting, or limits the age of a connection or its number of requests: raise that limit',
  HTTP2_CONNECTION_LOST: 'the service, or a proxy before it, closed the connection: see its log',
  PROXY_UNREACHABLE: "check the proxy's address, or connect directly: leave out proxy (--proxy)",
  PROXY_AUTH: 'give the name and password in the proxy URL: http://name:password@host:port',
  PROXY_REFUSED:
    'the proxy may not know, reach or allow that host and port: ask its operator, or connect directly',
  HTTPParserError:
    'the server does not speak HTTP/1.1 there: check the port, http or https, and HTTP/2 (--http 2)',
  EPROTO: 'the TLS handshake failed: is this an http:// service?',
};

/** The outcome of a system error: its message, its code, and a remedy if one is known. */
export function networkError(error: Error): Outcome {
  const { message, code } = describeError(error);
  const outcome: Outcome = { kind: 'network', message };
  if (code !== undefined) {
    outcome.code = code;
    const hint = hintOf(code, message);
    if (hint !== undefined) outcome.hint = hint;
  }
  return outcome;
}

function hintOf(code: string, message: string): string | undefined {
  // A response that starts like HTTP is HTTP with an error in it.
  if (code === 'HTTPParserError' && !message.includes('Expected HTTP/')) return FRAMING;
  const known = NETWORK_HINT[code];
  if (known !== undefined || !code.startsWith('ERR_SSL')) return known;
  return code.includes('_ALERT_') ? TLS_ALERT : NETWORK_HINT.EPROTO;
}

/** Clearer messages for undici's errors. By code and message, because several of its errors share a code. */
const REWORDED: Readonly<Record<string, { message: string; code?: string }>> = {
  'UND_ERR_SOCKET other side closed': { message: 'the server closed the connection' },
  'UND_ERR_SOCKET bad upgrade': {
    message: 'the server responded with 101 Switching Protocols, which was not requested',
    code: 'HTTP_UPGRADE',
  },
  'UND_ERR_HEADERS_OVERFLOW Headers Overflow Error': {
    message: 'the response has more than 16 KiB of headers',
  },
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH Response body length does not match content-length header': {
    message: 'the body length does not match content-length, or there are two lengths',
  },
};

// Appended by Node if a connection failed before it had a local address.
const NO_LOCAL_ADDRESS = ' - Local (undefined:undefined)';

/**
 * Message and code of a system error. A failed connect to several addresses is an AggregateError with an empty message: its
 * first error is used.
 */
export function describeError(error: Error): { message: string; code?: string } {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  // undici's parser errors have a name and, for most of them, no code.
  const named = error.name === 'HTTPParserError' ? error.name : undefined;
  const code = named ?? (error as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException).code;
  // OpenSSL's messages are locations in its source; `reason` is the readable part.
  const { reason } = first as { reason?: unknown };
  const readable =
    code?.startsWith('ERR_SSL') && typeof reason === 'string' ? `TLS failed: ${reason}` : first.message;
  const message = readable.replace(NO_LOCAL_ADDRESS, '') || code || error.name;
  return code === undefined ? { message } : { message, code, ...REWORDED[`${code} ${message}`] };
}
