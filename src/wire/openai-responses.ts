import type { StreamEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import { gather } from './answer.ts';
import { chatMessages, type FinishWords, post } from './chat.ts';
import { type AnswerContext, jsonBody, type WireFormat } from './format.ts';
import {
  asArguments,
  asArray,
  asCount,
  asNumber,
  asObject,
  asText,
  compact,
  type Json,
  parseJson,
} from './json.ts';
import { JsonDecoder } from './json-decoder.ts';
import {
  encodeUsage,
  ResponsesEncoder,
  responseJson,
  statusOf,
  toolItem,
} from './openai-responses-encoder.ts';

// OpenAI Responses: named events, items and parts inside them. Each text comes in deltas and then again, whole, in the
// `done` events and in the last one: only the deltas count. There is no `[DONE]`; the event with the whole response
// is the terminator, and it always has the counts.

const FINISH: FinishWords = {
  completed: 'stop',
  'incomplete:max_output_tokens': 'length',
  'incomplete:content_filter': 'content_filter',
  incomplete: 'other',
  cancelled: 'other',
};

/** OpenAI's `/v1/responses`. */
export const openaiResponses: WireFormat = {
  name: 'openai-responses',
  title: 'OpenAI Responses (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      model: chat.model,
      input: chat.messages,
      max_output_tokens: chat.maxTokens,
      temperature: chat.temperature,
      stream: chat.stream,
      ...chat.extra,
    };
    return post('/responses', body, chat.stream);
  },

  ownsPath: (pathname) => pathname.endsWith('/responses'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith('/responses')) return undefined;
    const json = asObject(parseJson(body));
    if (json === undefined) return undefined;
    const text = asText(json.input);
    const messages =
      text === undefined ? chatMessages(json.input) : [{ role: 'user' as const, content: text }];
    if (messages === undefined) return undefined;
    const instructions = asText(json.instructions);
    return compact<ChatRequest>({
      model: asText(json.model),
      messages:
        instructions === undefined ? messages : [{ role: 'system', content: instructions }, ...messages],
      maxTokens: asCount(json.max_output_tokens),
      temperature: asNumber(json.temperature),
      stream: json.stream === true,
    });
  },

  decoder: () => new ResponsesDecoder(),

  encoder(context) {
    const encoder = new ResponsesEncoder(context);
    return (event) => encoder.encode(event);
  },

  decodeWhole(body) {
    const decoder = new ResponsesDecoder();
    return [...decoder.decode({ data: body }), ...decoder.end()];
  },

  encodeWhole(events, context: AnswerContext) {
    const { text, thinking, calls, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody({ error: { message: error.message, code: error.code ?? null } });
    const output: Json[] = [];
    if (thinking !== '') {
      output.push({ id: 'rs_0', type: 'reasoning', summary: [{ type: 'summary_text', text: thinking }] });
    }
    if (text !== '') {
      const content = [{ type: 'output_text', text, annotations: [] }];
      output.push({ id: 'msg_0', type: 'message', role: 'assistant', status: 'completed', content });
    }
    for (const call of calls) output.push(toolItem(call, `fc_${call.index}`, 'completed'));
    const status = statusOf(complete ?? { type: 'complete', finish: 'stop' });
    return jsonBody(
      responseJson(context, { ...status, output, usage: usage === undefined ? null : encodeUsage(usage) }),
    );
  },

  encodeError: (status, message) =>
    jsonBody({ error: { message, type: 'server_error', param: null, code: String(status) } }),
};

/** Events that say nothing which the deltas and the last event do not say. */
const SILENT: ReadonlySet<unknown> = new Set([
  'response.in_progress',
  'response.queued',
  'response.output_text.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.refusal.done',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
  'keepalive',
]);

/** A tool call that has begun: its index, and whether its arguments have come in pieces. */
interface OpenCall {
  index: number;
  pieces: boolean;
}

class ResponsesDecoder extends JsonDecoder {
  /** Item id or output index -> call. */
  private readonly open = new Map<unknown, OpenCall>();

  constructor() {
    super(FINISH, true);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        this.text(out, json.delta);
        return true;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.thinking(out, json.delta);
        return true;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.piece(json, out);
      case 'response.output_item.added':
        return this.added(json, out) !== undefined || !isCall(asObject(json.item));
      case 'response.output_item.done':
        return this.done(json, out);
      case 'response.created': {
        const response = asObject(json.response);
        this.start(out, asText(response?.id), asText(response?.model));
        return true;
      }
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        this.last(asObject(json.response) ?? {}, out);
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        if (json.object === 'response') return this.whole(json, out);
        return SILENT.has(json.type);
    }
  }

  // An `error` event is followed by `response.failed`, which says the same again.
  protected override isEcho(json: Json): boolean {
    return json.type === 'response.failed';
  }

  private added(json: Json, out: StreamEvent[]): OpenCall | undefined {
    const item = asObject(json.item);
    if (item === undefined || !isCall(item)) return undefined;
    const args = asArguments(item.arguments ?? item.input);
    const index = this.call(out, asText(item.name), asText(item.call_id) ?? asText(item.id), args);
    const call = { index, pieces: args !== '' };
    this.open.set(json.output_index ?? item.id, call);
    return call;
  }

  private piece(json: Json, out: StreamEvent[]): boolean {
    const call = this.open.get(json.output_index ?? json.item_id);
    if (call === undefined) return false;
    const args = asText(json.delta);
    if (args === undefined) return true;
    call.pieces = true;
    out.push({ type: 'tool_call', index: call.index, arguments: args });
    return true;
  }

  // Some servers send a call's arguments only when it is done, or the whole call only then.
  private done(json: Json, out: StreamEvent[]): boolean {
    const item = asObject(json.item);
    if (!isCall(item)) return true;
    const call = this.open.get(json.output_index ?? item?.id);
    if (call === undefined) return this.added(json, out) !== undefined;
    const args = asArguments(item?.arguments ?? item?.input);
    if (!call.pieces && args !== '') out.push({ type: 'tool_call', index: call.index, arguments: args });
    return true;
  }

  private last(response: Json, out: StreamEvent[]): void {
    this.usage(asObject(response.usage));
    const status = asText(response.status);
    if (status === 'failed' || (response.error !== undefined && response.error !== null)) {
      this.tellUsage(out);
      this.fail(out, response.error, 'the response failed');
      return;
    }
    const reason = asText(asObject(response.incomplete_details)?.reason);
    this.finish = reason === undefined ? status : `${status}:${reason}`;
    this.complete(out);
  }

  private whole(response: Json, out: StreamEvent[]): boolean {
    this.start(out, asText(response.id), asText(response.model));
    for (const entry of asArray(response.output) ?? []) {
      const item = asObject(entry) ?? {};
      if (isCall(item)) this.added({ item }, out);
      else if (item.type === 'message') for (const part of parts(item.content)) this.text(out, part);
      else if (item.type === 'reasoning') {
        const summary = parts(item.summary);
        for (const part of summary.length > 0 ? summary : parts(item.content)) this.thinking(out, part);
      } else {
        out.push(
          compact<StreamEvent>({ type: 'unknown', name: asText(item.type), data: JSON.stringify(item) }),
        );
      }
    }
    this.last(response, out);
    return true;
  }

  private usage(usage: Json | undefined): void {
    if (usage === undefined) return;
    this.count({
      inputTokens: asCount(usage.input_tokens),
      outputTokens: asCount(usage.output_tokens),
      reasoningTokens: asCount(asObject(usage.output_tokens_details)?.reasoning_tokens),
      cachedInputTokens: asCount(asObject(usage.input_tokens_details)?.cached_tokens),
    });
  }
}

function isCall(item: Json | undefined): boolean {
  return item?.type === 'function_call' || item?.type === 'custom_tool_call';
}

function parts(value: unknown): string[] {
  return (asArray(value) ?? []).flatMap((entry) => {
    const part = asObject(entry);
    return asText(part?.text) ?? asText(part?.refusal) ?? [];
  });
}
