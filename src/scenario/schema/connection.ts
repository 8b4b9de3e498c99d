import { isIP } from 'node:net';
import * as z from 'zod';
import { DEFAULT_STREAMS_PER_SESSION, type PinnedName } from '../../model/plan.ts';
import { choice, flag, list, text, whole } from './fields.ts';

/** How connections are made: a word for the whole scenario, and fields of a target. */

/** The parser of `connection`. */
export const connectionUse = choice(['warm', 'cold', 'per-request']).describe(
  'How long a connection lasts. warm: opened ahead of the measured window, and kept. cold: the measured window of each block begins without one; its first requests open them, and they are kept to its end. per-request: a new one for each request.',
);

const A_PROXY = 'env, or the URL of an HTTP proxy such as http://proxy:3128';
const A_PIN = 'host:port:address, such as api.example.com:443:192.0.2.7';

/** The fields of a target that say how connections to it are made. */
export const connectionFields = {
  http: z
    .literal([1, 2], { error: '1 or 2' })
    .optional()
    .describe(
      'HTTP version: 1, with a connection for each request at once, or 2, with several requests on one. Default: 1.',
    ),
  streamsPerSession: whole(1)
    .optional()
    .describe(
      `HTTP/2: requests at once on one connection, where the service allows as many. Default: ${DEFAULT_STREAMS_PER_SESSION}.`,
    ),
  ca: text('the path of a PEM file')
    .optional()
    .describe(
      "A file of PEM certificates that are trusted beside the usual ones, in this scenario's folder or below it.",
    ),
  insecure: flag().optional().describe('Accept any certificate. Default: false.'),
  proxy: text(A_PROXY)
    .refine(isProxy, { error: A_PROXY })
    .optional()
    .describe(
      'An HTTP proxy by its URL, or env for what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say. Default: none, whatever they say.',
    ),
  unix: text('the path of a unix socket')
    .optional()
    .describe(
      "A unix socket that is connected to instead of the URL's host and port, relative to this scenario.",
    ),
  ip: z
    .literal([4, 6, 'auto'], { error: '4, 6 or auto' })
    .optional()
    .describe('Use IPv4 or IPv6 addresses only. Default: auto, whichever answers first.'),
  dns: choice(['each', 'once'])
    .optional()
    .describe('Look names up for each connection, or once in a run. Default: each.'),
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
    .describe('Addresses of names that are not to be looked up, each as host:port:address.'),
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

/** A field of a target that cannot be with another one. */
interface ConnectionContradiction {
  message: string;
  path: string[];
  params: { hint: string };
}

/** What the connection fields of a target must be together. It is shown targets with problems too. */
export function connectionContradictions(target: Record<string, unknown>): ConnectionContradiction[] {
  const { url, unix, proxy, ip, http, streamsPerSession } = target;
  const found: ConnectionContradiction[] = [];
  const add = (key: string, message: string, hint: string) =>
    found.push({ path: [key], message, params: { hint } });
  if (unix !== undefined && proxy !== undefined) {
    add('proxy', 'a unix socket is on this machine: there is no proxy on the way', 'leave out unix or proxy');
  }
  if (streamsPerSession !== undefined && http !== 2) {
    add('streamsPerSession', 'only HTTP/2 has several requests on one connection', 'add http: 2');
  }
  const host = typeof url === 'string' && URL.canParse(url) ? bare(new URL(url).hostname) : '';
  const family = isIP(host);
  if (family !== 0 && (ip === 4 || ip === 6) && ip !== family && unix === undefined) {
    add('ip', `the url has an IPv${family} address`, `leave out ip, or write the host's name in the url`);
  }
  return found;
}
