import type { FinishReason, StreamEvent, ToolCallEvent, UsageEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import { chatMessages, finishOf, ToolCallIndex } from './chat.ts';
import { readError } from './errors.ts';
import type { AnswerContext, Decoder, WireFormat } from './format.ts';
import type { Frame } from './framing.ts';
import {
  asArguments,
  asArray,
  asCount,
  asObject,
  asText,
  compact,
  excerpt,
  type Json,
  parseJson,
  unreadable,
} from './json.ts';

// OpenAI chat completions, as spoken by OpenAI and by some twenty others with small differences. What is known of
// them is read here without asking who speaks: reasoning under three names, tool calls with no index, usage in any
// chunk, errors after a 200, no [DONE].

const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  sensitive: 'content_filter',
  error: 'error',
  network_error: 'error',
};

export const openaiChat: WireFormat = {
  name: 'openai-chat',
  title: 'OpenAI chat completions (SSE), and all that are compatible with it',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      model: chat.model,
      messages: chat.messages,
      max_tokens: chat.maxTokens,
      temperature: chat.temperature,
      stream: chat.stream,
      stream_options: chat.stream ? { include_usage: true } : undefined,
      ...chat.extra,
    };
    return {
      method: 'POST',
      path: '/chat/completions',
      headers: {
        'content-type': 'application/json',
        accept: chat.stream ? 'text/event-stream' : 'application/json',
      },
      body: JSON.stringify(body),
    };
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
      stream: json.stream === true,
      extra: compact({ stream_options: json.stream_options }),
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
          const frames = [chunk([{ index: 0, delta: {}, finish_reason: event.raw ?? event.finish }])];
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
    const json = asObject(parseJson(body));
    if (json === undefined) return [unreadable({ data: body }, 'a JSON object')];
    const failure = inbandError(json);
    if (failure !== undefined) return [failure];
    const decoder = new ChatDecoder();
    const choice = asObject(asArray(json.choices)?.[0]);
    if (choice === undefined) {
      return [{ type: 'error', malformed: true, message: `no choices in the answer: ${excerpt(body)}` }];
    }
    return [
      ...decoder.chunk({ ...json, choices: [{ ...choice, index: 0, delta: choice.message }] }, body),
      ...decoder.end(),
    ];
  },

  encodeWhole(events, context) {
    let content = '';
    let reasoning = '';
    let finish = 'stop';
    let usage: UsageEvent | undefined;
    const calls: { id?: string; name?: string; arguments: string }[] = [];
    for (const event of events) {
      if (event.type === 'message_chunk') content += event.text;
      else if (event.type === 'thinking') reasoning += event.text;
      else if (event.type === 'usage') usage = event;
      else if (event.type === 'complete') finish = event.raw ?? event.finish;
      else if (event.type === 'error')
        return { contentType: 'application/json', body: errorJson(event.message, event.code) };
      else if (event.type === 'tool_call') {
        const call = calls[event.index] ?? { arguments: '' };
        calls[event.index] = {
          ...call,
          ...compact({ id: event.id, name: event.name }),
          arguments: call.arguments + event.arguments,
        };
      }
    }
    const message = compact({
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      reasoning_content: reasoning === '' ? undefined : reasoning,
      tool_calls: calls.length > 0 ? calls.map(toolCall) : undefined,
    });
    const answer = compact({
      ...envelope(context, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: usage === undefined ? undefined : encodeUsage(usage),
    });
    return { contentType: 'application/json', body: JSON.stringify(answer) };
  },

  encodeError: (status, message) => ({
    contentType: 'application/json',
    body: errorJson(message, String(status)),
  }),
};

class ChatDecoder implements Decoder {
  private started = false;
  private finish: string | undefined;
  private over = false;
  private readonly calls = new ToolCallIndex();

  decode(frame: Frame): readonly StreamEvent[] {
    if (this.over)
      return frame.data === '[DONE]' ? [] : [{ type: 'unknown', name: 'after-end', data: frame.data }];
    if (frame.data === '[DONE]') return this.complete('stop');
    const json = asObject(parseJson(frame.data));
    if (json === undefined) {
      if (frame.event === 'error') return [{ type: 'error', message: excerpt(frame.data) }];
      return [unreadable(frame, 'a JSON object')];
    }
    return this.chunk(json, frame.data, frame.event);
  }

  chunk(json: Json, data: string, name?: string): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    const choices = asArray(json.choices);
    if (!this.started && choices !== undefined) {
      const id = asText(json.id);
      // Azure's first chunk has neither id nor model: it is not the start of the answer yet.
      if (id !== undefined || choices.length > 0) {
        this.started = true;
        events.push(compact({ type: 'start', id, model: asText(json.model) }));
      }
    }
    for (const entry of choices ?? []) {
      const choice = asObject(entry);
      if (choice === undefined) continue;
      // Only the first of several parallel answers is followed; the others would mix into its text.
      if (choice.index !== undefined && choice.index !== 0) {
        events.push({ type: 'unknown', name: 'choice', data: JSON.stringify(choice) });
        continue;
      }
      this.delta(asObject(choice.delta) ?? {}, events);
      this.finish = asText(choice.finish_reason) ?? this.finish;
    }
    const usage = decodeUsage(asObject(json.usage));
    if (usage !== undefined) events.push(usage);
    const failure =
      name === 'error'
        ? { type: 'error' as const, ...(readError(json) ?? { message: excerpt(data) }) }
        : inbandError(json);
    if (failure !== undefined) {
      this.over = true;
      events.push(failure);
    }
    if (choices === undefined && events.length === 0) {
      events.push(compact({ type: 'unknown', name: name ?? asText(json.object), data }));
    }
    return events;
  }

  private delta(delta: Json, events: StreamEvent[]): void {
    const reasoning = asText(delta.reasoning_content) ?? asText(delta.reasoning) ?? reasoningDetails(delta);
    if (reasoning !== undefined) events.push({ type: 'thinking', text: reasoning });
    const parts = asArray(delta.content);
    if (parts !== undefined) for (const part of parts) contentPart(asObject(part) ?? {}, events);
    const content = asText(delta.content) ?? asText(delta.refusal);
    if (content !== undefined) events.push({ type: 'message_chunk', text: content });
    const legacy = asObject(delta.function_call);
    const calls = asArray(delta.tool_calls) ?? (legacy === undefined ? [] : [{ function: legacy }]);
    for (const entry of calls) {
      const call = asObject(entry);
      if (call === undefined) continue;
      const fn = asObject(call.function) ?? asObject(call.custom);
      const id = asText(call.id);
      const name = asText(fn?.name);
      const index = this.calls.place(asCount(call.index), id, name);
      events.push(
        compact<ToolCallEvent>({
          type: 'tool_call',
          index,
          id,
          name,
          arguments: asArguments(fn?.arguments ?? fn?.input),
        }),
      );
    }
  }

  end(): readonly StreamEvent[] {
    return this.over || this.finish === undefined ? [] : this.complete(this.finish);
  }

  private complete(fallback: string): readonly StreamEvent[] {
    this.over = true;
    return [
      compact<StreamEvent>({
        type: 'complete',
        finish: finishOf(FINISH, this.finish ?? fallback),
        raw: this.finish,
      }),
    ];
  }
}

function reasoningDetails(delta: Json): string | undefined {
  const text = asArray(delta.reasoning_details)
    ?.map((entry) => asText(asObject(entry)?.text) ?? asText(asObject(entry)?.summary) ?? '')
    .join('');
  return asText(text);
}

// Mistral's content can be a list: [{"type":"thinking","thinking":[{"type":"text","text":"The"}]}].
function contentPart(part: Json, events: StreamEvent[]): void {
  if (part.type === 'thinking') {
    const text =
      asArray(part.thinking)
        ?.map((entry) => asText(asObject(entry)?.text) ?? '')
        .join('') ?? asText(part.thinking);
    if (text) events.push({ type: 'thinking', text });
    return;
  }
  const text = asText(part.text);
  if (text !== undefined) events.push({ type: 'message_chunk', text });
}

function inbandError(json: Json): StreamEvent | undefined {
  const source =
    json.error !== undefined && json.error !== null ? json : json.object === 'error' ? json : undefined;
  if (source === undefined) return undefined;
  const read = readError(source);
  return read === undefined ? undefined : { type: 'error', ...read };
}

function decodeUsage(usage: Json | undefined): UsageEvent | undefined {
  if (usage === undefined) return undefined;
  const details = asObject(usage.completion_tokens_details);
  const event = compact<UsageEvent>({
    type: 'usage',
    inputTokens: asCount(usage.prompt_tokens),
    outputTokens: asCount(usage.completion_tokens),
    reasoningTokens: asCount(details?.reasoning_tokens) ?? asCount(usage.reasoning_tokens),
    cachedInputTokens:
      asCount(asObject(usage.prompt_tokens_details)?.cached_tokens) ??
      asCount(usage.cached_tokens) ??
      asCount(usage.prompt_cache_hit_tokens),
  });
  return Object.keys(event).length > 1 ? event : undefined;
}

function encodeUsage(usage: UsageEvent): Json {
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

function envelope(context: AnswerContext, object: string): Json {
  return { id: context.id, object, created: context.createdSeconds, model: context.model };
}

function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: { message, type: 'server_error', param: null, code: code ?? null } });
}
