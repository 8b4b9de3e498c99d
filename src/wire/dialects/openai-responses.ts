import type { CompleteEvent, StreamEvent, UsageEvent } from '../../model/events.ts';
import { type BlockKind, BlockTracker } from '../blocks.ts';
import { chatMessages, post } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, jsonBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asCount, asNumber, asObject, asText, type Json, parseJson } from '../json.ts';
import { decodeDocument } from '../json-decoder.ts';
import { responsesFields, responsesItems } from '../request-parts.ts';
import { gather, type WholeCall } from '../whole-answer.ts';
import { ResponsesDecoder } from './openai-responses-decoder.ts';

/** An item of the output as it grows. */
interface Item {
  kind: BlockKind;
  id: string;
  text: string;
  call: WholeCall;
}

/** Encodes one streamed response. Keeps the items, which the last event repeats. `items[at]!`: the tracker's blocks are the items. */
class ResponsesEncoder {
  private readonly context: AnswerContext;
  private readonly blocks = new BlockTracker();
  private readonly items: Item[] = [];
  private sequence = 0;
  private usage: UsageEvent | undefined;

  constructor(context: AnswerContext) {
    this.context = context;
  }

  encode(event: StreamEvent): readonly Frame[] {
    const frames: Frame[] = [];
    const transition = this.blocks.enter(event);
    if (transition?.closed !== undefined) this.close(transition.closed.index, frames);
    if (transition?.opened) this.openItem(event, frames);
    switch (event.type) {
      case 'start':
        for (const type of ['response.created', 'response.in_progress']) {
          frames.push(this.event(type, { response: this.response({ status: 'in_progress', output: [] }) }));
        }
        break;
      case 'message_chunk':
        this.grow(event.text, { content_index: 0 }, 'response.output_text.delta', frames);
        break;
      case 'thinking':
        this.grow(event.text, { summary_index: 0 }, 'response.reasoning_summary_text.delta', frames);
        break;
      case 'tool_call':
        if (event.arguments !== '') {
          this.grow(event.arguments, {}, 'response.function_call_arguments.delta', frames);
        }
        break;
      case 'usage':
        this.usage = event;
        break;
      case 'complete': {
        const open = this.blocks.leave();
        if (open !== undefined) this.close(open.index, frames);
        const status = statusOf(event);
        const output = this.items.map((item) => itemJson(item, 'completed'));
        const usage = this.usage === undefined ? null : encodeUsage(this.usage);
        const type = `response.${status.status}`;
        frames.push(this.event(type, { response: this.response({ ...status, output, usage }) }));
        break;
      }
      case 'error': {
        const error = { code: event.code ?? 'server_error', message: event.message };
        frames.push(
          this.event('error', { ...error, param: null }),
          this.event('response.failed', { response: this.response({ status: 'failed', error, output: [] }) }),
        );
        break;
      }
      default:
        break;
    }
    return frames;
  }

  private event(type: string, more: Json): Frame {
    return { event: type, data: JSON.stringify({ type, sequence_number: this.sequence++, ...more }) };
  }

  private response(more: Json): Json {
    return responseJson(this.context, more);
  }

  private openItem(event: StreamEvent, frames: Frame[]): void {
    const at = this.items.length;
    const called = event.type === 'tool_call' ? event : undefined;
    const kind = called !== undefined ? 'tool' : event.type === 'thinking' ? 'thinking' : 'text';
    const id = `${PREFIX[kind]}_${at}`;
    const call = {
      index: called?.index ?? 0,
      id: called?.id,
      name: called?.name,
      arguments: '',
    };
    const item: Item = { kind, id, text: '', call };
    this.items.push(item);
    frames.push(
      this.event('response.output_item.added', { output_index: at, item: itemJson(item, 'in_progress') }),
    );
    const place = { item_id: id, output_index: at };
    if (kind === 'text') {
      const part = { type: 'output_text', text: '', annotations: [] };
      frames.push(this.event('response.content_part.added', { ...place, content_index: 0, part }));
    } else if (kind === 'thinking') {
      const part = { type: 'summary_text', text: '' };
      frames.push(this.event('response.reasoning_summary_part.added', { ...place, summary_index: 0, part }));
    }
  }

  private grow(delta: string, place: Json, type: string, frames: Frame[]): void {
    const at = this.items.length - 1;
    const item = this.items[at]!;
    item.text += delta;
    frames.push(this.event(type, { item_id: item.id, output_index: at, ...place, delta }));
  }

  private close(at: number, frames: Frame[]): void {
    const item = this.items[at]!;
    const place = { item_id: item.id, output_index: at };
    const { text } = item;
    if (item.kind === 'text') {
      const part = { type: 'output_text', text, annotations: [] };
      frames.push(
        this.event('response.output_text.done', { ...place, content_index: 0, text }),
        this.event('response.content_part.done', { ...place, content_index: 0, part }),
      );
    } else if (item.kind === 'thinking') {
      const part = { type: 'summary_text', text };
      frames.push(
        this.event('response.reasoning_summary_text.done', { ...place, summary_index: 0, text }),
        this.event('response.reasoning_summary_part.done', { ...place, summary_index: 0, part }),
      );
    } else {
      frames.push(this.event('response.function_call_arguments.done', { ...place, arguments: text }));
    }
    frames.push(
      this.event('response.output_item.done', { output_index: at, item: itemJson(item, 'completed') }),
    );
  }
}

const PREFIX: Record<BlockKind, string> = { text: 'msg', thinking: 'rs', tool: 'fc' };

function itemJson({ kind, id, text, call }: Item, status: string): Json {
  if (kind === 'tool') return toolItem({ ...call, arguments: text }, id, status);
  if (kind === 'thinking') {
    return { id, type: 'reasoning', summary: text === '' ? [] : [{ type: 'summary_text', text }] };
  }
  const content = text === '' ? [] : [{ type: 'output_text', text, annotations: [] }];
  return { id, type: 'message', role: 'assistant', status, content };
}

/** A tool call as an item of the output. */
function toolItem(call: WholeCall, id: string, status: string): Json {
  const callId = call.id ?? `call_${call.index}`;
  return {
    id,
    type: 'function_call',
    status,
    call_id: callId,
    name: call.name ?? '',
    arguments: call.arguments,
  };
}

/** The response object that frames and whole answers share. */
function responseJson(context: AnswerContext, more: Json): Json {
  return {
    id: context.id,
    object: 'response',
    created_at: context.createdSeconds,
    error: null,
    incomplete_details: null,
    model: context.model,
    ...more,
  };
}

/** The status of a response object. */
function statusOf({ finish, raw }: CompleteEvent): { status: string; incomplete_details?: Json } {
  if (finish === 'stop' || finish === 'tool_calls') return { status: 'completed' };
  if (finish === 'length') {
    return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  }
  const reason = finish === 'content_filter' ? finish : raw?.replace(/^incomplete:/, '') || finish;
  return { status: 'incomplete', incomplete_details: { reason } };
}

/** The usage of a response object. */
function encodeUsage(usage: UsageEvent): Json {
  const input = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: input + output,
  };
}

// OpenAI Responses: named events for items and their parts. Each text is sent in deltas and again, whole, in the `done`
// events and in the last event: only the deltas are decoded. There is no `[DONE]`: the event with the whole response is
// the terminator, and always has the usage.

/** OpenAI's `/v1/responses`. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  title: 'OpenAI Responses (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
  accepts: new Set(['image', 'tools', 'toolResults', 'schema']),
  options: new Set(['maxTokens', 'temperature', 'reasoningEffort']),

  request(chat) {
    const body = {
      model: chat.model,
      input: chat.messages.flatMap(responsesItems),
      max_output_tokens: chat.maxTokens,
      temperature: chat.temperature,
      reasoning: chat.reasoningEffort && { effort: chat.reasoningEffort },
      stream: chat.stream,
      ...responsesFields(chat),
    };
    return post('/responses', chat, body);
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
    return {
      model: asText(json.model),
      messages:
        instructions === undefined ? messages : [{ role: 'system', content: instructions }, ...messages],
      maxTokens: asCount(json.max_output_tokens),
      temperature: asNumber(json.temperature),
      stream: json.stream === true,
    };
  },

  decoder: () => new ResponsesDecoder(),

  encoder(context) {
    const encoder = new ResponsesEncoder(context);
    return (event) => encoder.encode(event);
  },

  decodeWhole: (body) => decodeDocument(new ResponsesDecoder(), body),

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
