import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { percentDecoded } from '../../model/redaction/url-secrets.ts';
import type { ChatRequest, Message } from '../../model/request.ts';
import { type FinishWords, finishWord, post, promptText, textOf, unlessEmpty } from '../chat-fields.ts';
import {
  type AnswerContext,
  type Dialect,
  type Encoder,
  type IncomingRequest,
  jsonBody,
} from '../dialect.ts';
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
import { geminiContents, geminiFormat, geminiThinking, geminiTools } from '../request-parts.ts';
import { argumentsValue, CallBuffer, gather, type WholeCall } from '../whole-answer.ts';
import { PartialArguments } from './gemini-arguments.ts';

/** Gemini's finish reasons. */
const FINISH_WORDS: FinishWords = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  LANGUAGE: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  OTHER: 'other',
};

// The enums' numbers, from 1; 0 is "unspecified". From 6 on the Gemini API and Vertex use different numbers. Numbers with the
// same meaning in both are listed; other numbers are kept as raw values.
const FINISH_NUMBERS: readonly string[] = [
  ...['', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'],
  ...['BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
];
const BLOCK_NUMBERS: readonly string[] = ['', 'SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT'];

/** Decodes the chunks of a stream, and whole answers, which are one chunk. */
class GeminiDecoder extends JsonDecoder {
  /** The prompt was refused: the finish is the reason for that. */
  private blocked = false;
  private partial: { index: number; args: PartialArguments } | undefined;

  constructor() {
    super(FINISH_WORDS, true);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    const candidates = asArray(json.candidates);
    const feedback = asObject(json.promptFeedback);
    const usage = asObject(json.usageMetadata);
    if (candidates === undefined && feedback === undefined && usage === undefined) return false;
    this.start(out, asText(json.responseId), asText(json.modelVersion));
    for (const entry of candidates ?? []) {
      const candidate = asObject(entry);
      if (candidate === undefined) continue;
      if (candidate.index !== undefined && candidate.index !== 0) {
        out.push({ type: 'unknown', name: 'candidate', data: encodeJson(candidate) });
        continue;
      }
      for (const part of asArray(asObject(candidate.content)?.parts) ?? [])
        this.part(asObject(part) ?? {}, out);
      this.finish = enumWord(candidate.finishReason, FINISH_NUMBERS) ?? this.finish;
    }
    const blocked = enumWord(feedback?.blockReason, BLOCK_NUMBERS);
    if (blocked !== undefined && this.finish === undefined) {
      this.finish = blocked;
      this.blocked = true;
    }
    if (usage !== undefined) this.usage(usage);
    return true;
  }

  protected override complete(out: StreamEvent[]): void {
    super.complete(out);
    const last = out.at(-1);
    if (this.blocked && last?.type === 'complete') last.finish = 'content_filter';
  }

  private part(part: Json, out: StreamEvent[]): void {
    const call = asObject(part.functionCall);
    if (call !== undefined) {
      this.functionCall(call, out);
      return;
    }
    if (typeof part.text === 'string') {
      if (part.thought === true) this.thinking(out, part.text);
      else this.text(out, part.text);
      return;
    }
    const inline = asObject(part.inlineData);
    if (inline !== undefined) {
      this.media(out, undefined, inline.data, inline.mimeType);
      return;
    }
    const file = asObject(part.fileData);
    if (file !== undefined) {
      this.media(out, undefined, file.fileUri, file.mimeType);
      return;
    }
    const code = asObject(part.executableCode);
    if (code !== undefined) {
      this.serverCall(out, 'code_execution', undefined, asText(code.code));
      return;
    }
    const kind = Object.keys(part).find((key) => key !== 'thought' && key !== 'thoughtSignature');
    if (kind !== undefined) out.push({ type: 'unknown', name: kind, data: encodeJson(part) });
  }

  // A call is sent whole, or if requested in pieces: the name, then values with their paths, then an empty piece.
  private functionCall(call: Json, out: StreamEvent[]): void {
    const open = this.partial;
    const name = asText(call.name);
    const partial = asArray(call.partialArgs);
    if (open === undefined || name !== undefined) {
      const more = call.willContinue === true || partial !== undefined;
      const args = more ? '' : asArguments(call.args ?? {});
      const index = this.call(out, name, asText(call.id), args);
      this.partial = more ? { index, args: new PartialArguments() } : undefined;
    }
    const current = this.partial;
    if (current === undefined) return;
    for (const piece of partial ?? []) current.args.add(asObject(piece) ?? {});
    if (call.willContinue === true) return;
    out.push({ type: 'tool_call', index: current.index, arguments: current.args.text() });
    this.partial = undefined;
  }

  private usage(usage: Json): void {
    this.addCounts({
      inputTokens: usage.promptTokenCount,
      outputTokens: usage.candidatesTokenCount,
      reasoningTokens: usage.thoughtsTokenCount,
      reasoningOutside: true,
      cachedInputTokens: usage.cachedContentTokenCount,
    });
  }
}

/** The name of a finish or block reason. With `enum-encoding=int` servers send its number. */
function enumWord(value: unknown, words: readonly string[]): string | undefined {
  if (typeof value !== 'number') return asText(value);
  return value === 0 ? undefined : (words[value] ?? String(value));
}

// Google Gemini and Vertex. The method in the path selects streaming. With `alt=sse` the stream is SSE, without it one JSON
// array, sent incrementally. There is no terminator: a finish reason, then EOF. Usage is cumulative in every chunk, and the
// candidates' count does not include thoughts.

const PATH = /\/models\/([^/]+):(streamGenerateContent|generateContent)$/;

function geminiDialect(name: string, title: string, array: boolean): Dialect {
  return {
    name,
    title,
    framing: array ? 'json-array' : 'sse',
    carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
    accepts: new Set(['image', 'audio', 'tools', 'toolResults', 'schema']),
    options: new Set(['maxTokens', 'temperature', 'stop', 'n', 'seed', 'reasoningEffort']),
    finishWords: FINISH_WORDS,

    request(chat) {
      const system = chat.messages.filter((message) => message.role === 'system');
      const rest = chat.messages.filter((message) => message.role !== 'system');
      const body = {
        systemInstruction: system.length > 0 ? { parts: [{ text: promptText(system) }] } : undefined,
        contents: geminiContents(rest),
        tools: geminiTools(chat.tools),
        generationConfig: unlessEmpty({
          maxOutputTokens: chat.maxTokens,
          temperature: chat.temperature,
          stopSequences: chat.stop,
          candidateCount: chat.n,
          seed: chat.seed,
          thinkingConfig: geminiThinking(chat.reasoningEffort),
          ...geminiFormat(chat.answerSchema),
        }),
      };
      const method = chat.stream ? 'streamGenerateContent' : 'generateContent';
      const path = `/models/${encodeURIComponent(chat.model ?? '')}:${method}`;
      const query = chat.stream && !array ? '?alt=sse' : '';
      return post(`${path}${query}`, chat, body, { accept: array ? 'application/json' : undefined });
    },

    ownsPath: (pathname) => PATH.test(pathname),

    parseRequest: (request) => parseGemini(request, array),
    decoder: () => new GeminiDecoder(),

    encoder: (context) => encodeGemini(context, array),
    decodeWhole: (body) => decodeDocument(new GeminiDecoder(), body),

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

function parseGemini(
  { method, path, query, body }: IncomingRequest,
  array: boolean,
): ChatRequest | undefined {
  const [, model, operation] = PATH.exec(path) ?? [];
  if (method !== 'POST' || model === undefined) return undefined;
  const stream = operation === 'streamGenerateContent';
  if (stream && (query.get('alt') !== 'sse') !== array) return undefined;
  const json = asObject(parseJson(body));
  const contents = asArray(json?.contents);
  if (json === undefined || contents === undefined) return undefined;
  const config = asObject(json.generationConfig);
  const system = textOf(asObject(json.systemInstruction ?? json.system_instruction)?.parts);
  return {
    model: percentDecoded(model),
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      ...contents.map(parseContent),
    ],
    maxTokens: asCount(config?.maxOutputTokens),
    temperature: asNumber(config?.temperature),
    stream,
  };
}

function encodeGemini(context: AnswerContext, array: boolean): Encoder {
  const calls = new CallBuffer();
  let usage: UsageEvent | undefined;
  let first = true;
  // The encoder writes the brackets and commas of the array: the framing only sees single frames.
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
}

/** Gemini's `streamGenerateContent?alt=sse`. */
export const gemini = geminiDialect('gemini', 'Google Gemini and Vertex (SSE)', false);

/** Gemini's `streamGenerateContent` as it answers without `alt=sse`. */
export const geminiArray = geminiDialect(
  'gemini-array',
  'Google Gemini and Vertex (streamed JSON array)',
  true,
);

function parseContent(value: unknown): Message {
  const content = asObject(value);
  return { role: content?.role === 'model' ? 'assistant' : 'user', content: textOf(content?.parts) };
}

// Gemini has no finish reason for tool calls.
function reasonOf(event: Extract<StreamEvent, { type: 'complete' }>): string {
  return event.finish === 'tool_calls' ? 'STOP' : finishWord(FINISH_WORDS, event);
}

function callPart(call: WholeCall): Json {
  const args = argumentsValue(call.arguments);
  return { functionCall: { id: call.id, name: call.name ?? '', args } };
}

function chunk(context: AnswerContext, parts: readonly Json[], more: Json = {}, usage?: UsageEvent): Json {
  return {
    candidates: [{ content: { parts, role: 'model' }, ...more, index: 0 }],
    usageMetadata: usage === undefined ? undefined : encodeUsage(usage),
    modelVersion: context.model,
    responseId: context.id,
  };
}

function encodeUsage(usage: UsageEvent): Json {
  const output = usage.outputTokens ?? 0;
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: output - (usage.reasoningTokens ?? 0),
    thoughtsTokenCount: usage.reasoningTokens,
    cachedContentTokenCount: usage.cachedInputTokens,
    totalTokenCount: (usage.inputTokens ?? 0) + output,
  };
}

function errorJson(code: number, message: string, status = 'INTERNAL'): string {
  return JSON.stringify({ error: { code, message, status } });
}
