import { isIP } from 'node:net';
import * as z from 'zod';
import { DEFAULT_STREAMS_PER_SESSION, type PinnedName } from '../../model/plan.ts';
import { choice, flag, list, text, whole } from './fields.ts';

/** The connection settings: `connection` of the scenario, and fields of a target. */

/** The parser of `connection`. */
export const connectionUse = choice(['warm', 'cold', 'per-request']).describe(
  'Connection reuse. warm: connections are opened before the measured window and reused. cold: each block starts without connections; its first requests open them, and they are reused until its end. per-request: each request opens its own connection.',
);

const A_PROXY = 'env, or the URL of an HTTP proxy such as http://proxy:3128';
const A_PIN = 'host:port:address, such as api.example.com:443:192.0.2.7';

/** The connection fields of a target. */
export const connectionFields = {
  http: z
    .literal([1, 2], { error: '1 or 2' })
    .optional()
    .describe(
      'HTTP version: 1, with one connection per concurrent request, or 2, with several requests per connection. Default: 1.',
    ),
  streamsPerSession: whole(1)
    .optional()
    .describe(
      `HTTP/2: maximum number of concurrent requests per connection, if the server allows as many. Default: ${DEFAULT_STREAMS_PER_SESSION}.`,
    ),
  ca: text('the path of a PEM file')
    .optional()
    .describe(
      "A PEM file of certificates to trust in addition to the default ones, in this scenario's folder or below it.",
    ),
  insecure: flag().optional().describe('Accept any TLS certificate. Default: false.'),
  proxy: text(A_PROXY)
    .refine(isProxy, { error: A_PROXY })
    .optional()
    .describe(
      'The URL of an HTTP proxy, or env to use HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Default: no proxy, also if these variables are set.',
    ),
  unix: text('the path of a Unix socket')
    .optional()
    .describe(
      "Path of a Unix socket to connect to instead of the URL's host and port, relative to this scenario.",
    ),
  ip: z
    .literal([4, 6, 'auto'], { error: '4, 6 or auto' })
    .optional()
    .describe('Use only IPv4 or only IPv6 addresses. Default: auto, the one that connects first.'),
  dns: choice(['each', 'once'])
    .optional()
    .describe('When host names are looked up: each (for every connection) or once (per run). Default: each.'),
  resolve: list(
    text(A_PIN).transform((value, context): PinnedName => {
      const pin = parsePin(value);
      if (pin !== undefined) return pin;
      context.addIssue({ code: 'custom', message: A_PIN, input: value });
      return z.NEVER;
    }),
    `a list of ${A_PIN}`,
  )
    .optional()
    .describe('Addresses to use without a DNS lookup, each as host:port:address.'),
};

function isProxy(value: string): boolean {
  if (value === 'env') return true;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '';
}

/** `host:port:address`, several addresses separated by commas; IPv6 in brackets or without. */
function parsePin(value: string): PinnedName | undefined {
  const [, host, port, rest] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5}):(.+)$/.exec(value) ?? [];
  const addresses = (rest ?? '').split(',').map(bare);
  if (host === undefined || Number(port) > 65_535 || !addresses.every((address) => isIP(address) !== 0)) {
    return undefined;
  }
  return { host: bare(host), port: Number(port), addresses };
}

function bare(host: string): string {
  return host.trim().replace(/^\[(.*)\]$/, '$1');
}

/** A field of a target that conflicts with another one. */
interface ConnectionContradiction {
  message: string;
  path: string[];
  params: { hint: string };
}

/** The conflicts between the connection fields of a target. The target may have other problems. */
export function connectionContradictions(target: Record<string, unknown>): ConnectionContradiction[] {
  const { url, unix, proxy, ip, http, streamsPerSession } = target;
  const found: ConnectionContradiction[] = [];
  const add = (key: string, message: string, hint: string) =>
    found.push({ path: [key], message, params: { hint } });
  if (unix !== undefined && proxy !== undefined) {
    add(
      'proxy',
      'a Unix socket is on this machine and cannot be reached through a proxy',
      'omit unix or proxy',
    );
  }
  if (streamsPerSession !== undefined && http !== 2) {
    add('streamsPerSession', 'only HTTP/2 has several requests per connection', 'add http: 2');
  }
  const host = typeof url === 'string' && URL.canParse(url) ? bare(new URL(url).hostname) : '';
  const family = isIP(host);
  if (family !== 0 && (ip === 4 || ip === 6) && ip !== family && unix === undefined) {
    add('ip', `the url has an IPv${family} address`, `omit ip, or use a host name in the url`);
  }
  return found;
}
