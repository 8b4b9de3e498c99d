import type { Outcome } from '../../model/record.ts';

/** What a response does that gets in the way of streaming, or that readers of streams stumble over. */

/** `error`: readers will fail; `warning`: streaming is lost or at risk in some set-ups; `info`: good to know. */
export type LintSeverity = 'error' | 'warning' | 'info';

/** One remark on a response. */
export interface LintFinding {
  /** Stable, for tests and filters. */
  code: LintCode;
  severity: LintSeverity;
  /** What was seen. */
  what: string;
  why: string;
  remedy: string;
}

/** Every remark there is. */
export type LintCode =
  | 'content-type'
  | 'charset'
  | 'content-length'
  | 'content-encoding'
  | 'cache-control'
  | 'x-accel-buffering'
  | 'terminator'
  | 'after-terminator'
  | 'data-format';

/**
 * What is linted: a record, or as much of one as is at hand. The last three are known only where the raw frames were
 * watched; what is absent is not remarked on.
 */
export interface LintInput {
  mode?: 'streaming' | 'non-streaming';
  status?: number;
  /** Names in lower case. */
  headers?: Readonly<Record<string, string>>;
  outcome?: Pick<Outcome, 'kind'>;
  /** There where a finish reason or the terminator came. */
  finish?: unknown;
  /** How the dialect cuts its stream. Default: guessed from the content type, `sse` where that says nothing. */
  framing?: string;
  /** False when the protocol's own terminator (`[DONE]`, `message_stop`) did not come. */
  terminated?: boolean;
  /** Events that came after the terminator. */
  eventsAfterTerminator?: number;
  /** Oddities of the lines, in a few words each: no space after `data:`, several documents in one event, CRLF. */
  dataOddities?: readonly string[];
}

const STREAM_TYPES: Readonly<Record<string, readonly string[]>> = {
  sse: ['text/event-stream'],
  'aws-event-stream': ['application/vnd.amazon.eventstream'],
  ndjson: [
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/json-lines',
    'application/stream+json',
  ],
};

/** The remarks on a response, gravest first. A whole answer, and a status other than 2xx, gives none. */
export function lintResponse(input: LintInput): LintFinding[] {
  const { mode = 'streaming', status = 200, headers } = input;
  if (mode !== 'streaming' || status < 200 || status > 299) return [];
  const findings = [
    ...(headers === undefined ? [] : lintHeaders(headers, input.framing)),
    ...lintBody(input),
  ];
  const order: readonly LintSeverity[] = ['error', 'warning', 'info'];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function lintHeaders(headers: Readonly<Record<string, string>>, framing: string | undefined): LintFinding[] {
  const findings: LintFinding[] = [];
  const contentType = headers['content-type'];
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const kind =
    framing ?? Object.keys(STREAM_TYPES).find((name) => STREAM_TYPES[name]?.includes(type)) ?? 'sse';
  const wanted = STREAM_TYPES[kind];
  if (wanted !== undefined && !wanted.includes(type)) {
    findings.push({
      code: 'content-type',
      // Browsers' EventSource refuses anything else; readers of NDJSON seldom look.
      severity: kind === 'sse' ? 'error' : 'info',
      what: contentType === undefined ? 'no content-type' : `content-type: ${contentType}`,
      why:
        kind === 'sse'
          ? 'EventSource refuses it, and proxies and compressors that spare event streams do not know this one'
          : 'proxies and compressors that spare streams do not know this one',
      remedy: `send content-type: ${wanted[0]}`,
    });
  }
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(contentType ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    findings.push({
      code: 'charset',
      severity: 'warning',
      what: `charset ${charset}`,
      why: 'event streams and JSON are always read as UTF-8',
      remedy: 'send UTF-8, and leave the charset out or say utf-8',
    });
  }
  if (headers['content-length'] !== undefined) {
    findings.push({
      code: 'content-length',
      severity: 'warning',
      what: `content-length: ${headers['content-length']}`,
      why: 'a length that is known before the first byte means that the answer was whole before it was sent',
      remedy: 'write as the answer is made, without a length: HTTP/1.1 then sends it in chunks',
    });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    findings.push({
      code: 'content-encoding',
      severity: 'warning',
      what: `content-encoding: ${encoding}`,
      why: 'a compressor holds text back until it has a block, unless it is flushed after every event',
      remedy: `leave ${wanted?.[0] ?? 'streams'} out of compression`,
    });
  }
  return [...findings, ...lintCaching(headers)];
}

function lintCaching(headers: Readonly<Record<string, string>>): LintFinding[] {
  const findings: LintFinding[] = [];
  const cacheControl = headers['cache-control'];
  if (!/\bno-(cache|store)\b/i.test(cacheControl ?? '')) {
    findings.push({
      code: 'cache-control',
      severity: 'info',
      what: cacheControl === undefined ? 'no cache-control' : `cache-control: ${cacheControl}`,
      why: 'a cache on the way may keep the stream back or answer from an old one',
      remedy: 'send cache-control: no-cache (no-transform keeps compressors away as well)',
    });
  }
  const buffering = headers['x-accel-buffering'];
  if (buffering?.trim().toLowerCase() !== 'no') {
    const behindNginx = /nginx|openresty/i.test(`${headers.server ?? ''} ${headers.via ?? ''}`);
    findings.push({
      code: 'x-accel-buffering',
      severity: behindNginx ? 'warning' : 'info',
      what: buffering === undefined ? 'no x-accel-buffering' : `x-accel-buffering: ${buffering}`,
      why: 'nginx buffers what it proxies unless it is told not to',
      remedy: 'send x-accel-buffering: no, or set proxy_buffering off',
    });
  }
  return findings;
}

function lintBody(input: LintInput): LintFinding[] {
  const findings: LintFinding[] = [];
  const { outcome, terminated, eventsAfterTerminator = 0, dataOddities = [] } = input;
  if (outcome?.kind === 'truncated' || terminated === false) {
    const cut = outcome?.kind === 'truncated';
    findings.push({
      code: 'terminator',
      severity: cut ? 'error' : 'warning',
      what: !cut
        ? 'no terminator'
        : input.finish === undefined
          ? 'the body ended with neither terminator nor finish reason'
          : 'the body was cut after the finish reason, before the terminator',
      why: 'a reader cannot tell a whole answer from one that was cut off',
      remedy: "end every stream with the protocol's terminator, also after an error",
    });
  }
  if (eventsAfterTerminator > 0) {
    findings.push({
      code: 'after-terminator',
      severity: 'warning',
      what: `${eventsAfterTerminator} ${eventsAfterTerminator === 1 ? 'event' : 'events'} after the terminator`,
      why: 'readers stop at the terminator and lose them',
      remedy: 'send the terminator last',
    });
  }
  for (const what of dataOddities) {
    findings.push({
      code: 'data-format',
      severity: 'warning',
      what,
      why: 'simple readers cut at LF LF and at "data: ", and take each line for one JSON document',
      remedy: 'write each event as "data: ", one JSON document or line of text, and two LF',
    });
  }
  return findings;
}
