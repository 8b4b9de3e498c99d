import type { Socket } from 'node:net';
import { UserError } from '../../model/errors.ts';
import { nodeModule } from '../../model/node-modules.ts';
import { percentDecoded, urlSecrets } from '../../model/redaction/url-secrets.ts';
import { connectError } from './connection.ts';

/** An HTTP proxy. */
export interface HttpProxy {
  hostname: string;
  port: number;
  /** True for TLS to the proxy itself. */
  secure: boolean;
  /** `host:port`, for messages and records. */
  name: string;
  /** The value of `proxy-authorization`. Secret. */
  authorization?: string;
  /** Strings that must not be shown. */
  secrets: readonly string[];
}

/** The environment variables. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an origin: at the URL `setting`, from the environment (`setting` is `env`), or none. Throws a `UserError` for
 * an invalid proxy URL.
 *
 * Not the package proxy-from-env (2.1.0): it reads process.env instead of an argument, and decides 4 of our 17 test cases
 * otherwise: NO_PROXY=api.test does not cover v1.api.test, .api.test not api.test; a bare IPv6 address and CIDR never match.
 */
export function proxyFor(origin: URL, setting: string | undefined, env: ProxyEnv): HttpProxy | undefined {
  if (setting === undefined) return undefined;
  if (setting !== 'env') return parseProxy(setting, 'proxy');
  const variable = origin.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // The lower-case name takes precedence, as in curl.
  const value = env[variable.toLowerCase()] || env[variable];
  if (!value || isLoopback(hostnameOf(origin))) return undefined;
  if (isExempt(origin, env.no_proxy || env.NO_PROXY || '')) return undefined;
  return parseProxy(/^[a-z][\w+.-]*:\/\//i.test(value) ? value : `http://${value}`, variable);
}

/**
 * True if `NO_PROXY` contains the origin: `*`, a host, a domain with its subdomains (each optionally with a port), or an
 * address range in CIDR notation.
 */
export function isExempt(origin: URL, noProxy: string): boolean {
  const host = hostnameOf(origin);
  const port = portOf(origin);
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '' || entry === '*') return entry === '*';
      if (entry.includes('/')) return isInRange(host, entry);
      const [, name = '', only] = /^(\[[^\]]+\]|[^:]+|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
      return (
        (only === undefined || Number(only) === port) && (host === domain || host.endsWith(`.${domain}`))
      );
    });
}

function isInRange(host: string, range: string): boolean {
  const net = nodeModule('node:net');
  if (net === undefined) return false;
  const { BlockList, isIP } = net;
  const [network = '', bits = ''] = range.split('/', 2);
  const family = isIP(network);
  const prefix = Number(bits);
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(bits) || prefix > (family === 4 ? 32 : 128))
    return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostnameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** The port of an http or https URL. */
export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

// The embedded simulator and local servers are never behind a proxy. Other programs do the same.
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function parseProxy(text: string, from: string): HttpProxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    // The text is not shown: it may contain a password.
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
    authorization: secret ? authorization : undefined,
    secrets: secret ? [...urlSecrets(text), authorization] : [],
  };
}

/** Maximum size of a proxy's response to CONNECT. */
const MAX_HEAD_BYTES = 16_384;

/**
 * Requests a tunnel to `authority` (`host:port`) from the proxy that `socket` is connected to. Calls back once: without an error
 * when the tunnel is open; all data read from the socket after that comes from the service.
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
    finish(connectError('PROXY_REFUSED', `the proxy ${proxy.name} closed the connection without a response`));
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
    // Data of a service that sends first.
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
    `the proxy ${name} responded to CONNECT with more than ${MAX_HEAD_BYTES / 1024} KiB of headers`,
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
  const response = `HTTP ${status}${reason ? ` ${reason.slice(0, 300)}` : ''}`;
  return status === '407'
    ? connectError('PROXY_AUTH', `the proxy ${proxy.name} requires credentials (${response})`)
    : connectError(
        'PROXY_REFUSED',
        `the proxy ${proxy.name} refused to connect to the service (${response})`,
      );
}
