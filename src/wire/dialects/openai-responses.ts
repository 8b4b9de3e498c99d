import type { ChatRequest } from '../../model/request.ts';
import { gather } from '../whole-answer.ts';
import { chatMessages, post } from '../chat-fields.ts';
import { type AnswerContext, jsonBody, type WireFormat } from '../dialect.ts';
import { asCount, asNumber, asObject, asText, compact, type Json, parseJson } from '../json.ts';
import { ResponsesDecoder } from './openai-responses-decoder.ts';
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

/** OpenAI's `/v1/responses`. */
export const openaiResponses: WireFormat = {
  name: 'openai-responses',
  title: 'OpenAI Responses (SSE)',
  framing: 'sse',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      model: chat.model,
      // OpenAI takes messages without a type, other servers of this API do not.
      input: chat.messages.map((message) => ({ type: 'message', ...message })),
      max_output_tokens: chat.maxTokens,
      temperature: chat.temperature,
      stream: chat.stream,
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
