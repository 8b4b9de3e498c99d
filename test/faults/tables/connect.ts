import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CA } from '../../support/chat-server.ts';
import { close, type Expectation, type Fault, type FaultGroup, fails, reset, type Step } from '../fault.ts';
import { response } from '../http.ts';

const CLOSED_EARLY = 'closed the connection before its answer';
const CONNECT_MS = { timeouts: { connectMs: 300 } };

const pem = (file: string) => readFileSync(join(import.meta.dirname, '../tls', file), 'utf8');
const trusting = (...authorities: readonly string[]) => ({ connect: { ca: authorities.join('\n') } });
const ofSystem = (expect: Expectation): Expectation => ({ ...expect, system: true });

/** The handshake is answered with `onConnect`. */
function tls(
  name: string,
  server: string,
  onConnect: readonly Step[],
  expect: Expectation,
  limits = {},
): Fault {
  const client = () => ({ ...trusting(CA), ...limits });
  return { name, server, listening: 'tls', onConnect, expect, client };
}

/** The handshake is answered with a certificate of test/faults/tls. */
function certificate(
  name: string,
  file: string,
  message: string,
  hint: string,
  trusted: readonly string[] = [],
): Fault {
  return {
    ...{ name, server: `shows ${file}`, listening: 'tls', certificate: file },
    client: () => trusting(CA, ...trusted.map(pem)),
    expect: ofSystem(fails('network', message, hint)),
  };
}

/** Requests to a plain service reach the proxy with the whole URL in them. */
function proxy(name: string, server: string, answer: readonly Step[], expect: Expectation): Fault {
  return {
    ...{ name: `proxy: ${name}`, server, answer, expect },
    client: ({ port }) => ({
      baseUrl: 'http://service.test/v1',
      connect: { proxy: `http://127.0.0.1:${port}` },
    }),
  };
}

/** A service with TLS is reached by a tunnel. */
function tunnel(
  name: string,
  server: string,
  answer: readonly Step[],
  expect: Expectation,
  limits = {},
): Fault {
  return {
    ...{ name: `tunnel: ${name}`, server, listening: 'tunnel', answer, expect },
    client: ({ port }) => ({
      ...{ baseUrl: 'https://stream.test/v1', connect: { proxy: `http://127.0.0.1:${port}`, ca: CA } },
      ...limits,
    }),
  };
}

/** No connection, or none that can be used. */
export const CONNECT: FaultGroup = {
  title: 'Connecting',
  faults: [
    {
      ...{ name: 'connection refused', server: 'does not listen', listening: 'refused' },
      expect: fails('network', 'ECONNREFUSED', 'is the service running'),
    },
    {
      ...{ name: 'reset on accept', server: 'accepts the connection and resets it', onConnect: [reset] },
      expect: ofSystem(fails('network', 'ECONNRESET', CLOSED_EARLY)),
    },
    {
      ...{ name: 'closed on accept', server: 'accepts the connection and closes it', onConnect: [close] },
      expect: fails('network', 'the server closed the connection', CLOSED_EARLY),
    },
    {
      ...{ name: 'silence on accept', server: 'accepts the connection and never answers', onConnect: [] },
      expect: { ...fails('timeout', 'no byte of the body within 300 ms'), phase: 'first_byte' },
      client: () => ({ timeouts: { firstByteMs: 300 } }),
    },
    tls(
      'TLS: plain HTTP',
      'speaks plain HTTP on a TLS port',
      [response('400 Bad Request', 'TLS?'), close],
      ofSystem(fails('network', 'TLS failed', 'http:// service')),
    ),
    tls(
      'TLS: garbage',
      'answers the handshake with random bytes',
      [Buffer.from('000102f0f1f2f3f4f5f6f7f8f9fafbfcfd', 'hex')],
      ofSystem(fails('network', 'TLS failed', 'http:// service')),
    ),
    tls(
      'TLS: silence',
      'never answers the handshake',
      [],
      { ...fails('timeout', 'no connection within 300 ms'), phase: 'connect' },
      CONNECT_MS,
    ),
    tls(
      'TLS: reset',
      'resets the connection in the handshake',
      [reset],
      ofSystem(fails('network', 'ECONNRESET', CLOSED_EARLY)),
    ),
    tls(
      'TLS: closed',
      'closes the connection in the handshake',
      [close],
      ofSystem(fails('network', 'before secure TLS connection was established', CLOSED_EARLY)),
    ),
    tls(
      'TLS: alert',
      'sends the alert handshake_failure',
      [Buffer.from('15030300020228', 'hex'), close],
      ofSystem(fails('network', 'TLS failed', 'refused the TLS handshake')),
    ),
    tls(
      'TLS: record cut',
      'closes in the middle of its ServerHello',
      [Buffer.from('160303007a020000760303', 'hex'), close],
      ofSystem(fails('network', 'before secure TLS connection was established', CLOSED_EARLY)),
    ),
    certificate('TLS: certificate expired', 'expired.pem', 'expired', 'has expired', ['expired.pem']),
    certificate(
      'TLS: certificate not valid yet',
      'not-yet-valid.pem',
      'not yet valid',
      'clock of this machine',
      ['not-yet-valid.pem'],
    ),
    certificate('TLS: certificate self-signed', 'self-signed.pem', 'self-signed', '--ca FILE'),
    certificate('TLS: certificate expired and unknown', 'expired.pem', 'expired', 'has expired'),
    proxy(
      'credentials missing',
      'answers 407',
      [response('407 Proxy Authentication Required', '', 'text/plain')],
      fails('http_error', 'HTTP 407', 'http://name:password@host:port'),
    ),
    proxy(
      'bad gateway',
      'answers 502 with a page',
      [response('502 Bad Gateway', '<html><h1>502 Bad Gateway</h1></html>', 'text/html')],
      fails('http_error', 'HTTP 502', ''),
    ),
    proxy(
      'closed',
      'closes the connection after the request',
      [close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    tunnel(
      'credentials missing',
      'answers 407 to CONNECT',
      ['HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'requires credentials', 'name:password'),
    ),
    tunnel(
      'refused',
      'answers 403 to CONNECT',
      ['HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'HTTP 403 Forbidden', 'the proxy may not'),
    ),
    tunnel(
      'bad gateway',
      'answers 502 to CONNECT',
      ['HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'HTTP 502', 'the proxy may not'),
    ),
    tunnel(
      'closed',
      'closes the connection after CONNECT',
      [close],
      fails('network', 'without a response', 'the proxy may not'),
    ),
    tunnel(
      'reset',
      'resets the connection after CONNECT',
      [reset],
      ofSystem(fails('network', 'ECONNRESET', CLOSED_EARLY)),
    ),
    tunnel(
      'not a proxy',
      'answers CONNECT with the banner of SSH',
      ['SSH-2.0-OpenSSH_9.6\r\n'],
      fails('network', 'is not an HTTP proxy', 'the proxy may not'),
    ),
    tunnel(
      'endless head',
      'answers CONNECT with a head of 40 KiB',
      [`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}`],
      fails('network', 'more than 16 KiB of headers', 'the proxy may not'),
    ),
    tunnel(
      'silence',
      'never answers CONNECT',
      [],
      { ...fails('timeout', 'no connection within 300 ms'), phase: 'connect' },
      CONNECT_MS,
    ),
    tunnel(
      'no TLS behind it',
      'makes a tunnel to a service without TLS',
      ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n', close],
      ofSystem(fails('network', 'TLS failed', '')),
    ),
  ],
};
