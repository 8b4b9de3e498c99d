// Nonces: a unique short text before each prompt, so that no two requests have a prefix in common that a server could cache.

/** Characters of a nonce: digits and lower-case letters. */
export const NONCE_LENGTH = 8;

// With an empty line after it, a model takes the nonce for a reference number.
const SEPARATOR = '\n\n';

/** Characters that a nonce adds to a prompt. */
export const NONCE_PREFIX_LENGTH = NONCE_LENGTH + SEPARATOR.length;

/** Adds a nonce at the start of the first system message, or of the first message if there is no system message. */
export function withNonce(messages: readonly Message[], nonce: string): readonly Message[] {
  return withOpening(messages, [nonce]);
}

/** Adds texts, each with an empty line after it, at the start of the first system message, or else of the first message. */
export function withOpening(messages: readonly Message[], texts: readonly string[]): readonly Message[] {
  const system = messages.findIndex(({ role }) => role === 'system');
  const first = Math.max(0, system);
  const opening = texts.map((text) => `${text}${SEPARATOR}`).join('');
  return messages.map((message, index) =>
    index === first ? { ...message, content: `${opening}${message.content}` } : message,
  );
}

/** A message's text without the nonce that `withNonce` added. */
export function withoutNonce(text: string): string {
  return text.replace(/^[0-9a-z]{8}\n\n/, '');
}

// Requests to a model, independent of the dialect.

/** An image or a recording in a message. */
export interface MediaPart {
  kind: 'image' | 'audio';
  /** Such as `image/png` or `audio/wav`. */
  mediaType: string;
  /** The bytes in base64. */
  data: string;
}

/** A tool call in an answer. */
export interface AnsweredCall {
  /** Of the provider; made up where it gave none. */
  id: string;
  name: string;
  /** JSON text. */
  arguments: string;
}

/** One message of a conversation. */
export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of an assistant: the tools that it called. Default: none. */
  toolCalls?: readonly AnsweredCall[];
  /** Of a tool: the call that `content` is the result of. */
  call?: AnsweredCall;
  /** Images and recordings, sent before the text, in dialects that accept them. Default: none. */
  media?: readonly MediaPart[];
}

/** A tool that the model may call. */
export interface ToolDefinition {
  name: string;
  description?: string;
  /** JSON Schema of its arguments. */
  parameters: Readonly<Record<string, unknown>>;
}

/** The form of an answer: JSON of this schema. */
export interface AnswerSchema {
  name: string;
  /** JSON Schema. */
  schema: Readonly<Record<string, unknown>>;
}

/** How much a model reasons before it answers. `none` turns reasoning off. */
export type ReasoningEffort = 'none' | 'low' | 'medium' | 'high';

/** Request fields that differ between providers of one dialect. */
export interface RequestFields {
  /** The field that limits the answer's length. Default: `max_tokens`. */
  maxTokens?: 'max_tokens' | 'max_completion_tokens';
  /** The field that requests token counts in a stream; `none` sends no such field. Default: `stream_options`. */
  usage?: 'stream_options' | 'none';
}

/** A request for an answer, independent of the dialect. */
export interface ChatRequest {
  /** The provider's name for the model. Plain endpoints have none. */
  model?: string;
  messages: readonly Message[];
  /** Upper limit of the answer's length in tokens. Default: the provider's. */
  maxTokens?: number;
  /** Sampling temperature. Default: the provider's. */
  temperature?: number;
  /** Texts at which the answer ends; they are not part of it. Default: none. */
  stop?: readonly string[];
  /** Number of answers. The first one is decoded; events of the others are `unknown`. Default: 1. */
  n?: number;
  /** Seed of the sampling, for answers that can be repeated where the provider supports it. Default: none. */
  seed?: number;
  /** How much the model reasons before it answers. Default: the provider's. */
  reasoningEffort?: ReasoningEffort;
  /**
   * A short text that is different for each request. It is added at the start of the prompt (see `withNonce`), or replaces
   * `{{nonce}}` in a body template. Default: none, so that equal prompts are equal bytes.
   */
  nonce?: string;
  /** The messages contain the nonce already, so that it is not added at their start. Default: false. */
  hasNonce?: boolean;
  /** Text before the nonce and the prompt, such as one that requests share. Default: none. */
  prefix?: string;
  /** Tools that the model may call. Default: none. */
  tools?: readonly ToolDefinition[];
  /** The form of the answer. Default: text. */
  answerSchema?: AnswerSchema;
  /** True for a stream, false for one whole answer. */
  stream: boolean;
  /** Fields that differ between providers. Default: those of the dialect. */
  fields?: RequestFields;
  /** More fields of the request body, applied last as a JSON Merge Patch: objects are merged, `null` removes a field. */
  extra?: Readonly<Record<string, unknown>>;
}

/** An HTTP request, encoded by a dialect. `path` is relative to the API's base URL and starts with a slash, or is empty. */
export interface WireRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}
