import type { StreamCause, VerdictKind } from '../../model/report.ts';
import { lintResponse } from './response-lint.ts';

/** Finds what may buffer a stream, from the servers that the response names, and how to turn that off. */

/** The response to a typical stream of the cell. */
export interface CauseInput {
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  framing?: string;
}

interface KnownServer {
  /** Matched against the Server and Via headers. */
  pattern: RegExp;
  name: string;
  buffering: string;
  compression: string;
}

const SERVERS: readonly KnownServer[] = [
  {
    pattern: /nginx|openresty|tengine/i,
    name: 'nginx',
    buffering: 'set "proxy_buffering off" in its location, or let the service send "x-accel-buffering: no"',
    compression: 'exclude text/event-stream from gzip_types, or set "gzip off" in its location',
  },
  {
    pattern: /haproxy/i,
    name: 'HAProxy',
    buffering: 'try "option http-no-delay" in its proxy section',
    compression: 'exclude text/event-stream from "compression type"',
  },
  {
    pattern: /lighttpd/i,
    name: 'lighttpd',
    buffering: 'set server.stream-response-body = 2',
    compression: 'exclude text/event-stream from deflate.mimetypes',
  },
  {
    pattern: /cloudflare/i,
    name: 'Cloudflare',
    buffering:
      'send "content-type: text/event-stream" and "cache-control: no-transform", and turn response buffering off',
    compression: 'send "cache-control: no-transform"',
  },
  {
    pattern: /apache/i,
    name: 'Apache',
    buffering: 'add flushpackets=on to its ProxyPass',
    compression: 'set "SetEnv no-gzip 1" in its location',
  },
  {
    pattern: /caddy/i,
    name: 'Caddy',
    buffering: 'set "flush_interval -1" in its reverse_proxy',
    compression: 'exclude text/event-stream from the types that encode matches',
  },
  {
    pattern: /varnish/i,
    name: 'Varnish',
    buffering: 'use "return (pipe)" for this path',
    compression: 'set beresp.do_gzip = false for this path',
  },
  {
    pattern: /envoy/i,
    name: 'Envoy',
    buffering: 'remove the buffer filter from this route',
    compression: 'exclude text/event-stream from the compressor filter',
  },
];

/** The possible causes of a verdict, most likely first. Empty for a live stream and for `inconclusive`. */
export function causesOf(verdict: VerdictKind, { headers, framing }: CauseInput): StreamCause[] {
  switch (verdict) {
    case 'streaming':
    case 'inconclusive':
      return [];
    case 'replayed':
      // A proxy that buffers an answer forwards it at once, so the pace comes from the service.
      return [
        {
          what: 'sent slowly after the wait',
          remedy: 'the service itself delays a complete answer; let it send text while it is generated',
        },
      ];
    case 'buffered':
    case 'tail_buffered':
    case 'coarse':
      return bufferedBy(headers, framing);
    default:
      return verdict satisfies never;
  }
}

function bufferedBy(headers: Readonly<Record<string, string>>, framing: string | undefined): StreamCause[] {
  const said = [headers.server, headers.via].filter((text) => text !== undefined).join(' ');
  const servers = SERVERS.filter(({ pattern }) => pattern.test(said));
  const encoding = headers['content-encoding'];
  const compressed = encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
  const causes: StreamCause[] = [];
  if (compressed) {
    const how = servers.map(({ name, compression }) => `${name}: ${compression}`);
    causes.push({
      what: `content-encoding: ${encoding}`,
      remedy:
        `the compressor buffers text: flush it after every event, or exclude streams. ${how.join('; ')}`.trim(),
    });
  }
  for (const { name, buffering } of servers)
    causes.push({ what: `${name} in the path (${said})`, remedy: buffering });
  if (servers.length === 0 && !compressed) {
    causes.push({
      what: said === '' ? 'no Server or Via header' : `server: ${said}`,
      remedy:
        'measure the service without the proxies in front of it: if it streams there, turn buffering off in the proxies (nginx: proxy_buffering off; HAProxy: try option http-no-delay); if not, let it flush after every event',
    });
  }
  const other = lintResponse({ headers, framing }).filter(
    ({ code }) => code === 'content-length' || code === 'content-type',
  );
  return [...causes, ...other.map(({ what, why, remedy }) => ({ what, remedy: `${why}: ${remedy}` }))];
}
