import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { differingFields, type FinishWords, finishWord, post, ToolCallIndex } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, type Encoder, jsonBody } from '../dialect.ts';
import { readFailure } from '../errors.ts';
import type { Frame } from '../framing/frame.ts';
import {
  asArguments,
  asArray,
  asCount,
  asNumber,
  asObject,
  asText,
  encodeJson,
  type Json,
  parseJson,
} from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { chatFormat, chatMessage, functionTools } from '../request-parts.ts';
import { openaiMessages, readChatOptions } from '../request-reading.ts';
import { gather } from '../whole-answer.ts';

/** The finish reasons of OpenAI and of compatible providers. */
export const CHAT_FINISH: FinishWords = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  sensitive: 'content_filter',
  error: 'error',
  network_error: 'error',
  insufficient_system_resource: 'error',
};

/** Decodes chat completions and the older text completions, chunks and whole answers. */
export class ChatDecoder extends JsonDecoder {
  private readonly callIndex = new ToolCallIndex();
  private readonly isWhole: boolean;

  /** `isWhole`: reads one whole answer, not the chunks of a stream. */
  constructor(isWhole = false) {
    super(CHAT_FINISH, true);
    this.isWhole = isWhole;
  }

  protected read(json: Json, out: StreamEvent[], frame: Frame): boolean {
    const choices = asArray(json.choices);
    if (choices !== undefined) this.choices(json, choices, out);
    const usage = asObject(json.usage) ?? asObject(asObject(json.x_groq)?.usage);
    if (usage !== undefined) this.usage(usage);
    // HOT PATH: a content chunk has choices and no error fields.
    const plain = choices !== undefined && choices.length > 0 && json.error == null && !json.base_resp;
    if (frame.event === 'error' || (!plain && readFailure(json) !== undefined)) {
      this.fail(out, json);
      return true;
    }
    return choices !== undefined || usage !== undefined;
  }

  private choices(json: Json, choices: readonly unknown[], out: StreamEvent[]): void {
    const id = asText(json.id);
    // Azure's first chunk has neither id nor choices: it does not start the answer.
    if (id !== undefined || choices.length > 0) this.start(out, id, asText(json.model));
    for (const entry of choices) {
      const choice = asObject(entry);
      if (choice === undefined) continue;
      // Only the first of several parallel answers is decoded: the texts would mix.
      if (choice.index !== undefined && choice.index !== 0) {
        out.push({ type: 'unknown', name: 'choice', data: encodeJson(choice) });
        continue;
      }
      // Perplexity sends both: in a stream the message repeats the text so far, in a whole answer the delta is empty.
      const piece = asObject(choice.delta);
      const delta = this.isWhole ? (asObject(choice.message) ?? piece) : (piece ?? asObject(choice.message));
      if (delta !== undefined) this.delta(delta, out);
      else this.text(out, choice.text);
      this.finish = asText(choice.finish_reason) ?? this.finish;
    }
  }

  private delta(delta: Json, out: StreamEvent[]): void {
    // The same reasoning may be sent in several fields.
    const reasoning = asText(delta.reasoning_content) ?? asText(delta.reasoning);
    this.thinking(out, reasoning ?? reasoningDetails(delta.reasoning_details));
    if (Array.isArray(delta.content)) {
      for (const part of delta.content) this.contentPart(asObject(part) ?? {}, out);
    } else {
      this.text(out, delta.content);
    }
    this.text(out, delta.refusal);
    const audio = asObject(delta.audio);
    if (audio !== undefined) this.spoken(audio, out);
    const images = asArray(delta.images);
    if (images !== undefined) for (const image of images) this.contentPart(asObject(image) ?? {}, out);
    const calls = asArray(delta.tool_calls);
    if (calls !== undefined) for (const entry of calls) this.toolCall(asObject(entry) ?? {}, out);
    else if (asObject(delta.function_call) !== undefined)
      this.toolCall({ function: delta.function_call }, out);
  }

  private toolCall(call: Json, out: StreamEvent[]): void {
    const fn = asObject(call.function) ?? asObject(call.custom);
    if (fn === undefined) return;
    const id = asText(call.id);
    const name = asText(fn.name);
    const index = this.callIndex.indexOf(asCount(call.index), id, name);
    this.calls = Math.max(this.calls, index + 1);
    const args = asArguments(fn.arguments ?? fn.input);
    out.push({ type: 'tool_call', index, id, name, arguments: args });
  }

  // The transcript of audio is the text of the answer.
  private spoken(audio: Json, out: StreamEvent[]): void {
    this.text(out, audio.transcript);
    this.media(out, 'audio', audio.data);
  }

  // Mistral's content can be a list: [{"type":"thinking","thinking":[{"type":"text","text":"The"}]}].
  private contentPart(part: Json, out: StreamEvent[]): void {
    if (part.type === 'image_url') {
      this.media(out, 'image', asObject(part.image_url)?.url ?? part.image_url);
      return;
    }
    if (part.type !== 'thinking') {
      this.text(out, part.text);
      return;
    }
    const texts = asArray(part.thinking)?.map((entry) => asText(asObject(entry)?.text) ?? '');
    this.thinking(out, texts?.join('') ?? part.thinking);
  }

  private usage(usage: Json): void {
    this.addCounts({
      inputTokens: usage.prompt_tokens,
      outputTokens: usage.completion_tokens,
      reasoningTokens: asObject(usage.completion_tokens_details)?.reasoning_tokens ?? usage.reasoning_tokens,
      cachedInputTokens:
        asObject(usage.prompt_tokens_details)?.cached_tokens ??
        usage.cached_tokens ??
        usage.prompt_cache_hit_tokens,
      totalTokens: usage.total_tokens,
    });
  }
}

function reasoningDetails(value: unknown): string | undefined {
  return asArray(value)
    ?.map((entry) => asText(asObject(entry)?.text) ?? asText(asObject(entry)?.summary) ?? '')
    .join('');
}

// OpenAI chat completions, also offered by some twenty other providers with small differences. The decoder accepts all known
// variants from every provider: three names for reasoning, tool calls without index, usage in any chunk, errors after a
// 200, no [DONE].

/** OpenAI's `/v1/chat/completions`. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  title: 'OpenAI chat completions (SSE), and compatible APIs',
  framing: 'sse',
  thinkTags: true,
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
  accepts: new Set(['image', 'audio', 'tools', 'toolResults', 'schema']),
  options: new Set(['maxTokens', 'temperature', 'stop', 'n', 'seed', 'reasoningEffort']),
  finishWords: CHAT_FINISH,
  mixesCalls: true,

  request(chat) {
    const body = {
      model: chat.model,
      messages: chat.messages.map(chatMessage),
      temperature: chat.temperature,
      stop: chat.stop,
      n: chat.n,
      seed: chat.seed,
      reasoning_effort: chat.reasoningEffort,
      stream: chat.stream,
      tools: functionTools(chat.tools),
      response_format: chatFormat(chat.answerSchema),
      ...differingFields(chat),
    };
    return post('/chat/completions', chat, body);
  },

  ownsPath: (pathname) => pathname.endsWith('/chat/completions'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !this.ownsPath(path)) return undefined;
    const json = asObject(parseJson(body));
    const messages = openaiMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    return {
      model: asText(json.model),
      messages,
      maxTokens: asCount(json.max_completion_tokens) ?? asCount(json.max_tokens),
      temperature: asNumber(json.temperature),
      stream: json.stream === true,
      ...readChatOptions(json),
      // Zhipu always sends usage.
      extra: {
        stream_options: path.includes('/api/paas/') ? { include_usage: true } : json.stream_options,
      },
    };
  },

  decoder: () => new ChatDecoder(),

  encoder: (context) =>
    encodeChunks(context, 'chat.completion.chunk', (event) => {
      const delta = deltaOf(event);
      if (delta === undefined) return undefined;
      const finish = event.type === 'complete' ? finishWord(CHAT_FINISH, event) : null;
      return { delta, finish_reason: finish };
    }),

  decodeWhole: (body) => decodeDocument(new ChatDecoder(true), body),

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
    const answer = {
      ...envelope(context, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: usage === undefined ? undefined : encodeUsage(usage),
    };
    return jsonBody(answer);
  },

  encodeError: (status, message) => jsonBody(errorJson(message, String(status))),
};

function deltaOf(event: StreamEvent): Json | undefined {
  switch (event.type) {
    case 'start':
      return { role: 'assistant', content: '' };
    case 'message_chunk':
      return { content: event.text };
    case 'thinking':
      return { reasoning_content: event.text };
    case 'tool_call':
      return { tool_calls: [{ index: event.index, ...toolCall(event) }] };
    case 'complete':
      return {};
    default:
      return undefined;
  }
}

/**
 * Encodes a stream of OpenAI's objects with one choice each. `choiceOf` returns the fields of an event's choice; undefined if
 * the event is not sent. Usage is sent last, if the request has `include_usage`; then `[DONE]`.
 */
export function encodeChunks(
  context: AnswerContext,
  object: string,
  choiceOf: (event: StreamEvent) => Json | undefined,
): Encoder {
  const includeUsage = asObject(context.request?.extra?.stream_options)?.include_usage === true;
  let usage: UsageEvent | undefined;
  const chunk = (choices: readonly Json[], more: Json = {}): Frame => ({
    data: JSON.stringify({ ...envelope(context, object), choices, ...more }),
  });
  return (event) => {
    if (event.type === 'error') return [{ data: errorJson(event.message, event.code) }];
    if (event.type === 'usage') usage = event;
    const choice = choiceOf(event);
    const frames = choice === undefined ? [] : [chunk([{ index: 0, ...choice }])];
    if (event.type !== 'complete') return frames;
    if (usage !== undefined && includeUsage) frames.push(chunk([], { usage: encodeUsage(usage) }));
    return [...frames, { data: '[DONE]' }];
  };
}

/** Usage in OpenAI's format. */
export function encodeUsage(usage: UsageEvent): Json {
  const input = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: input + output,
    completion_tokens_details:
      usage.reasoningTokens === undefined ? undefined : { reasoning_tokens: usage.reasoningTokens },
    prompt_tokens_details:
      usage.cachedInputTokens === undefined ? undefined : { cached_tokens: usage.cachedInputTokens },
  };
}

function toolCall(call: { id?: string; name?: string; arguments: string }): Json {
  const first = call.name !== undefined;
  return {
    id: call.id,
    type: first ? 'function' : undefined,
    function: { name: call.name, arguments: call.arguments },
  };
}

/** The fields that all objects of one answer share. */
export function envelope(context: AnswerContext, object: string): Json {
  return { id: context.id, object, created: context.createdSeconds, model: context.model };
}

/** An error body in OpenAI's format. */
export function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: { message, type: 'server_error', param: null, code: code ?? null } });
}
