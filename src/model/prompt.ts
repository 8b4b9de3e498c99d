import type { RandomQuantity } from './keyed-random.ts';
import type { AnswerSchema, Message, ToolDefinition } from './request.ts';
import type { Trace } from './trace.ts';

// Prompts of a plan. Plain data, since a plan is sent to the measuring threads.

/** A prompt by name. */
export interface Prompt {
  name: string;
  /** What every request sends; where the prompt has a source, an example of what it draws. */
  messages: readonly Message[];
  maxTokens?: number;
  /** Of a length test: the tokens that are asked for, whatever the target's limit. Absent elsewhere. */
  length?: number;
  /** Each request gets a nonce of its own. Default: false, and a prompt that is drawn again is sent as the same bytes. */
  unique?: boolean;
  /** Where the prompts of its requests are drawn from. Default: all requests send `messages`. */
  source?: PromptSource;
  /** Text before each prompt that several requests share. Default: none. */
  sharedPrefix?: SharedPrefix;
  /** Its requests are conversations: `messages` and the source give the first turn. Default: single requests. */
  session?: SessionPlan;
  /** Tools that the model may call. */
  tools?: readonly ToolDefinition[];
  /** The form of the answer. Default: text. */
  answerSchema?: AnswerSchema;
  /** Further fields of the request body, applied after those of the target. */
  extra?: Readonly<Record<string, unknown>>;
}

/** A conversation after its first turn. The answers of the server are carried over into the next turns. */
export interface SessionPlan {
  /** The turns after the first one, where they are written in the scenario. Default: those of the drawn conversation. */
  turns?: readonly SessionTurn[];
  /** Turns of a session, the first included. Default: all. */
  maxTurns?: number;
  /** Milliseconds between the end of an answer and the next turn. Default: 0. */
  think?: RandomQuantity;
}

/** What is sent after an answer: messages of the user, or the results of the tool calls in the answer. */
export interface SessionTurn {
  messages?: readonly Message[];
  /** Results, in the order of the calls; the last one also of further calls. */
  toolResults?: readonly string[];
  /** Overrides the session's. */
  think?: RandomQuantity;
}

/** What the prompt of a request is drawn from, by the request's number in its cell. */
export type PromptSource =
  | ({ kind: 'dataset'; system?: string; order: DatasetOrder } & Dataset)
  | { kind: 'template'; variables: readonly Variable[] }
  | SyntheticSource
  | { kind: 'trace'; trace: Trace; wordsPerToken: number }
  | { kind: 'mix'; parts: readonly MixPart[] };

/** Shuffled by the seed, again after each pass; or in the order of the file. */
export const DATASET_ORDERS = ['shuffle', 'sequential'] as const;

/** One of `DATASET_ORDERS`. */
export type DatasetOrder = (typeof DATASET_ORDERS)[number];

/** The formats of dataset files. `text`: a folder of text files, one prompt each. */
export const DATASET_FORMATS = ['jsonl', 'json', 'csv', 'text'] as const;

/** One of `DATASET_FORMATS`. */
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

/** A checked dataset: where its entries are, not their texts. */
export interface Dataset {
  /** Absolute path of the file; of `text` the folder. */
  path: string;
  format: DatasetFormat;
  /** Of CSV, the index of the column; of JSON, the field. Default: the usual fields. */
  column?: number | string;
  /** Earlier turns of a conversation are sent as well. Default: true, but false for ShareGPT. */
  history?: boolean;
  /** Of `text`: the files in the folder. */
  files?: readonly string[];
  /** Size and time of change of the file when it was checked. */
  sizeBytes: number;
  changedAtMs: number;
  /** Whole conversations are read, for sessions. Default: only what one request sends. */
  conversations?: boolean;
  /** Some of its conversations have results of tool calls. */
  hasToolResults: boolean;
  /** Some of its conversations have a system message. */
  hasSystem: boolean;
  /** Number of entries. */
  count: number;
  /** Entries in the file, before limits on length and count. */
  available: number;
  /**
   * Four 32-bit numbers for each entry: offset in the file (low and high half), length in bytes, and line, or the number of the
   * entry where a file has no lines. Shared by the measuring threads.
   */
  index: SharedArrayBuffer;
}

/** A variable of a template: each request gets one of its values. */
export type Variable =
  | { name: string; kind: 'list'; values: readonly string[] }
  /** Whole numbers, both ends included. */
  | { name: string; kind: 'range'; from: number; to: number };

/** Generated texts of drawn lengths, in tokens. */
export interface SyntheticSource {
  kind: 'synthetic';
  input: RandomQuantity;
  /** The limit of the answer. Default: the prompt's `maxTokens`. */
  output?: RandomQuantity;
  /** Words that are generated for a token. */
  wordsPerToken: number;
}

/** One of the prompts of a mix. */
export interface MixPart {
  /** A whole number: its share is `weight` over the sum of all weights. */
  weight: number;
  prompt: Prompt;
}

/** Text at the beginning of a prompt, and which requests have the same one. */
export interface SharedPrefix {
  tokens: number;
  /** Words that are generated for a token. */
  wordsPerToken: number;
  /** The prefix is a system message, also of a prompt that has none, since others of this name have one. */
  inSystem: boolean;
  /** The share of requests, 0 to 1, with the prefix that the warm-up has sent; the others have one that was never sent. */
  hitShare: number;
}

/** A turn with its drawn time to wait. */
export interface DrawnTurn extends Pick<SessionTurn, 'messages' | 'toolResults'> {
  thinkMs: number;
}

/** The place of a request in its session. */
export interface TurnInfo {
  /** Number of the session in its cell, from 0. */
  session: number;
  /** From 1. */
  turn: number;
  /** Turns of the session that were to be sent after it. 0: the last one. */
  left: number;
  /** Results of tool calls that were left out after it, because its answer has no call. Default: 0. */
  skipped?: number;
  /** Milliseconds since the turn before ended. Absent in the first turn. */
  thinkMs?: number;
}

/** Whether a request is planned to find its prefix in the server's cache. */
export type CachePlan = 'hit' | 'miss';
