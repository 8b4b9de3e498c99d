/**
 * The event model: what a streaming answer is made of, whatever wire format carried it.
 *
 * Every dialect decodes to these events and encodes from them, so the client, the simulator and any service
 * built on the library speak of the same things. The union is closed: switch over `type` and end in `never`.
 */

/** Why a model stopped, in one vocabulary for all providers. The provider's own word is kept beside it as `raw`. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other';

/** The answer has begun; no token yet (a role-only chunk, `message_start`, `response.created`). */
export interface StartEvent {
  type: 'start';
  /** The provider's id of this answer. */
  id?: string;
  /** The model that the provider says is answering. */
  model?: string;
}

/** A piece of answer text. `text` is never empty. */
export interface MessageChunkEvent {
  type: 'message_chunk';
  text: string;
}

/** A piece of reasoning ("thinking") text, in whichever spelling the provider sent it. `text` is never empty. */
export interface ThinkingEvent {
  type: 'thinking';
  text: string;
}

/** A tool call or a piece of one. Pieces of one call share `index`; `arguments` is the next piece of its JSON text. */
export interface ToolCallEvent {
  type: 'tool_call';
  /** Position of the call in the answer, from 0. */
  index: number;
  /** On the first piece of a call, where the provider gives one. */
  id?: string;
  /** On the first piece of a call. */
  name?: string;
  /** The next piece of the arguments' JSON text; may be empty on the first piece. */
  arguments: string;
}

/** What a tool answered, on streams of services that run tools themselves. */
export interface ToolResultEvent {
  type: 'tool_result';
  id?: string;
  name?: string;
  result: unknown;
}

/** An agent has finished one step of several. */
export interface StepCompleteEvent {
  type: 'step_complete';
  /** Number of the step, as the service counts. */
  step?: number;
  data?: unknown;
}

/** An agent's working memory has changed. */
export interface MemoryUpdateEvent {
  type: 'memory_update';
  data: unknown;
}

/** Anything the service says about the answer that is neither text nor usage. */
export interface MetadataEvent {
  type: 'metadata';
  data: unknown;
}

/**
 * Token counts as the provider states them. A stream may carry several; each replaces the one before, they are
 * never added. Reasoning tokens are inside `outputTokens`.
 */
export interface UsageEvent {
  type: 'usage';
  inputTokens?: number;
  outputTokens?: number;
  reasoningTokens?: number;
  cachedInputTokens?: number;
}

/**
 * The answer ended as the protocol says it should: with a finish reason or a terminator. A stream that ends
 * without this event was cut off. It comes once, last, after `usage`.
 */
export interface CompleteEvent {
  type: 'complete';
  finish: FinishReason;
  /** The provider's own word for `finish`, where it sent one. */
  raw?: string;
}

/** The service reported a failure inside a response that began well, or sent what cannot be decoded. */
export interface ErrorEvent {
  type: 'error';
  message: string;
  /** The provider's code or error type, as text. */
  code?: string;
  /** True when the bytes could not be understood, false or absent when the service said that it failed. */
  malformed?: boolean;
  /** True when `code`, or the error's type, is the provider's word for its rate limit. */
  rateLimited?: boolean;
}

/** Well-formed, but not known to this dialect. Kept so that nothing is lost. */
export interface UnknownEvent {
  type: 'unknown';
  /** The SSE event name or the payload's own type, where there is one. */
  name?: string;
  /** The payload as it came. */
  data: string;
}

/** One event of a streaming answer. */
export type StreamEvent =
  | StartEvent
  | MessageChunkEvent
  | ThinkingEvent
  | ToolCallEvent
  | ToolResultEvent
  | StepCompleteEvent
  | MemoryUpdateEvent
  | MetadataEvent
  | UsageEvent
  | CompleteEvent
  | ErrorEvent
  | UnknownEvent;

/** Name of an event's kind. */
export type StreamEventType = StreamEvent['type'];

/**
 * True for events that carry generated content: answer text, reasoning, tool calls. The first of these is the
 * "first token"; a role-only chunk is not.
 */
export function isContent(event: StreamEvent): event is MessageChunkEvent | ThinkingEvent | ToolCallEvent {
  return event.type === 'message_chunk' || event.type === 'thinking' || event.type === 'tool_call';
}
