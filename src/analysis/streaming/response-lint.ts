import type { Outcome } from '../../model/record.ts';

/** Checks a response for what prevents streaming or breaks readers of streams. */

/** `error`: readers fail; `warning`: streaming is lost or at risk in some set-ups; `info`: worth knowing. */
export type LintSeverity = 'error' | 'warning' | 'info';

/** One finding about a response. */
export interface LintFinding {
  /** Stable, for tests and filters. */
  code: LintCode;
  severity: LintSeverity;
  /** What was observed. */
  what: string;
  why: string;
  remedy: string;
}

/** All findings. */
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
 * The checked response: a record, or the known part of one. The last three fields are known only where the raw frames were
 * inspected. Absent fields are not checked.
 */
export interface LintInput {
  mode?: 'streaming' | 'non-streaming';
  status?: number;
  /** Names in lower case. */
  headers?: Readonly<Record<string, string>>;
  outcome?: Pick<Outcome, 'kind'>;
  /** Present where a finish reason or the terminator came. */
  finish?: unknown;
  /** The framing of the dialect. Default: derived from the content type, else `sse`. */
  framing?: string;
  /** False where the protocol's own terminator (`[DONE]`, `message_stop`) is missing. */
  terminated?: boolean;
  /** Events that came after the terminator. */
  eventsAfterTerminator?: number;
  /** Unusual data lines, a few words each: no space after `data:`, several documents in one event, CRLF. */
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

/** The findings about a response, most severe first. None for a non-streaming answer or a status other than 2xx. */
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
  const type = (contentType ?? '').replace(/;.*/s, '').trim().toLowerCase();
  const kind =
    framing ?? Object.keys(STREAM_TYPES).find((name) => STREAM_TYPES[name]?.includes(type)) ?? 'sse';
  const wanted = STREAM_TYPES[kind];
  if (wanted !== undefined && !wanted.includes(type)) {
    findings.push({
      code: 'content-type',
      // Browsers' EventSource rejects anything else; readers of NDJSON rarely check.
      severity: kind === 'sse' ? 'error' : 'info',
      what: contentType === undefined ? 'no content-type' : `content-type: ${contentType}`,
      why:
        kind === 'sse'
          ? 'EventSource rejects it, and proxies and compressors do not recognise it as an event stream'
          : 'proxies and compressors do not recognise it as a stream',
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
      remedy: 'send UTF-8 and omit the charset or set it to utf-8',
    });
  }
  if (headers['content-length'] !== undefined) {
    findings.push({
      code: 'content-length',
      severity: 'warning',
      what: `content-length: ${headers['content-length']}`,
      why: 'the length is known only when the answer is complete, so it was generated before it was sent',
      remedy: 'write while the answer is generated, without a length: HTTP/1.1 then uses chunked encoding',
    });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    findings.push({
      code: 'content-encoding',
      severity: 'warning',
      what: `content-encoding: ${encoding}`,
      why: 'a compressor buffers text until a block is full, unless it is flushed after every event',
      remedy: `exclude ${wanted?.[0] ?? 'streams'} from compression`,
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
      why: 'a cache in the path may delay the stream or answer with an old one',
      remedy: 'send cache-control: no-cache (no-transform also disables compression)',
    });
  }
  const buffering = headers['x-accel-buffering'];
  if (buffering?.trim().toLowerCase() !== 'no') {
    const behindNginx = /nginx|openresty/i.test(`${headers.server ?? ''} ${headers.via ?? ''}`);
    findings.push({
      code: 'x-accel-buffering',
      severity: behindNginx ? 'warning' : 'info',
      what: buffering === undefined ? 'no x-accel-buffering' : `x-accel-buffering: ${buffering}`,
      why: 'nginx buffers proxied responses by default',
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
      why: 'a reader cannot distinguish a complete answer from one that was cut off',
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
      why: 'simple readers split at LF LF and at "data: ", and parse each line as one JSON document',
      remedy: 'write each event as "data: ", one JSON document or line of text, and two LF',
    });
  }
  return findings;
}
