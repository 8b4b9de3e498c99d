import type { Socket } from 'node:net';
import { UserError } from '../../model/errors.ts';
import { percentDecoded, urlSecrets } from '../../model/redaction/url-secrets.ts';
import { connectError } from './connection.ts';

/** A proxy on the way to a service. */
export interface HttpProxy {
  hostname: string;
  port: number;
  /** TLS on the way to the proxy itself. */
  secure: boolean;
  /** `host:port`, for messages and records. */
  name: string;
  /** What `proxy-authorization` is to say. Secret. */
  authorization?: string;
  /** What must not be shown. */
  secrets: readonly string[];
}

/** The variables that name proxies, as an argument. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an origin: the one at a URL, the one that the environment names (`env`), or none. Throws a `UserError`
 * for an address that is no HTTP proxy's.
 */
export function proxyFor(origin: URL, setting: string | undefined, env: ProxyEnv): HttpProxy | undefined {
  if (setting === undefined) return undefined;
  if (setting !== 'env') return parseProxy(setting, 'proxy');
  const variable = origin.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // The lower-case spelling is the older one, and wins where both are set.
  const value = env[variable.toLowerCase()] || env[variable];
  if (!value || isLoopback(hostnameOf(origin))) return undefined;
  if (isExempt(origin, env.no_proxy || env.NO_PROXY || '')) return undefined;
  return parseProxy(/^[a-z][\w+.-]*:\/\//i.test(value) ? value : `http://${value}`, variable);
}

/** True when `NO_PROXY` names the origin: `*`, a host, a domain and all below it, each with a port or without. */
export function isExempt(origin: URL, noProxy: string): boolean {
  const host = hostnameOf(origin);
  const port = portOf(origin);
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '' || entry === '*') return entry === '*';
      const [, name = '', only] = /^(\[[^\]]+\]|[^:]+|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
      return (
        (only === undefined || Number(only) === port) && (host === domain || host.endsWith(`.${domain}`))
      );
    });
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostnameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** The port of an http or https URL. */
export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

// The embedded simulator and local servers are never behind a proxy, and other programs see it the same way.
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function parseProxy(text: string, from: string): HttpProxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    // The text is not repeated: it may hold a password.
    throw new UserError('usage', {
      message: `${from} is not the URL of an HTTP proxy${url === undefined ? '' : ` (${url.protocol})`}`,
      hint: 'write it as http://host:port; other kinds of proxy (SOCKS) are not supported',
    });
  }
  const [user, password] = [percentDecoded(url.username), percentDecoded(url.password)];
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const secret = user !== '' || password !== '';
  const port = portOf(url);
  return {
    hostname: hostnameOf(url),
    port,
    secure: url.protocol === 'https:',
    name: `${url.hostname}:${port}`,
    ...(secret ? { authorization } : {}),
    secrets: secret ? [...urlSecrets(text), authorization] : [],
  };
}

/** More than any proxy has to say before a tunnel stands. */
const MAX_HEAD_BYTES = 16_384;

/**
 * Asks the proxy at the other end of `socket` for a tunnel to `authority` (`host:port`). Calls back once: without an
 * error when the tunnel stands, and whatever is read from the socket then comes from the service.
 */
export function openTunnel(
  socket: Socket,
  proxy: HttpProxy,
  authority: string,
  done: (error?: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (error?: Error) => {
    socket.off('data', onData).off('end', onEnd).off('error', finish);
    done(error);
  };
  const onEnd = () =>
    finish(connectError('PROXY_REFUSED', `the proxy ${proxy.name} closed the connection without an answer`));
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    if (end === -1) {
      if (!couldBeHttp(all)) finish(refusal(proxy, all.toString('latin1')));
      else if (bytes > MAX_HEAD_BYTES) finish(endlessHead(proxy));
      return;
    }
    socket.pause();
    const head = all.toString('latin1', 0, end);
    if (!/^HTTP\/1\.\d 2\d\d/.test(head)) return finish(refusal(proxy, head));
    socket.off('data', onData);
    // The first words of a service that speaks first.
    if (all.byteLength > end + 4) socket.unshift(all.subarray(end + 4));
    finish();
  };
  socket.on('data', onData).on('end', onEnd).on('error', finish);
  const authorization =
    proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${authorization}\r\n`);
}

function endlessHead({ name }: HttpProxy): Error {
  return connectError(
    'PROXY_REFUSED',
    `the proxy ${name} answered CONNECT with more than ${MAX_HEAD_BYTES / 1024} KiB of headers`,
  );
}

function couldBeHttp(bytes: Buffer): boolean {
  return 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7));
}

function refusal(proxy: HttpProxy, head: string): Error {
  const [, status, reason] = /^HTTP\/1\.\d (\d{3}) ?([^\r\n]*)/.exec(head) ?? [];
  if (status === undefined) {
    return connectError('PROXY_REFUSED', `the server at ${proxy.name} is not an HTTP proxy`);
  }
  const said = `HTTP ${status}${reason ? ` ${reason.slice(0, 300)}` : ''}`;
  return status === '407'
    ? connectError('PROXY_AUTH', `the proxy ${proxy.name} wants credentials (${said})`)
    : connectError('PROXY_REFUSED', `the proxy ${proxy.name} refused to connect to the service (${said})`);
}
