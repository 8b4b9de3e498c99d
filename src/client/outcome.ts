import type { StreamEvent } from '../model/events.ts';
import type { Outcome, TimeoutPhase } from '../model/record.ts';
import { readErrorBody } from '../wire/errors.ts';
import { excerpt } from '../wire/json.ts';
import { refusalHint, type SentRequest } from './refusal.ts';
import { LOOK_TITLE, sniff } from './sniff.ts';

/** How the exchange with the server came to its end, seen from the socket. */
export type Ending =
  | { kind: 'eof' }
  | { kind: 'error'; error: Error }
  | { kind: 'timeout'; phase: TimeoutPhase; limitMs: number }
  | { kind: 'cancelled'; reason?: string };

/** What is known of a request when it is over. */
export interface Evidence {
  ending: Ending;
  status: number | undefined;
  headers: Readonly<Record<string, string>>;
  bytes: number;
  /** The beginning of the body. */
  bodyPrefix: string;
  events: number;
  contentEvents: number;
  /** The first `error` event. */
  failure: Extract<StreamEvent, { type: 'error' }> | undefined;
  complete: Extract<StreamEvent, { type: 'complete' }> | undefined;
  /** Reasoning tokens that the provider counts but did not send as text; undefined where it does not count them. */
  hiddenReasoning?: number;
  /** What was asked; absent where nobody needs the hint. */
  request?: SentRequest;
}

const BODY_CHARS = 500;
const RATE_LIMIT_CODES = new Set([
  '429',
  'rate_limit_exceeded',
  'rate_limit_error',
  'throttlingException',
  '1302',
  '1303',
  '1305',
]);

/** Exactly one outcome for a request: the strongest thing that can be said of how it ended. */
export function outcomeOf(evidence: Evidence): Outcome {
  const { ending, status, complete, failure } = evidence;
  if (ending.kind === 'cancelled')
    return { kind: 'cancelled', message: ending.reason ?? 'cancelled by the caller' };
  if (status !== undefined && status >= 300) return httpError(status, evidence);
  if (failure !== undefined && !failure.malformed) return inbandError(failure.message, failure.code);
  if (complete?.finish === 'error') {
    return inbandError(
      `the service ended the answer with finish reason "${complete.raw ?? 'error'}"`,
      complete.raw,
    );
  }
  if (failure !== undefined) return undecodable(failure.message, evidence);
  if (complete !== undefined) {
    if (evidence.contentEvents > 0) return { kind: 'ok' };
    return contentless(complete, evidence.hiddenReasoning ?? 0);
  }
  switch (ending.kind) {
    case 'timeout':
      return timeout(ending.phase, ending.limitMs);
    case 'error':
      return evidence.bytes > 0 ? truncated(evidence, ending.error) : networkError(ending.error);
    case 'eof':
      return ended(evidence);
    default:
      return ending satisfies never;
  }
}

function contentless({ finish, raw = finish }: NonNullable<Evidence['complete']>, hidden: number): Outcome {
  const cut = finish === 'length';
  const reasoned =
    hidden > 0 ? `, after ${hidden} reasoning tokens that are not sent` : cut ? ', at the token limit' : '';
  return {
    kind: 'empty',
    message: `the answer ended properly (${raw}) but held no content${reasoned}`,
    hint: cut ? "raise max tokens (the prompt's maxTokens), or have the model reason less" : undefined,
  };
}

function httpError(status: number, { bodyPrefix, headers, request }: Evidence): Outcome {
  const read = readErrorBody(bodyPrefix);
  const said =
    read?.message ?? (headers.location === undefined ? undefined : `redirect to ${headers.location}`);
  const outcome: Outcome = {
    kind: status === 429 ? 'rate_limited' : 'http_error',
    message: `HTTP ${status}${said === undefined ? '' : `: ${excerpt(said, 300)}`}`,
    status,
  };
  if (read?.code !== undefined) outcome.code = read.code;
  if (bodyPrefix.trim() !== '') outcome.body = bodyPrefix.slice(0, BODY_CHARS);
  const refused = request === undefined ? undefined : refusalHint(status, bodyPrefix, request);
  if (refused !== undefined) outcome.hint = refused;
  else if (status === 401 || status === 403)
    outcome.hint = 'check the key, and that the provider is the right one';
  else if (status === 407) outcome.hint = NETWORK_HINT.PROXY_AUTH!;
  else if (status === 404) outcome.hint = "check the URL's path, the dialect and the model's name";
  else if (status < 400) outcome.hint = 'redirects are not followed: use the address it points to';
  return outcome;
}

function inbandError(message: string, code: string | undefined): Outcome {
  const limited = code !== undefined && RATE_LIMIT_CODES.has(code);
  return {
    kind: limited ? 'rate_limited' : 'inband_error',
    message: excerpt(message, 300),
    ...(code === undefined ? {} : { code }),
  };
}

function timeout(phase: TimeoutPhase, limitMs: number): Outcome {
  const limit = limitMs >= 1000 ? `${limitMs / 1000} s` : `${limitMs} ms`;
  const what: Record<TimeoutPhase, string> = {
    connect: `no connection within ${limit}`,
    first_byte: `no byte of the body within ${limit} of sending the request`,
    idle: `nothing came for ${limit} in the middle of the body`,
    total: `not finished within ${limit}`,
  };
  return { kind: 'timeout', phase, message: what[phase] };
}

/** Something came that the dialect cannot read: another kind of answer altogether, or a broken one of its own kind. */
function undecodable(message: string, evidence: Evidence): Outcome {
  // Once content was decoded, the dialect is the right one and the stream is broken.
  if (evidence.contentEvents === 0) {
    const other = mismatch(evidence);
    if (other !== undefined) return other;
  }
  return { kind: 'malformed', message, body: evidence.bodyPrefix.slice(0, BODY_CHARS) };
}

function ended(evidence: Evidence): Outcome {
  if (evidence.bytes === 0) return { kind: 'empty', message: 'the body is empty' };
  if (evidence.contentEvents === 0) {
    const other = mismatch(evidence);
    if (other !== undefined) return other;
  }
  return truncated(evidence);
}

const DIALECT_HINT: Readonly<Partial<Record<ReturnType<typeof sniff>, string>>> = {
  sse: 'if it is not cut or garbled, it is of another dialect: try --dialect openai-chat, anthropic or sse',
  ndjson: 'try --dialect ollama-chat or ndjson',
  json: 'the service may not stream: try --mode non-streaming, or check the path',
  html: 'this looks like a web page or a login: check the URL',
  'event-stream-binary': 'try --dialect bedrock-converse',
};

// Judged by the look of the body alone: what the dialect expected has been tried and gave nothing.
function mismatch({ bodyPrefix, headers, events, failure }: Evidence): Outcome | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return {
      kind: 'not_a_stream',
      message: `the body is compressed (${encoding}): chunks are held back by the compressor, and are not decoded here`,
      hint: 'take the compression off this path; accept-encoding: identity was sent unless a header of yours says otherwise',
    };
  }
  const contentType = headers['content-type'] ?? '';
  const look = sniff(bodyPrefix, contentType);
  const failed = readErrorBody(bodyPrefix);
  if (look === 'json' && failed !== undefined) {
    return {
      ...inbandError(`a JSON error with status 200: ${failed.message}`, failed.code),
      body: bodyPrefix.slice(0, BODY_CHARS),
    };
  }
  if (events > 0 && failure === undefined) return undefined;
  const outcome: Outcome = {
    kind: 'not_a_stream',
    message: `the answer is ${LOOK_TITLE[look]}${contentType === '' ? '' : ` (${contentType})`}, which this dialect does not read`,
    body: bodyPrefix.slice(0, BODY_CHARS),
  };
  const hint = DIALECT_HINT[look];
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

function truncated({ contentEvents }: Evidence, error?: Error): Outcome {
  const how =
    error === undefined ? 'the body ended' : `the connection was lost (${describeError(error).message})`;
  const message = `${how} with neither terminator nor finish reason, after ${contentEvents} content event${contentEvents === 1 ? '' : 's'}`;
  const code = error === undefined ? undefined : describeError(error).code;
  return { kind: 'truncated', message, ...(code === undefined ? {} : { code }) };
}

const TRUST = 'trust its authority with ca (--ca FILE), or accept any with insecure (--insecure)';

const NETWORK_HINT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the service running, is the port right?',
  ENOTFOUND: 'the host name does not resolve: check its spelling and your DNS',
  EAI_AGAIN: 'the DNS server did not answer: check the network',
  ECONNRESET: 'the other side closed the connection without an answer',
  UND_ERR_SOCKET: 'the other side closed the connection without an answer',
  ETIMEDOUT: 'nothing answers there: check address, port and firewall, and http against https',
  EHOSTUNREACH: 'no route to the host: check the network',
  ENETUNREACH: 'no route to the host: check the network',
  EADDRNOTAVAIL: 'no local port is free: open fewer connections, or keep them (connection: warm)',
  EMFILE: 'the limit on open files is reached: raise it with ulimit -n, or lower the concurrency',
  ENOENT: 'there is no unix socket at that path: is the service running, is the path right?',
  ENOTSOCK: 'what is at that path is no unix socket',
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
    'the service does not speak HTTP/1.1 there: ask for HTTP/2 with http: 2 (--http 2)',
  HTTP2_UNAVAILABLE: 'ask for HTTP/1.1 with http: 1 (--http 1)',
  HTTP2_STREAM_RESET:
    'the service, or a proxy before it, gave this request up: see its log; for REFUSED_STREAM lower streamsPerSession (--streams-per-session)',
  HTTP2_GOAWAY:
    'the service, or a proxy before it, found fault with the connection: see its log; for ENHANCE_YOUR_CALM send less at once',
  HTTP2_SESSION_CLOSED:
    'the service is restarting, or limits how long or for how many requests a connection lasts: raise that limit',
  HTTP2_CONNECTION_LOST: 'the service, or something on the way to it, closed the connection: see its log',
  PROXY_UNREACHABLE: "check the proxy's address, or go without it: leave out proxy (--proxy)",
  PROXY_AUTH: 'give the name and password in the proxy URL: http://name:password@host:port',
  PROXY_REFUSED:
    'the proxy may not know, reach or allow that host and port: ask who runs it, or go without it',
  HTTPParserError:
    'the other side does not speak HTTP/1.1 there: check the port, http against https, and HTTP/2 (--http 2)',
  EPROTO: 'TLS could not be agreed: is this an http:// service?',
};

/** What a failure of the system says: its message, its code, and a remedy where one is known. */
export function networkError(error: Error): Outcome {
  const { message, code } = describeError(error);
  const outcome: Outcome = { kind: 'network', message };
  if (code !== undefined) {
    outcome.code = code;
    const hint = NETWORK_HINT[code] ?? (code.startsWith('ERR_SSL') ? NETWORK_HINT.EPROTO : undefined);
    if (hint !== undefined) outcome.hint = hint;
  }
  return outcome;
}

// A failed connect over several addresses is an AggregateError with an empty message: its first part tells.
function describeError(error: Error): { message: string; code?: string } {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  // undici's parser errors have a name and, for most of them, no code.
  const named = error.name === 'HTTPParserError' ? error.name : undefined;
  const code = named ?? (error as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException).code;
  // OpenSSL's own messages are lines of its source; the reason in them is what can be read.
  const { reason } = first as { reason?: unknown };
  const said =
    code?.startsWith('ERR_SSL') && typeof reason === 'string' ? `TLS failed: ${reason}` : first.message;
  const message = said || code || error.name;
  return code === undefined ? { message } : { message, code };
}
