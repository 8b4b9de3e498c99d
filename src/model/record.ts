import type { Attempt, EventIds, RequestBehaviour, Resumption } from './behaviour.ts';
import type { KeptChunks } from './chunks.ts';
import type { FinishReason } from './events.ts';
import type { Unobserved } from './origin.ts';
import type { CachePlan, TurnInfo } from './prompt.ts';
import type { Marks } from './timeline.ts';

/** How a request ended. Each request has exactly one outcome. Only `ok` enters the latency statistics. */
export type OutcomeKind =
  /** The answer is complete: content, then a finish reason or the protocol's terminator. */
  | 'ok'
  /** The service answered with a status of 400 or more. */
  | 'http_error'
  /** The response had a success status, then the service reported a failure in it. */
  | 'inband_error'
  /** The body ended with neither terminator nor finish reason. */
  | 'truncated'
  /** The response could not be decoded. */
  | 'malformed'
  /** An event, a body or the headers exceeded a limit; the message says which. */
  | 'too_large'
  /** The answer ended properly but held no content. */
  | 'empty'
  /** A success status, but the body is HTML, or not of the chosen dialect. */
  | 'not_a_stream'
  /** One of the four time limits ran out; `phase` says which. */
  | 'timeout'
  /** The connection could not be made or was lost; `code` says how. */
  | 'network'
  /** Status 429, or a provider's error code for it. */
  | 'rate_limited'
  /** The caller cancelled it. */
  | 'cancelled'
  /**
   * It was still in flight when the time of its window and the grace after it were over, and was cut. Not a failure, and not in
   * the latency statistics.
   */
  | 'cut'
  /** It was due, but no slot was free (open loop). */
  | 'dropped';

/** Every outcome, `ok` first. */
export const OUTCOME_KINDS = [
  'ok',
  'http_error',
  'inband_error',
  'truncated',
  'malformed',
  'too_large',
  'empty',
  'not_a_stream',
  'timeout',
  'network',
  'rate_limited',
  'cancelled',
  'cut',
  'dropped',
] as const satisfies readonly OutcomeKind[];

/**
 * True for an outcome that says nothing about the service, because the client ended the request. Such requests are counted, but
 * are neither successes nor failures.
 */
export function isEndedByClient(kind: string): boolean {
  return kind === 'cancelled' || kind === 'cut';
}

/** The four time limits of a request. */
export type TimeoutPhase = 'connect' | 'first_byte' | 'idle' | 'total';

/** How a request ended, with what is known about a failure. */
export interface Outcome {
  kind: OutcomeKind;
  /** One sentence for a person; absent for `ok`. Holds no secret. */
  message?: string;
  /** Which limit ran out, for `timeout`. */
  phase?: TimeoutPhase;
  /** HTTP status, for `http_error` and `rate_limited`. */
  status?: number;
  /** The provider's code, or the system's (`ECONNREFUSED`). */
  code?: string;
  /** The first 500 characters of the body, where it explains the failure. Holds no secret. */
  body?: string;
  /** What the user could try, if known. */
  hint?: string;
}

/** Where the count of output tokens comes from. */
export type TokenSource = 'usage' | 'tokenizer' | 'chunks';

/** Streaming, or one whole answer. */
export type Mode = 'streaming' | 'non-streaming';

/**
 * Where the stamps of an answer were taken: `socket`, when a read of the socket was parsed; `reader`, when the consumer of a
 * `fetch` response received the bytes, so a slow consumer and a busy event loop make them late.
 */
export type StampSource = 'socket' | 'reader';

/** What is known about the connection that carried a request. */
export interface ConnectionInfo {
  /**
   * False when the connection was opened for this request. Over HTTP/2, requests that waited for a session that was
   * being opened for another one count as reusing it, so that each connection is new exactly once.
   */
  reused: boolean;
  /**
   * The connection took the place of one that the server closed right after an answer, although it had promised to keep
   * it open.
   */
  replaced?: true;
  /** `address:port` of the other side, which is the proxy where there is one; `unix:PATH` for a unix socket. */
  remote?: string;
  /** `h1` or `h2`. */
  protocol?: string;
  /** TLS version, such as `TLSv1.3`. */
  tls?: string;
  /** The protocol that the TLS handshake agreed on (ALPN), such as `h2`. */
  alpn?: string;
  /** `host:port` of the proxy that the connection went through. */
  proxy?: string;
  /** HTTP/2: requests in flight on this session when this one was sent, itself included. */
  streams?: number;
  /** HTTP/2: how many the session takes at once: the limit that was asked for, or the server's where that is lower. */
  streamLimit?: number;
}

/** The ids of a request in a distributed trace, in lower-case hex. */
export interface TraceContext {
  /** 32 digits. */
  traceId: string;
  /** 16 digits: the span of the request, the parent of the server's. */
  spanId: string;
}

/** Content that arrived together: in one read of the socket, or in reads that followed each other within 2 ms. */
export interface Flush {
  /** Content events in it. */
  events: number;
  /** Content events that arrived before it. */
  before: number;
  /** Milliseconds since the content before it; since the request was sent where there is none. */
  waitMs: number;
  /** Milliseconds from its first event to its last. */
  spanMs: number;
}

/** The client's result for one request: the larger part of a record. */
export interface Observation {
  mode: Mode;
  /** What the stamps of its reads mean. Absent in the records of runs, whose stamps are the socket's. */
  stamp?: StampSource;
  outcome: Outcome;
  /** The client cut the stream as planned (`for`): its end and its length are the client's choice, not the server's. */
  cut?: true;
  marks: Marks;
  /** Under load: the cell's requests in flight when this one was started, over all measuring threads, itself included. */
  inFlight?: number;
  /** Load with stages: the stage in which the request was due. */
  stage?: string;
  /** What was drawn for it, where its prompt is drawn: the id in a dataset, the values of a template. Default: nothing was. */
  promptId?: string;
  /** Whether it was planned to find its prefix in the server's cache. Absent for prompts without a shared prefix. */
  cachePlan?: CachePlan;
  /** Its place in a session. Absent for single requests. */
  turn?: TurnInfo;
  /** What the client did on purpose (`client` in the scenario). Absent: it read the answer as fast as it arrived. */
  behaviour?: RequestBehaviour;
  /** Which attempt of its request this is. Absent in runs without retries. */
  attempt?: Attempt;
  /** Closed loop: true if the slot became free because the client had cancelled a stream as planned. */
  afterCancel?: true;
  /** Each time that the stream broke and was continued with Last-Event-ID. Absent where it was not. */
  resumptions?: Resumption[];
  /** The ids of the stream's events. Absent in runs without `client.resume`, and without ids. */
  eventIds?: EventIds;
  connection?: ConnectionInfo;
  /**
   * The request was sent twice: the open connection that it first went to was closed before a byte of the response had
   * come. All else that is observed is of the second time, on a new connection.
   */
  reconnected?: true;
  /** The W3C trace context that the request carried in its `traceparent` header; absent where it carried none. */
  trace?: TraceContext;
  /** HTTP status, where one came. */
  status?: number;
  /** The response headers that bear on streaming, and the provider's request id. */
  headers?: Record<string, string>;
  /** Reads of the socket that brought body bytes; below TLS and HTTP/2, whatever the number of records and frames. */
  reads: number;
  /** SSE or NDJSON events, comments apart. */
  events: number;
  /** SSE comments (`: keep-alive`). */
  comments: number;
  /** Events with content. */
  contentEvents: number;
  /** Content events that came in the same read as the one before, so have no arrival time of their own. */
  coalesced: number;
  /** Body bytes. */
  bytes: number;
  /** Characters of answer text and of reasoning. */
  chars: { answer: number; thinking: number };
  /** Milliseconds between content events that came in different reads, in order. */
  gaps: number[];
  /**
   * A plain dialect without a text path, and JSON in its events: how many of the first ones were looked at, how many are
   * JSON, and the paths that have text, the likeliest answer first. `dialect`: a known one that reads them. Absent else.
   */
  payload?: { events: number; json: number; paths: [path: string, events: number][]; dialect?: string };
  /** The flush with the most content events. Absent without content, and in records of versions before this field. */
  flush?: Flush;
  /** Milliseconds from the first content event to the second, where there is one (0 when they share a read). */
  secondTokenGap?: number;
  tokens: {
    /** Output tokens, reasoning included; null when not even chunks can stand in. */
    output: number | null;
    source: TokenSource;
    input?: number;
    reasoning?: number;
    cachedInput?: number;
    /**
     * Of `reasoning`, tokens that were not sent as text, or only as a summary. Absent where the provider does not count
     * reasoning, and in records of versions before this field.
     */
    hiddenReasoning?: number;
    /** Estimated visible tokens of the content events in the first read that had any, in the unit of `output`. */
    first?: number;
    /**
     * Milliseconds from `marks.firstToken` to the first content that is not a summary of hidden reasoning: visible tokens
     * are counted from there. Absent where that is the first content.
     */
    visibleAfterMs?: number;
    /** Counts that cannot be true and were left out, each as name and value: `output tokens -5`. */
    refused?: string[];
  };
  finish?: { reason: FinishReason; raw?: string };
  /**
   * Milliseconds in which a consumer that was behind had the client read no more. Marks and gaps of such a request are the
   * consumer's, not the server's. Absent where that did not happen; in a measured run only for slow readers.
   */
  pausedMs?: number;
  /** Gaps that are not in `gaps`, which holds the first million. */
  gapsLeftOut?: number;
  /** When each chunk arrived, and what it contained; only where the run was asked to keep it (`keepChunks`). */
  chunks?: KeptChunks;
  /** True when content came but the answer is not whole. */
  partial?: true;
  /** The answer text; only where the run was asked to keep it. */
  text?: string;
  /** The reasoning text; only where the run was asked to keep it. */
  thinking?: string;
  /** The names and the arguments of tool calls, in the order in which they came; only where the run was asked to keep it. */
  toolText?: string;
  /** True when more text came than is kept: the first 16 Mi characters of text, reasoning and tool calls together. */
  textCut?: true;
}

/**
 * The record of one request: the type that all stages of the program share. A run is a file of records, one per line. Every
 * table and report can be rebuilt from it.
 */
export interface RequestRecord extends Observation {
  schema: 'streambench/record@1';
  /** Number of the record in its run, from 0, in the order in which the requests ended. */
  seq: number;
  /** The round it belongs to, from 0. */
  round: number;
  /**
   * Which continuation of its run (--resume) it was measured in, from 1; absent before the first. The marks of a part go
   * on where the part before it ended.
   */
  part?: number;
  /** In a merged run: the number of the shard that measured it, from 1. Absent elsewhere. */
  shard?: number;
  target: string;
  prompt: string;
  /** Streams at once in this request's cell; in an open loop the most there may be. */
  concurrency: number;
  /** Of a length test: the tokens that were asked for. Absent for the requests of ordinary cells. */
  length?: number;
  /** Open loop: requests a second in this request's cell. */
  rate?: number;
  /** An imported record: what the tool that measured did not record. Absent in records of streambench. */
  unobserved?: readonly Unobserved[];
  /** A stage that is a ramp: the concurrency or rate at its start; `concurrency` or `rate` is that at its end. */
  from?: number;
}
