import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import type { ChatRequest, Message } from '../../model/request.ts';
import { argumentsValue, CallBuffer, gather, type WholeCall } from '../whole-answer.ts';
import { finishWord, post, promptText, textOf } from '../chat-fields.ts';
import { type AnswerContext, jsonBody, type WireFormat } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { GEMINI_FINISH, GeminiDecoder } from './gemini-decoder.ts';
import { asArray, asCount, asNumber, asObject, compact, type Json, parseJson } from '../json.ts';

// Google Gemini and Vertex. The method in the path says whether to stream; `alt=sse` makes events of it, without it
// the stream is one JSON array, sent piece by piece. There is no terminator: a finish reason and then EOF. Counts are
// cumulative in every chunk, and thoughts are not inside the candidates' count.

const PATH = /\/models\/([^/]+):(streamGenerateContent|generateContent)$/;

function geminiFormat(name: string, title: string, array: boolean): WireFormat {
  return {
    name,
    title,
    framing: array ? 'json-array' : 'sse',
    carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),

    request(chat) {
      const system = chat.messages.filter((message) => message.role === 'system');
      const rest = chat.messages.filter((message) => message.role !== 'system');
      const limits = compact({ maxOutputTokens: chat.maxTokens, temperature: chat.temperature });
      const body = {
        systemInstruction: system.length > 0 ? { parts: [{ text: promptText(system) }] } : undefined,
        contents: rest.map(({ role, content }) => ({
          role: role === 'assistant' ? 'model' : 'user',
          parts: [{ text: content }],
        })),
        generationConfig: Object.keys(limits).length > 0 ? limits : undefined,
      };
      const method = chat.stream ? 'streamGenerateContent' : 'generateContent';
      const path = `/models/${encodeURIComponent(chat.model ?? '')}:${method}`;
      const query = chat.stream && !array ? '?alt=sse' : '';
      return post(`${path}${query}`, chat, body, { accept: array ? 'application/json' : undefined });
    },

    ownsPath: (pathname) => PATH.test(pathname),

    parseRequest({ method, path, query, body }) {
      const match = PATH.exec(path);
      if (method !== 'POST' || match === null) return undefined;
      const stream = match[2] === 'streamGenerateContent';
      if (stream && (query.get('alt') !== 'sse') !== array) return undefined;
      const json = asObject(parseJson(body));
      const contents = asArray(json?.contents);
      if (json === undefined || contents === undefined) return undefined;
      const config = asObject(json.generationConfig);
      const system = textOf(asObject(json.systemInstruction ?? json.system_instruction)?.parts);
      return compact<ChatRequest>({
        model: decodeModel(match[1]!),
        messages: [
          ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
          ...contents.map(parseContent),
        ],
        maxTokens: asCount(config?.maxOutputTokens),
        temperature: asNumber(config?.temperature),
        stream,
      });
    },

    decoder: () => new GeminiDecoder(),

    encoder(context) {
      const calls = new CallBuffer();
      let usage: UsageEvent | undefined;
      let first = true;
      // The brackets and commas of the array are the encoder's to write: a framing knows single frames only.
      const frame = (data: string, last = false): Frame => {
        const lead = array ? (first ? '[' : ',\r\n') : '';
        first = false;
        return { data: `${lead}${data}${array && last ? '\n]' : ''}` };
      };
      const piece = (parts: readonly Json[]) => frame(JSON.stringify(chunk(context, parts)));
      return (event) => {
        const frames = calls.take(event).map((call) => piece([callPart(call)]));
        switch (event.type) {
          case 'message_chunk':
            frames.push(piece([{ text: event.text }]));
            break;
          case 'thinking':
            frames.push(piece([{ text: event.text, thought: true }]));
            break;
          case 'usage':
            usage = event;
            break;
          case 'complete': {
            const more = { finishReason: reasonOf(event) };
            frames.push(frame(JSON.stringify(chunk(context, [{ text: '' }], more, usage)), true));
            break;
          }
          case 'error':
            frames.push(frame(errorJson(500, event.message, event.code), true));
            break;
          default:
            break;
        }
        return frames;
      };
    },

    decodeWhole(body) {
      const decoder = new GeminiDecoder();
      return [...decoder.decode({ data: body }), ...decoder.end()];
    },

    encodeWhole(events, context) {
      const { text, thinking, calls, usage, complete, error } = gather(events);
      if (error !== undefined) return jsonBody(errorJson(500, error.message, error.code));
      const parts: Json[] = [];
      if (thinking !== '') parts.push({ text: thinking, thought: true });
      if (text !== '') parts.push({ text });
      parts.push(...calls.map(callPart));
      const finishReason = reasonOf(complete ?? { type: 'complete', finish: 'stop' });
      return jsonBody(chunk(context, parts, { finishReason }, usage));
    },

    encodeError: (status, message) => jsonBody(errorJson(status, message)),
  };
}

/** Gemini's `streamGenerateContent?alt=sse`. */
export const gemini = geminiFormat('gemini', 'Google Gemini and Vertex (SSE)', false);

/** Gemini's `streamGenerateContent` as it answers without `alt=sse`. */
export const geminiArray = geminiFormat(
  'gemini-array',
  'Google Gemini and Vertex (streamed JSON array)',
  true,
);

function decodeModel(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function parseContent(value: unknown): Message {
  const content = asObject(value);
  return { role: content?.role === 'model' ? 'assistant' : 'user', content: textOf(content?.parts) };
}

// Calls are no reason of their own.
function reasonOf(event: Extract<StreamEvent, { type: 'complete' }>): string {
  return event.finish === 'tool_calls' ? 'STOP' : finishWord(GEMINI_FINISH, event);
}

function callPart(call: WholeCall): Json {
  const args = argumentsValue(call.arguments);
  return { functionCall: compact({ id: call.id, name: call.name ?? '', args }) };
}

function chunk(context: AnswerContext, parts: readonly Json[], more: Json = {}, usage?: UsageEvent): Json {
  return compact({
    candidates: [{ content: { parts, role: 'model' }, ...more, index: 0 }],
    usageMetadata: usage === undefined ? undefined : encodeUsage(usage),
    modelVersion: context.model,
    responseId: context.id,
  });
}

function encodeUsage(usage: UsageEvent): Json {
  const output = usage.outputTokens ?? 0;
  return compact({
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: output - (usage.reasoningTokens ?? 0),
    thoughtsTokenCount: usage.reasoningTokens,
    cachedContentTokenCount: usage.cachedInputTokens,
    totalTokenCount: (usage.inputTokens ?? 0) + output,
  });
}

function errorJson(code: number, message: string, status = 'INTERNAL'): string {
  return JSON.stringify({ error: { code, message, status } });
}
