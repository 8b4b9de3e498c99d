import type { ServerToolCallEvent, StreamEvent, ToolCallEvent, UsageEvent } from '../../model/events.ts';
import { BlockTracker } from '../blocks.ts';
import { commonFields, type FinishWords, finishWord, post, promptText, textOf } from '../chat-fields.ts';
import { type Dialect, jsonBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asObject, asText, encodeJson, type Json, parseJson } from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { anthropicFields, anthropicMessages } from '../request-parts.ts';
import { readAnthropicMessages, readAnthropicOptions } from '../request-reading.ts';
import { argumentsValue, gather } from '../whole-answer.ts';

/** Anthropic's finish reasons. */
const FINISH_WORDS: FinishWords = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  pause_turn: 'other',
};

type ToolPiece = ToolCallEvent | ServerToolCallEvent;

/** Reads the events of a stream, and a whole message. */
class AnthropicDecoder extends JsonDecoder {
  /** Block number -> the tool call in it. */
  private readonly tools = new Map<unknown, Pick<ToolPiece, 'type' | 'index'>>();

  constructor() {
    super(FINISH_WORDS);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'content_block_delta':
        return this.delta(json.index, asObject(json.delta) ?? {}, out);
      case 'content_block_start':
        return this.block(json.index, asObject(json.content_block) ?? {}, out);
      case 'message_start':
        return this.message(asObject(json.message) ?? {}, out);
      case 'message':
        return this.message(json, out);
      case 'message_delta':
        this.finish = asText(asObject(json.delta)?.stop_reason) ?? this.finish;
        this.usage(json.usage);
        return true;
      case 'message_stop':
        this.complete(out);
        return true;
      case 'content_block_stop':
      case 'ping':
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        return false;
    }
  }

  // The start of a stream, or a whole answer.
  private message(message: Json, out: StreamEvent[]): boolean {
    this.start(out, asText(message.id), asText(message.model));
    for (const [index, block] of (asArray(message.content) ?? []).entries()) {
      const fields = asObject(block) ?? {};
      if (!this.block(index, fields, out)) unknownBlock(fields, out);
    }
    this.usage(message.usage);
    this.finish = asText(message.stop_reason) ?? this.finish;
    return true;
  }

  private block(index: unknown, block: Json, out: StreamEvent[]): boolean {
    switch (block.type) {
      case 'text':
        this.text(out, block.text);
        return true;
      case 'thinking':
        this.thinking(out, block.thinking);
        return true;
      case 'tool_use':
        this.tools.set(index, { type: 'tool_call', index: this.call(out, ...callOf(block)) });
        return true;
      // Run by Anthropic: the input is generated and sent like that of other calls, but the client does not run the tool.
      case 'server_tool_use':
      case 'mcp_tool_use':
        this.tools.set(index, { type: 'server_tool_call', index: this.serverCall(out, ...callOf(block)) });
        return true;
      default:
        return block.type === 'redacted_thinking';
    }
  }

  private delta(index: unknown, delta: Json, out: StreamEvent[]): boolean {
    switch (delta.type) {
      case 'text_delta':
        this.text(out, delta.text);
        return true;
      case 'thinking_delta':
        this.thinking(out, delta.thinking);
        return true;
      case 'input_json_delta': {
        const call = this.tools.get(index);
        const piece = asText(delta.partial_json);
        if (call === undefined) return false;
        if (piece !== undefined) out.push({ ...call, arguments: piece });
        return true;
      }
      default:
        return delta.type === 'signature_delta';
    }
  }

  private usage(value: unknown): void {
    const usage = asObject(value);
    if (usage === undefined) return;
    this.addCounts({
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: asObject(usage.output_tokens_details)?.thinking_tokens,
      cachedInputTokens: usage.cache_read_input_tokens,
      cacheWrites: usage.cache_creation_input_tokens,
      cachedOutside: true,
    });
  }
}

/** Name, id and input of a call. In a stream the input is empty here and follows in pieces. */
function callOf(block: Json): [string | undefined, string | undefined, string] {
  const input = asObject(block.input);
  const args = input !== undefined && Object.keys(input).length > 0 ? asArguments(input) : '';
  return [asText(block.name), asText(block.id), args];
}

function unknownBlock(block: Json, out: StreamEvent[]): void {
  out.push({ type: 'unknown', name: asText(block.type), data: encodeJson(block) });
}

// Anthropic Messages: blocks of text, thinking and tool use, each with a start, deltas and a stop. Input tokens are sent at
// the start, output tokens at the end. `message_stop` is the terminator.

/** `max_tokens` is required: the value for requests without a limit. */
const DEFAULT_MAX_TOKENS = 4096;

/** Anthropic's `/v1/messages`. */
export const anthropic: Dialect = {
  name: 'anthropic',
  title: 'Anthropic Messages (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
  accepts: new Set(['image', 'tools', 'toolResults', 'schema']),
  options: new Set(['maxTokens', 'temperature', 'stop', 'reasoningEffort']),
  finishWords: FINISH_WORDS,

  request(chat) {
    const system = chat.messages.filter((message) => message.role === 'system');
    const body = {
      model: chat.model,
      max_tokens: chat.maxTokens ?? DEFAULT_MAX_TOKENS,
      system: system.length > 0 ? promptText(system) : undefined,
      messages: anthropicMessages(chat.messages.filter((message) => message.role !== 'system')),
      temperature: chat.temperature,
      stop_sequences: chat.stop,
      stream: chat.stream,
      ...anthropicFields(chat),
    };
    const request = post('/messages', chat, body);
    return { ...request, headers: { ...request.headers, 'anthropic-version': '2023-06-01' } };
  },

  ownsPath: (pathname) => pathname.endsWith('/messages'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith('/messages')) return undefined;
    const json = asObject(parseJson(body));
    const messages = readAnthropicMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    const system = textOf(json.system);
    return {
      ...commonFields(json),
      ...readAnthropicOptions(json),
      messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
    };
  },

  decoder: () => new AnthropicDecoder(),

  encoder(context) {
    const blocks = new BlockTracker();
    let usage: UsageEvent | undefined;
    const frame = (type: string, more: object = {}): Frame => ({
      event: type,
      data: JSON.stringify({ type, ...more }),
    });
    const stop = (index: number) => frame('content_block_stop', { index });
    return (event) => {
      const frames: Frame[] = [];
      const transition = blocks.enter(event);
      if (transition?.closed !== undefined) frames.push(stop(transition.closed.index));
      const index = transition?.index;
      if (transition?.opened)
        frames.push(frame('content_block_start', { index, content_block: blockOf(event) }));
      const delta = (fields: Json) => frames.push(frame('content_block_delta', { index, delta: fields }));
      switch (event.type) {
        case 'start': {
          const message = {
            id: context.id,
            type: 'message',
            role: 'assistant',
            model: context.model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 0, output_tokens: 0 },
          };
          frames.push(frame('message_start', { message }));
          break;
        }
        case 'message_chunk':
          delta({ type: 'text_delta', text: event.text });
          break;
        case 'thinking':
          delta({ type: 'thinking_delta', thinking: event.text });
          break;
        case 'tool_call':
          delta({ type: 'input_json_delta', partial_json: event.arguments });
          break;
        case 'usage':
          usage = event;
          break;
        case 'complete': {
          const open = blocks.leave();
          if (open !== undefined) frames.push(stop(open.index));
          const stopped = { stop_reason: finishWord(FINISH_WORDS, event), stop_sequence: null };
          frames.push(
            frame('message_delta', { delta: stopped, usage: encodeUsage(usage) }),
            frame('message_stop'),
          );
          break;
        }
        case 'error':
          frames.push({ event: 'error', data: errorJson(event.message, event.code) });
          break;
        default:
          break;
      }
      return frames;
    };
  },

  decodeWhole: (body) => decodeDocument(new AnthropicDecoder(), body),

  encodeWhole(events, context) {
    const { text, thinking, calls, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody(errorJson(error.message, error.code));
    const content: Json[] = [];
    if (thinking !== '') content.push({ type: 'thinking', thinking, signature: '' });
    if (text !== '') content.push({ type: 'text', text });
    for (const call of calls) {
      content.push({
        type: 'tool_use',
        id: call.id ?? `toolu_${call.index}`,
        name: call.name ?? '',
        input: argumentsValue(call.arguments),
      });
    }
    return jsonBody({
      id: context.id,
      type: 'message',
      role: 'assistant',
      model: context.model,
      content,
      stop_reason: finishWord(FINISH_WORDS, complete ?? { type: 'complete', finish: 'stop' }),
      stop_sequence: null,
      usage: encodeUsage(usage),
    });
  },

  encodeError: (status, message) => jsonBody(errorJson(message, HTTP_ERROR[status])),
};

const HTTP_ERROR: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function blockOf(event: StreamEvent): Json {
  if (event.type === 'tool_call') {
    return { type: 'tool_use', id: event.id ?? `toolu_${event.index}`, name: event.name ?? '', input: {} };
  }
  return event.type === 'thinking'
    ? { type: 'thinking', thinking: '', signature: '' }
    : { type: 'text', text: '' };
}

function encodeUsage(usage: UsageEvent | undefined): Json {
  return {
    // Cached tokens are not included.
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - (usage?.cachedInputTokens ?? 0)),
    output_tokens: usage?.outputTokens ?? 0,
    cache_read_input_tokens: usage?.cachedInputTokens,
  };
}

function errorJson(message: string, code = 'api_error'): string {
  return JSON.stringify({ type: 'error', error: { type: code, message } });
}
