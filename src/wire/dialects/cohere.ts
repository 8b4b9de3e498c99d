import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { BlockTracker } from '../blocks.ts';
import { chatMessages, commonFields, type FinishWords, finishWord, post } from '../chat-fields.ts';
import { type Dialect, jsonBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asObject, asText, type Json, parseJson } from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { chatMessage, functionTools } from '../request-parts.ts';
import { gather, type WholeCall } from '../whole-answer.ts';

// Cohere v2: named events with the content below `delta.message`. Of its two counts, `tokens` are the model's tokens and
// `billed_units` are for billing. The tool plan counts as reasoning.

const FINISH_WORDS: FinishWords = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
  ERROR: 'error',
  TIMEOUT: 'error',
};

// With the version: `/v1/chat` is another API, and `/api/chat` is Ollama's.
const PATH = '/v2/chat';

/** Cohere's `/v2/chat`. */
export const cohere: Dialect = {
  name: 'cohere',
  title: 'Cohere chat v2 (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
  accepts: new Set(['image', 'tools', 'toolResults', 'schema']),
  options: new Set(['maxTokens', 'temperature', 'stop', 'seed']),
  finishWords: FINISH_WORDS,

  request(chat) {
    const body = {
      model: chat.model,
      messages: chat.messages.map(chatMessage),
      max_tokens: chat.maxTokens,
      temperature: chat.temperature,
      stop_sequences: chat.stop,
      seed: chat.seed,
      stream: chat.stream,
      tools: functionTools(chat.tools),
      response_format: chat.answerSchema && { type: 'json_object', json_schema: chat.answerSchema.schema },
    };
    return post(PATH, chat, body);
  },

  ownsPath: (pathname) => pathname.endsWith(PATH),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith(PATH)) return undefined;
    const json = asObject(parseJson(body));
    const messages = chatMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    return {
      ...commonFields(json),
      messages,
    };
  },

  decoder: () => new CohereDecoder(),

  encoder(context) {
    const blocks = new BlockTracker();
    let usage: UsageEvent | undefined;
    const frame = (type: string, more: Json = {}): Frame => ({
      event: type,
      data: JSON.stringify({ type, ...more }),
    });
    const message = (type: string, index: number, fields: Json) =>
      frame(type, { index, delta: { message: fields } });
    const stop = ({ index, kind }: { index: number; kind: string }) =>
      frame(kind === 'tool' ? 'tool-call-end' : 'content-end', { index });
    return (event) => {
      const frames: Frame[] = [];
      const transition = blocks.enter(event);
      if (transition?.closed !== undefined) frames.push(stop(transition.closed));
      const index = transition?.index ?? 0;
      switch (event.type) {
        case 'start':
          frames.push(
            frame('message-start', {
              id: context.id,
              delta: {
                message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] },
              },
            }),
          );
          break;
        case 'message_chunk':
        case 'thinking': {
          const key = event.type === 'thinking' ? 'thinking' : 'text';
          if (transition?.opened) {
            frames.push(message('content-start', index, { content: { type: key, [key]: '' } }));
          }
          frames.push(message('content-delta', index, { content: { [key]: event.text } }));
          break;
        }
        case 'tool_call':
          if (transition?.opened)
            frames.push(message('tool-call-start', index, { tool_calls: encodeCall(event) }));
          else {
            frames.push(
              message('tool-call-delta', index, { tool_calls: { function: { arguments: event.arguments } } }),
            );
          }
          break;
        case 'usage':
          usage = event;
          break;
        case 'complete': {
          const open = blocks.leave();
          if (open !== undefined) frames.push(stop(open));
          const delta = { finish_reason: finishWord(FINISH_WORDS, event), usage: encodeUsage(usage) };
          frames.push(frame('message-end', { id: context.id, delta }), { data: '[DONE]' });
          break;
        }
        case 'error': {
          const open = blocks.leave();
          if (open !== undefined) frames.push(stop(open));
          const delta = { finish_reason: 'ERROR', error: event.message };
          frames.push(frame('message-end', { id: context.id, delta }), { data: '[DONE]' });
          break;
        }
        default:
          break;
      }
      return frames;
    };
  },

  decodeWhole: (body) => decodeDocument(new CohereDecoder(), body),

  encodeWhole(events, context) {
    const { text, thinking, calls, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody({ id: context.id, message: error.message });
    const content: Json[] = [];
    if (thinking !== '') content.push({ type: 'thinking', thinking });
    if (text !== '') content.push({ type: 'text', text });
    const message = {
      role: 'assistant',
      content,
      tool_calls: calls.length > 0 ? calls.map(encodeCall) : undefined,
    };
    const finish = finishWord(FINISH_WORDS, complete ?? { type: 'complete', finish: 'stop' });
    return jsonBody({ id: context.id, finish_reason: finish, message, usage: encodeUsage(usage) });
  },

  encodeError: (status, message) => jsonBody({ id: String(status), message }),
};

class CohereDecoder extends JsonDecoder {
  /** Cohere's index of a call -> our index. */
  private readonly open = new Map<unknown, number>();

  constructor() {
    super(FINISH_WORDS);
  }

  protected read(json: Json, out: StreamEvent[], frame: Frame): boolean {
    const delta = asObject(json.delta);
    const message = asObject(delta?.message);
    switch (json.type ?? frame.event) {
      case 'message-start':
        this.start(out, asText(json.id));
        return true;
      case 'content-start':
      case 'content-delta': {
        const content = asObject(message?.content);
        this.thinking(out, content?.thinking);
        this.text(out, content?.text);
        return true;
      }
      case 'tool-plan-delta':
        this.thinking(out, message?.tool_plan);
        return true;
      case 'tool-call-start': {
        const call = asObject(message?.tool_calls);
        const fn = asObject(call?.function);
        this.open.set(
          json.index,
          this.call(out, asText(fn?.name), asText(call?.id), asArguments(fn?.arguments)),
        );
        return true;
      }
      case 'tool-call-delta': {
        const index = this.open.get(json.index);
        if (index === undefined) return false;
        const args = asText(asObject(asObject(message?.tool_calls)?.function)?.arguments);
        if (args !== undefined) out.push({ type: 'tool_call', index, arguments: args });
        return true;
      }
      case 'message-end': {
        this.usage(asObject(delta?.usage));
        const error = asText(delta?.error);
        if (error !== undefined) this.fail(out, { message: error });
        else this.finish = asText(delta?.finish_reason) ?? this.finish;
        return true;
      }
      case 'content-end':
      case 'tool-call-end':
      case 'citation-end':
        return true;
      default:
        return this.whole(json, out);
    }
  }

  private whole(json: Json, out: StreamEvent[]): boolean {
    const message = asObject(json.message);
    if (message === undefined) {
      // `{"id","message"}` is Cohere's error body.
      if (asText(json.message) === undefined) return false;
      this.fail(out, json);
      return true;
    }
    this.start(out, asText(json.id));
    this.thinking(out, message.tool_plan);
    for (const entry of asArray(message.content) ?? []) {
      const part = asObject(entry);
      this.thinking(out, part?.thinking);
      this.text(out, part?.text);
    }
    for (const entry of asArray(message.tool_calls) ?? []) {
      const call = asObject(entry);
      const fn = asObject(call?.function);
      this.call(out, asText(fn?.name), asText(call?.id), asArguments(fn?.arguments));
    }
    this.usage(asObject(json.usage));
    this.finish = asText(json.finish_reason);
    return true;
  }

  private usage(usage: Json | undefined): void {
    const tokens = asObject(usage?.tokens);
    if (usage === undefined || tokens === undefined) return;
    this.addCounts({
      inputTokens: tokens.input_tokens,
      outputTokens: tokens.output_tokens,
      reasoningTokens: tokens.reasoning_tokens,
      cachedInputTokens: usage.cached_tokens,
    });
  }
}

function encodeCall(call: Omit<WholeCall, 'arguments'> & { arguments: string }): Json {
  return {
    id: call.id ?? `call_${call.index}`,
    type: 'function',
    function: { name: call.name ?? '', arguments: call.arguments },
  };
}

function encodeUsage(usage: UsageEvent | undefined): Json | undefined {
  if (usage === undefined) return undefined;
  const billed = { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };
  const tokens = { ...billed, reasoning_tokens: usage.reasoningTokens };
  return { billed_units: billed, tokens, cached_tokens: usage.cachedInputTokens };
}
