import type { Mode } from './record.ts';
import type { Message } from './request.ts';

/** A scenario made concrete: what to send where, in which order. Holds no time; the engine adds that. */

/** How a key travels. `bearer`: `authorization: Bearer KEY`; otherwise the name of the header that holds it. */
export type AuthScheme =
  | 'none'
  | 'bearer'
  | 'x-api-key'
  | 'api-key'
  | 'x-goog-api-key'
  | 'zhipu-jwt'
  | 'sigv4';

/** An endpoint to be measured. */
export interface Target {
  /** The name in tables and records. */
  name: string;
  /** Name of the provider row it came from; `custom` where only a URL was given. */
  provider: string;
  /** Name of the wire format. */
  dialect: string;
  /** The API's base URL, or the full URL when it already ends in the dialect's own path. Query is kept. */
  baseUrl: string;
  model?: string;
  /** Secret: reaches the request's header and nothing else. */
  apiKey?: string;
  auth: AuthScheme;
  /** Further request headers. Their values are secret. */
  headers: Readonly<Record<string, string>>;
  /** Further fields of the request body. */
  extra?: Readonly<Record<string, unknown>>;
  /** For the plain `sse` and `ndjson` dialects: where in an event's JSON the text is (`choices.0.delta.content`). */
  textPath?: string;
  /** For plain endpoints: the request body, sent as it is, and the method. */
  body?: string;
  method?: 'GET' | 'POST';
}

/** A prompt by name. */
export interface Prompt {
  name: string;
  messages: readonly Message[];
  maxTokens?: number;
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

/** The limits where nothing else is said. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  idleMs: 60_000,
  totalMs: 300_000,
};

/** Target x prompt x concurrency x mode: what a row of a table is about. */
export interface Cell {
  target: string;
  prompt: string;
  concurrency: number;
  mode: Mode;
}

/** A cell's share of one round: the unit in which cells are interleaved. */
export interface Block {
  round: number;
  /** Index into `RunPlan.cells`. */
  cell: number;
  /** Measured requests; undefined when the block is limited by time alone. */
  requests?: number;
  /** The block issues no more requests after this long. */
  durationMs?: number;
  /** Unmeasured requests sent before the block's window opens. */
  warmup: number;
}

/** All that a run will do. The same scenario and seed give the same plan. */
export interface RunPlan {
  targets: readonly Target[];
  prompts: readonly Prompt[];
  cells: readonly Cell[];
  /** In the order of execution. */
  blocks: readonly Block[];
  timeouts: Timeouts;
  seed: number;
  /** Keep the answers' texts in the records. */
  keepText: boolean;
}
