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

/**
 * The input of a tool that the service runs itself (a code interpreter, a search), or a piece of it. It is generated and
 * sent like any content, so it counts as content, but the client has nothing to answer. Pieces share `index`.
 */
export interface ServerToolCallEvent {
  type: 'server_tool_call';
  /** Position among the answer's server tool calls, from 0. */
  index: number;
  /** On the first piece, where the provider gives one. */
  id?: string;
  /** On the first piece. */
  name?: string;
  /** The next piece of the input: JSON text, or the code that is run. May be empty. */
  arguments: string;
}

/** A piece of the answer that is not text: sound, an image, a file. It counts as answer content. */
export interface MediaEvent {
  type: 'media';
  kind: 'audio' | 'image' | 'file';
  /** The bytes in base64, or the address, as the provider sent them. */
  data: string;
  /** Such as `image/png`, where the provider says so. */
  mediaType?: string;
}

/**
 * The answer begins here: the answer text before this event was reasoning. Templates of some models (R1, QwQ) open the
 * `<think>` block in the prompt, so only its `</think>` is in the stream, after the reasoning was passed on as text.
 * Comes at most once. A consumer moves the text so far to the reasoning, without its last `strip` characters.
 */
export interface AnswerStartEvent {
  type: 'answer_start';
  /** Characters at the end of the text so far that are the beginning of the tag. */
  strip: number;
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
  /** Counts that cannot be true and were left out, each as name and value: `output tokens -5`. */
  refused?: readonly string[];
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

/** Name of an event's kind. */
export type StreamEventType = StreamEvent['type'];

/** The events that carry generated content. */
export type ContentEvent =
  | MessageChunkEvent
  | ThinkingEvent
  | ToolCallEvent
  | ServerToolCallEvent
  | MediaEvent;

/**
 * True for events that carry generated content: answer text, reasoning, tool calls, sound and images. The first of these
 * is the "first token"; a role-only chunk is not.
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
