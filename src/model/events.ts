/**
 * The event model: the events of a streaming answer, independent of the dialect.
 *
 * Every dialect decodes to these events and encodes from them. The client, the simulator and services built on the library
 * share them. The union is closed: switch over `type` and end in `never`.
 */

/** Why a model stopped, in one vocabulary for all providers. The provider's own value is kept as `raw`. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other';

/** The answer has started; no token yet (a role-only chunk, `message_start`, `response.created`). */
export interface StartEvent {
  type: 'start';
  /** The provider's id for this answer. */
  id?: string;
  /** The model, as reported by the provider. */
  model?: string;
}

/** A piece of answer text. `text` is never empty. */
export interface MessageChunkEvent {
  type: 'message_chunk';
  text: string;
}

/** A piece of reasoning ("thinking") text. `text` is never empty. */
export interface ThinkingEvent {
  type: 'thinking';
  text: string;
}

/** A tool call, or a piece of one. Pieces of one call have the same `index`. */
export interface ToolCallEvent {
  type: 'tool_call';
  /** Position of the call in the answer, from 0. */
  index: number;
  /** On the first piece of a call, if the provider sends one. */
  id?: string;
  /** On the first piece of a call. */
  name?: string;
  /** The next piece of the arguments, as JSON text. May be empty on the first piece. */
  arguments: string;
}

/**
 * The input of a tool that the service runs (a code interpreter, a search), or a piece of it. It counts as content, because
 * the model generates it. The client does not respond to it. Pieces of one call have the same `index`.
 */
export interface ServerToolCallEvent {
  type: 'server_tool_call';
  /** Position among the answer's server tool calls, from 0. */
  index: number;
  /** On the first piece, if the provider sends one. */
  id?: string;
  /** On the first piece. */
  name?: string;
  /** The next piece of the input: JSON text, or the code to run. May be empty. */
  arguments: string;
}

/** A part of the answer that is not text: audio, an image, a file. It counts as answer content. */
export interface MediaEvent {
  type: 'media';
  kind: 'audio' | 'image' | 'file';
  /** The bytes in base64, or the URL, as sent by the provider. */
  data: string;
  /** Such as `image/png`, if the provider states it. */
  mediaType?: string;
}

/**
 * The answer starts here: the answer text before this event was reasoning. Templates of some models (R1, QwQ) open the
 * `<think>` block in the prompt, so only its `</think>` is in the stream, after the reasoning was emitted as text. Comes at
 * most once. A consumer moves the text so far to the reasoning, without its last `strip` characters.
 */
export interface AnswerStartEvent {
  type: 'answer_start';
  /** Characters at the end of the text so far that are the start of the tag. */
  strip: number;
}

/** The result of a tool, on streams of services that run tools themselves. */
export interface ToolResultEvent {
  type: 'tool_result';
  id?: string;
  name?: string;
  result: unknown;
}

/** An agent has finished one step of several. */
export interface StepCompleteEvent {
  type: 'step_complete';
  /** Number of the step, as counted by the service. */
  step?: number;
  data?: unknown;
}

/** An agent's working memory has changed. */
export interface MemoryUpdateEvent {
  type: 'memory_update';
  data: unknown;
}

/** Information about the answer other than text and usage. */
export interface MetadataEvent {
  type: 'metadata';
  data: unknown;
}

/**
 * Token counts as stated by the provider. A stream may contain several; each replaces the previous one, they are not added.
 * `outputTokens` includes reasoning tokens.
 */
export interface UsageEvent {
  type: 'usage';
  inputTokens?: number;
  outputTokens?: number;
  reasoningTokens?: number;
  cachedInputTokens?: number;
  /** Implausible counts, which are left out, each as name and value: `output tokens -5`. */
  refused?: readonly string[];
}

/**
 * The answer ended regularly, with a finish reason or a terminator. A stream without this event was truncated. It comes
 * once, last, after `usage`.
 */
export interface CompleteEvent {
  type: 'complete';
  finish: FinishReason;
  /** The provider's finish reason, if sent. */
  raw?: string;
}

/** The service reported a failure in a response with a success status, or sent data that cannot be decoded. */
export interface ErrorEvent {
  type: 'error';
  message: string;
  /** The provider's code or error type, as text. */
  code?: string;
  /** The status of the response, if that is an HTTP error. */
  status?: number;
  /** True if the data could not be decoded; false or absent if the service reported a failure. */
  malformed?: boolean;
  /** True if `code`, or the error's type, means a rate limit. */
  rateLimited?: boolean;
}

/** A well-formed payload that the dialect does not know. */
export interface UnknownEvent {
  type: 'unknown';
  /** The SSE event name or the payload's type, if any. */
  name?: string;
  /** The payload, unchanged. */
  data: string;
}

/** One event of a streaming answer. */
export type StreamEvent =
  | StartEvent
  | MessageChunkEvent
  | ThinkingEvent
  | ToolCallEvent
  | ServerToolCallEvent
  | MediaEvent
  | AnswerStartEvent
  | ToolResultEvent
  | StepCompleteEvent
  | MemoryUpdateEvent
  | MetadataEvent
  | UsageEvent
  | CompleteEvent
  | ErrorEvent
  | UnknownEvent;

/** The type of an event. */
export type StreamEventType = StreamEvent['type'];

/** The events that carry generated content. */
export type ContentEvent =
  | MessageChunkEvent
  | ThinkingEvent
  | ToolCallEvent
  | ServerToolCallEvent
  | MediaEvent;

/**
 * True for events that carry generated content: answer text, reasoning, tool calls, audio and images. The first of them is
 * the "first token"; a role-only chunk is not.
 */
export function isContent(event: StreamEvent): event is ContentEvent {
  switch (event.type) {
    case 'message_chunk':
    case 'thinking':
    case 'tool_call':
    case 'server_tool_call':
    case 'media':
      return true;
    default:
      return false;
  }
}
