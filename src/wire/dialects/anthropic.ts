import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import type { ChatRequest } from '../../model/request.ts';
import { argumentsValue, gather } from '../whole-answer.ts';
import { ANTHROPIC_FINISH, AnthropicDecoder } from './anthropic-decoder.ts';
import { Blocks } from '../blocks.ts';
import { chatMessages, finishWord, post, promptText, textOf } from '../chat-fields.ts';
import { jsonBody, type WireFormat } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asCount, asNumber, asObject, asText, compact, type Json, parseJson } from '../json.ts';

// Anthropic Messages: blocks of text, thinking and tool use, each with a start, deltas and a stop. The counts come in
// two places, the input's at the start and the output's at the end; `message_stop` is the terminator.

/** `max_tokens` is required: this is sent when nothing is asked for. */
const DEFAULT_MAX_TOKENS = 4096;

/** Anthropic's `/v1/messages`. */
export const anthropic: WireFormat = {
  name: 'anthropic',
  title: 'Anthropic Messages (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

  request(chat) {
    const system = chat.messages.filter((message) => message.role === 'system');
    const body = {
      model: chat.model,
      max_tokens: chat.maxTokens ?? DEFAULT_MAX_TOKENS,
      system: system.length > 0 ? promptText(system) : undefined,
      messages: chat.messages.filter((message) => message.role !== 'system'),
      temperature: chat.temperature,
      stream: chat.stream,
    };
    const request = post('/messages', chat, body);
    return { ...request, headers: { ...request.headers, 'anthropic-version': '2023-06-01' } };
  },

  ownsPath: (pathname) => pathname.endsWith('/messages'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith('/messages')) return undefined;
    const json = asObject(parseJson(body));
    const messages = chatMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    const system = textOf(json.system);
    return compact<ChatRequest>({
      model: asText(json.model),
      messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
      maxTokens: asCount(json.max_tokens),
      temperature: asNumber(json.temperature),
      stream: json.stream === true,
    });
  },

  decoder: () => new AnthropicDecoder(),

  encoder(context) {
    const blocks = new Blocks();
    let usage: UsageEvent | undefined;
    const frame = (type: string, more: object = {}): Frame => ({
      event: type,
      data: JSON.stringify({ type, ...more }),
    });
    const stop = (index: number) => frame('content_block_stop', { index });
    return (event) => {
      const frames: Frame[] = [];
      const passage = blocks.enter(event);
      if (passage?.closed !== undefined) frames.push(stop(passage.closed.index));
      const index = passage?.index;
      if (passage?.opened)
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
          const stopped = { stop_reason: finishWord(ANTHROPIC_FINISH, event), stop_sequence: null };
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

  decodeWhole(body) {
    const decoder = new AnthropicDecoder();
    return [...decoder.decode({ data: body }), ...decoder.end()];
  },

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
      stop_reason: finishWord(ANTHROPIC_FINISH, complete ?? { type: 'complete', finish: 'stop' }),
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
  return compact({
    // Those from the cache are counted apart.
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - (usage?.cachedInputTokens ?? 0)),
    output_tokens: usage?.outputTokens ?? 0,
    cache_read_input_tokens: usage?.cachedInputTokens,
  });
}

function errorJson(message: string, code = 'api_error'): string {
  return JSON.stringify({ type: 'error', error: { type: code, message } });
}
