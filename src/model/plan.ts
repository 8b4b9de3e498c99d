import type { ClientBehaviour } from './behaviour.ts';
import type { Prompt } from './prompt.ts';
import type { Mode } from './record.ts';
import type { RequestFields } from './request.ts';
import type { Deal, Shard } from './shard.ts';
import type { SweepSettings } from './sweep.ts';
import type { TraceInfo } from './trace.ts';

/** The plain dialects, for endpoints of any API: they define the framing of a stream, and each is named after it. */
export const PLAIN_DIALECTS = ['sse', 'ndjson', 'raw'] as const;

/** Name of a plain dialect. */
export type PlainDialect = (typeof PLAIN_DIALECTS)[number];

/** True for the name of a plain dialect. */
export function isPlainDialect(dialect: string): dialect is PlainDialect {
  return (PLAIN_DIALECTS as readonly string[]).includes(dialect);
}

/** `total` in `parts` whole numbers that differ by at most one and sum to it, larger ones first. */
export function split(total: number, parts: number): number[] {
  const least = Math.floor(total / parts);
  const rest = total - least * parts;
  return Array.from({ length: parts }, (_, index) => least + (index < rest ? 1 : 0));
}

// The plan of a run: what to send, to which target, in which order. Times are added by the engine.

/** How a key is sent. `bearer`: `authorization: Bearer KEY`; otherwise the name of the header that holds it. */
export type AuthScheme =
  | 'none'
  | 'bearer'
  | 'x-api-key'
  | 'api-key'
  | 'x-goog-api-key'
  | 'zhipu-jwt'
  | 'sigv4';

/**
 * How long a connection lasts. `warm`: opened before it is needed, and kept. `cold`: opened by the first requests of
 * each block, and kept to its end. `per-request`: opened for one request, and closed after it.
 */
export type ConnectionUse = 'warm' | 'cold' | 'per-request';

/** Whether the dialect's path is added to a target's URL, or the URL is used unchanged. */
export const PATH_USES = ['dialect', 'exact'] as const;

/** One of `PATH_USES`. */
export type PathUse = (typeof PATH_USES)[number];

/** A name that is not looked up: connections to `host:port` go to these addresses. */
export interface PinnedName {
  host: string;
  port: number;
  /** IPv4 or IPv6, in order of preference. */
  addresses: readonly string[];
}

/** How connections to an endpoint are made. */
export interface ConnectOptions {
  /** How long a connection lasts. Default: `warm`. */
  connection?: ConnectionUse;
  /** HTTP/1.1, one request at a time on a connection; or HTTP/2, several on one session. Default: 1. */
  http?: 1 | 2;
  /** HTTP/2: requests at once on one session, where the server allows as many. Default: 100. */
  streamsPerSession?: number;
  /** PEM of authorities that are trusted beside the usual ones. */
  ca?: string;
  /** Accept any certificate. Default: false. */
  insecure?: boolean;
  /**
   * URL of an HTTP proxy, which may hold a name and a password; or `env`, for what HTTPS_PROXY, HTTP_PROXY and NO_PROXY
   * say. Default: none, whatever the environment says.
   */
  proxy?: string;
  /** Path of a unix socket, which is connected to instead of the URL's host and port. */
  unix?: string;
  /** Only addresses of this family. Default: both, whichever answers first. */
  ip?: 4 | 6;
  /** Names are looked up for each connection, or once. Default: `each`. */
  dns?: 'each' | 'once';
  /** Names that are not looked up. */
  resolve?: readonly PinnedName[];
  /** HTTP/1.1 without TLS: the most bytes that one read takes from the socket, for slow readers. Default: 64 KiB. */
  readBytes?: number;
}

/** HTTP/2 requests at once on one session, where nothing else is said. */
export const DEFAULT_STREAMS_PER_SESSION = 100;

/** An endpoint to measure. */
export interface Target {
  /** The name in tables and records. */
  name: string;
  /** Name of the provider row it came from; `custom` where only a URL was given. */
  provider: string;
  /** Name of the dialect. */
  dialect: string;
  /** The API's base URL, or the full URL when it already ends in the dialect's own path. Query is kept. */
  baseUrl: string;
  /** `exact`: requests go to `baseUrl` as it is. Default: `dialect`, which adds the dialect's path to a base URL. */
  path?: PathUse;
  model?: string;
  /** Secret: used in the request's header only. */
  apiKey?: string;
  auth: AuthScheme;
  /** Additional request headers. Their values are secret. */
  headers: Readonly<Record<string, string>>;
  /** Upper limit of the answer in tokens; overrides the prompt's. */
  maxTokens?: number;
  /** Which of the fields in which providers differ are sent. Default: the usual ones of the dialect. */
  requestFields?: RequestFields;
  /** Further fields of the request body, as a JSON Merge Patch: `null` removes a field. */
  extra?: Readonly<Record<string, unknown>>;
  /** For the plain `sse` and `ndjson` dialects: where in an event's JSON the text is (`choices.0.delta.content`). */
  textPath?: string;
  /** The request body, instead of the dialect's own; it and the URL's query may hold placeholders such as `{{prompt}}`. */
  body?: string;
  /** Default: the dialect's. A GET has no body. */
  method?: 'GET' | 'POST';
  /** How connections are made; absent where all is at its default. */
  connect?: ConnectOptions;
}

/** A target and a prompt whose requests are all the same bytes, so that a server's cache may answer for it. */
export interface SameRequests {
  target: string;
  prompt: string;
  /** In words. `asked`: the scenario says `unique: false`. */
  why: string;
  asked: boolean;
  /** True if requests draw different prompts: only a prompt that is drawn again is sent as the same bytes. */
  drawn?: true;
}

/** The four time limits of a request, in milliseconds. */
export interface Timeouts {
  /** Until a new connection is ready. Default 10 s. */
  connectMs: number;
  /** From `sent` to the first body byte. Default: the total limit. */
  firstByteMs: number;
  /** Between two reads, once the body has begun. Default 60 s. */
  idleMs: number;
  /** From `started` to the end. Default 5 min. */
  totalMs: number;
}

/** The default limits. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  idleMs: 60_000,
  totalMs: 300_000,
};

/** What a server may send before the request is ended as `too_large`, in bytes. */
export interface Limits {
  /** One event of a stream: a Server-Sent Event, a line, an element of a JSON array, a binary message. Default 16 MiB. */
  eventBytes: number;
  /** A whole answer. Default 64 MiB. */
  bodyBytes: number;
  /** A stream from its beginning to its end. Default: no limit, since the total time limit ends it. */
  streamBytes?: number;
  /** The response headers. Default 64 KiB. */
  headerBytes: number;
  /**
   * What a consumer that iterates a stream may leave waiting, in bytes of memory, some 100 an event included; then no more
   * is read from the server until it has taken half of it. Measured requests have no such consumer. Default 1 MiB.
   */
  aheadBytes: number;
}

/** The default limits. */
export const DEFAULT_LIMITS: Limits = {
  eventBytes: 16 * 2 ** 20,
  bodyBytes: 64 * 2 ** 20,
  headerBytes: 64 * 2 ** 10,
  aheadBytes: 2 ** 20,
};

/** The highest limit: Node has no longer strings. */
export const MAX_LIMIT_BYTES = 500 * 2 ** 20;

/** A load level: concurrency in a closed loop, rate in an open loop. */
export interface LoadLevel {
  /**
   * Closed loop: streams at once. Open loop: the most streams at once, for a request that finds all of them taken is
   * dropped.
   */
  concurrency: number;
  /** Open loop: requests per second, independent of earlier answers. Absent in a closed loop. */
  rate?: number;
  /** Name of the stage, if the load has stages: each is a load level of its own. */
  stage?: string;
  /** A ramp: the rate or concurrency at its start, from which it changes linearly to `rate` or `concurrency`. */
  from?: number;
}

/** Target x prompt x load level x mode: one row of a table. */
export interface Cell extends LoadLevel {
  target: string;
  prompt: string;
  mode: Mode;
  /** Of a length test: the tokens that are asked for. Its requests are no part of the cells' figures. Absent elsewhere. */
  length?: number;
}

/**
 * How the requests of an open loop follow each other: at even distances, at random ones as from independent users, or at random
 * ones with a given burstiness.
 */
export const ARRIVALS = ['poisson', 'constant', 'gamma'] as const;

/** Limits of the shape of gamma arrivals. Smaller shapes would put thousands of requests into one burst. */
export const BURSTINESS = { min: 0.01, max: 1000 } as const;

/** How long the requests in flight at the end of a limited time may continue, in ms. */
export const DEFAULT_GRACE_MS = 30_000;

/** When the requests of an open loop's block are due. */
export type Arrivals = DrawnArrivals | TraceArrivals;

/** Times that are drawn at random, or even. */
export interface DrawnArrivals {
  process: (typeof ARRIVALS)[number];
  /** The same seed gives the same times. Blocks that are compared have the same seed. */
  seed: number;
  /** `gamma`: the shape of the distribution of intervals. 1 is `poisson`, smaller values are burstier. */
  burstiness?: number;
}

/** A period of a block with its own load. The phases of a block follow each other without a pause. */
export interface LoadPhase {
  /** Index into `RunPlan.cells`: the cell that its requests belong to. Absent: they are sent, but not counted. */
  cell?: number;
  /** The stage of that cell, if the load has stages. */
  stage?: string;
  /** Length. Only the last phase may have none: it lasts until the block's requests are sent. */
  durationMs?: number;
  /** Load at the start: requests per second in an open loop, else concurrent streams. */
  from: number;
  /** Load at the end. Changes linearly in between. */
  to: number;
}

/** The times of a part of a trace. */
export interface TraceArrivals {
  process: 'trace';
  /** By the request's number in the block, in ms from the opening of its window. */
  dueMs: Float64Array;
}

/** A cell's share of one round: the unit in which cells are interleaved. */
export interface Block {
  round: number;
  /** Index into `RunPlan.cells`. */
  cell: number;
  /** Measured requests; undefined when the block is limited by time alone. */
  requests?: number;
  /** The block issues no more measured requests after this long. */
  durationMs?: number;
  /** How the load changes during the block. Absent: it is that of the cell. `durationMs` is then not used. */
  phases?: readonly LoadPhase[];
  /** Where in its phases the block starts, because earlier parts of the run have measured the time before. Default: 0. */
  startMs?: number;
  /**
   * How long the requests in flight may continue when the block's time is over; then they are cut. Absent: until they end.
   */
  graceMs?: number;
  /** Unmeasured requests sent before the block's window opens. */
  warmup: number;
  /** Open loop: when its requests are due. */
  arrivals?: Arrivals;
  /** Requests of the cell in earlier rounds: where the numbers of this block's requests start. Default: 0. */
  first?: number;
  /** Requests of its cell that were issued before this block: the prompts are drawn on from there. Default: 0. */
  drawn?: number;
  /** Requests of this block that earlier parts of the run have measured: these are not sent again. Default: 0. */
  measured?: number;
  /** The part of the block that this machine measures. Its requests, duration and warm-up are then this machine's. */
  share?: Deal;
}

/** The tokenizers by name. `o200k` is OpenAI's o200k_base; of other models' texts its counts are estimates. */
export const TOKENIZER_NAMES = ['o200k'] as const;

/** Name of a tokenizer. */
export type TokenizerName = (typeof TOKENIZER_NAMES)[number];

/** The plan of a run. The same scenario and seed give the same plan. */
export interface RunPlan {
  targets: readonly Target[];
  prompts: readonly Prompt[];
  cells: readonly Cell[];
  /** In the order of execution. Empty in a sweep, whose blocks depend on the results of the earlier ones. */
  blocks: readonly Block[];
  /** A sweep: `cells` are only its first load levels. Absent elsewhere. */
  sweep?: SweepSettings;
  /** With `sweep`: unmeasured requests before the first measurement of each level. */
  warmup?: number;
  timeouts: Timeouts;
  /** Streams are cut after this long, as planned, and are `ok`. Absent: they end by themselves. */
  streamForMs?: number;
  /** What a server may send. Default: `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  seed: number;
  /** What the run's nonces are drawn from beside the seed, so that two runs share no prompt. Default: empty. */
  salt?: string;
  /** Targets and prompts whose requests are not unique: as asked for, or because the target sends nothing of the prompt. */
  same?: readonly SameRequests[];
  /** The trace that the load replays. Default: none. */
  trace?: TraceInfo;
  /** What clients do besides reading. Default: nothing. */
  client?: ClientBehaviour;
  /** Keep the answers' texts in the records. */
  keepText: boolean;
  /** Keep the arrival of every chunk in the records. Default: false. */
  keepChunks?: boolean;
  /** Which part of the run this machine measures. Default: all of it. */
  shard?: Shard;
  /** Send a W3C `traceparent` header with each request. Default: false. */
  traceparent?: boolean;
  /** Counts the output tokens of answers whose provider sends no usage. Default: none, and chunks are counted. */
  tokenizer?: TokenizerName;
}
