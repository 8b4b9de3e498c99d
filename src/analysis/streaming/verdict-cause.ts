import type { StreamCause, VerdictKind } from '../../model/report.ts';
import { lintResponse } from './response-lint.ts';

/** What may hold a stream back, by what the response says of the servers on its way, and what turns that off. */

/** What the causes are read from: the response to a typical stream of the cell. */
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
    buffering: 'set "proxy_buffering off" in its location, or have the service send "x-accel-buffering: no"',
    compression: 'leave text/event-stream out of gzip_types, or set "gzip off" in its location',
  },
  {
    pattern: /haproxy/i,
    name: 'HAProxy',
    buffering: 'try "option http-no-delay" in its proxy section',
    compression: 'leave text/event-stream out of "compression type"',
  },
  {
    pattern: /lighttpd/i,
    name: 'lighttpd',
    buffering: 'set server.stream-response-body = 2',
    compression: 'leave text/event-stream out of deflate.mimetypes',
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
    compression: 'leave text/event-stream out of the types that encode matches',
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
    buffering: 'take the buffer filter off this route',
    compression: 'leave text/event-stream out of the compressor filter',
  },
];

/** What may have caused a verdict, likeliest first. Empty where the stream is live, and where nothing was told. */
export function causesOf(verdict: VerdictKind, { headers, framing }: CauseInput): StreamCause[] {
  switch (verdict) {
    case 'streaming':
    case 'inconclusive':
      return [];
    case 'replayed':
      // A proxy that holds an answer back sends it on at once: the pace is the service's own.
      return [
        {
          what: 'paced after the wait',
          remedy: 'the service itself sends a finished answer slowly; have it send text as it is generated',
        },
      ];
    case 'buffered':
    case 'tail_buffered':
    case 'coarse':
      return held(headers, framing);
    default:
      return verdict satisfies never;
  }
}

function held(headers: Readonly<Record<string, string>>, framing: string | undefined): StreamCause[] {
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
        `the compressor holds text back: flush it after every event, or leave streams out. ${how.join('; ')}`.trim(),
    });
  }
  for (const { name, buffering } of servers)
    causes.push({ what: `${name} on the way (${said})`, remedy: buffering });
  if (servers.length === 0 && !compressed) {
    causes.push({
      what: said === '' ? 'no Server or Via header' : `server: ${said}`,
      remedy:
        'ask the service without what is in front of it: if it streams there, turn buffering off on the way (nginx: proxy_buffering off; HAProxy: try option http-no-delay); if not, have it flush after every event',
    });
  }
  const other = lintResponse({ headers, framing }).filter(
    ({ code }) => code === 'content-length' || code === 'content-type',
  );
  return [...causes, ...other.map(({ what, why, remedy }) => ({ what, remedy: `${why}: ${remedy}` }))];
}
