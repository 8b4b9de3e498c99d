import type { UsageEvent } from '../../model/events.ts';
import type { ChatRequest } from '../../model/request.ts';
import { gather } from '../whole-answer.ts';
import { chatMessages, differingFields, finishWord, post } from '../chat-fields.ts';
import { type AnswerContext, jsonBody, type WireFormat } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asCount, asNumber, asObject, asText, compact, type Json, parseJson } from '../json.ts';
import { CHAT_FINISH, ChatDecoder } from './openai-chat-decoder.ts';

// OpenAI chat completions, as spoken by OpenAI and by some twenty others with small differences. What is known of
// them is read here without asking who speaks: reasoning under three names, tool calls with no index, usage in any
// chunk, errors after a 200, no [DONE].

/** OpenAI's `/v1/chat/completions`. */
export const openaiChat: WireFormat = {
  name: 'openai-chat',
  title: 'OpenAI chat completions (SSE), and all that are compatible with it',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      model: chat.model,
      messages: chat.messages,
      temperature: chat.temperature,
      stream: chat.stream,
      ...differingFields(chat),
    };
    return post('/chat/completions', chat, body);
  },

  ownsPath: (pathname) => pathname.endsWith('/chat/completions'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !this.ownsPath(path)) return undefined;
    const json = asObject(parseJson(body));
    const messages = chatMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    return compact<ChatRequest>({
      model: asText(json.model),
      messages,
      maxTokens: asCount(json.max_completion_tokens) ?? asCount(json.max_tokens),
      temperature: asNumber(json.temperature),
      stream: json.stream === true,
      // Zhipu sends the counts unasked.
      extra: compact({
        stream_options: path.includes('/api/paas/') ? { include_usage: true } : json.stream_options,
      }),
    });
  },

  decoder: () => new ChatDecoder(),

  encoder(context) {
    const includeUsage = asObject(context.request?.extra?.stream_options)?.include_usage === true;
    let usage: UsageEvent | undefined;
    const chunk = (choices: readonly unknown[], more: Json = {}): Frame => ({
      data: JSON.stringify({ ...envelope(context, 'chat.completion.chunk'), choices, ...more }),
    });
    const delta = (fields: Json): Frame[] => [chunk([{ index: 0, delta: fields, finish_reason: null }])];
    return (event) => {
      switch (event.type) {
        case 'start':
          return delta({ role: 'assistant', content: '' });
        case 'message_chunk':
          return delta({ content: event.text });
        case 'thinking':
          return delta({ reasoning_content: event.text });
        case 'tool_call':
          return delta({ tool_calls: [{ index: event.index, ...toolCall(event) }] });
        case 'usage':
          usage = event;
          return [];
        case 'complete': {
          const frames = [chunk([{ index: 0, delta: {}, finish_reason: finishWord(CHAT_FINISH, event) }])];
          if (usage !== undefined && includeUsage) frames.push(chunk([], { usage: encodeUsage(usage) }));
          return [...frames, { data: '[DONE]' }];
        }
        case 'error':
          return [{ data: errorJson(event.message, event.code) }];
        default:
          return [];
      }
    };
  },

  decodeWhole(body) {
    const decoder = new ChatDecoder(true);
    return [...decoder.decode({ data: body }), ...decoder.end()];
  },

  encodeWhole(events, context) {
    const { text, thinking, calls, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody(errorJson(error.message, error.code));
    const message = {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      reasoning_content: asText(thinking),
      tool_calls: calls.length > 0 ? calls.map(toolCall) : undefined,
    };
    const finish = finishWord(CHAT_FINISH, complete ?? { type: 'complete', finish: 'stop' });
    const answer = compact({
      ...envelope(context, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: usage === undefined ? undefined : encodeUsage(usage),
    });
    return jsonBody(answer);
  },

  encodeError: (status, message) => jsonBody(errorJson(message, String(status))),
};

/** The counts in OpenAI's words. */
export function encodeUsage(usage: UsageEvent): Json {
  const input = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  return compact({
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: input + output,
    completion_tokens_details:
      usage.reasoningTokens === undefined ? undefined : { reasoning_tokens: usage.reasoningTokens },
    prompt_tokens_details:
      usage.cachedInputTokens === undefined ? undefined : { cached_tokens: usage.cachedInputTokens },
  });
}

function toolCall(call: { id?: string; name?: string; arguments: string }): Json {
  const first = call.name !== undefined;
  return compact({
    id: call.id,
    type: first ? 'function' : undefined,
    function: compact({ name: call.name, arguments: call.arguments }),
  });
}

/** The fields that all objects of one answer share. */
export function envelope(context: AnswerContext, object: string): Json {
  return { id: context.id, object, created: context.createdSeconds, model: context.model };
}

/** The body of an error in OpenAI's words. */
export function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: { message, type: 'server_error', param: null, code: code ?? null } });
}
