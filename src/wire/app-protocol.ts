import type { StreamEvent, UsageEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import { chatMessages, finishWord, post, promptText } from './chat-fields.ts';
import {
  type AnswerContext,
  type Decoder,
  type Dialect,
  type Encoder,
  type IncomingRequest,
  jsonBody,
  type WireBody,
} from './dialect.ts';
import { readFailure } from './errors.ts';
import { FRAMINGS } from './framing/framings.ts';
import { asArguments, asArray, asCount, asObject, asText, excerpt, type Json, parseJson } from './json.ts';
import { decodeDocument, JsonDecoder } from './json-decoder.ts';
import type { StatedCounts } from './usage.ts';
import { gather } from './whole-answer.ts';

/** Decodes a complete SSE body, for dialects whose whole answer is also a stream. */
export function decodeStreamBody(decoder: Decoder, body: string): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = FRAMINGS.sse.parser({
    frame(frame) {
      for (const event of decoder.decode(frame)) events.push(event);
    },
    comment: () => {},
  });
  parser.push(new TextEncoder().encode(body));
  parser.end();
  events.push(...decoder.end());
  if (events.length > 0) return events;
  return [{ type: 'error', malformed: true, message: `expected Server-Sent Events, got: ${excerpt(body)}` }];
}

/** Encodes a complete SSE body. */
export function encodeStreamBody(
  encoder: (context: AnswerContext) => Encoder,
  events: readonly StreamEvent[],
  context: AnswerContext,
): WireBody {
  const encode = encoder(context);
  const frames = events.flatMap((event) => [...encode(event)]);
  const body = frames.map((frame) => FRAMINGS.sse.write(frame)).join('');
  return { contentType: FRAMINGS.sse.contentType, body };
}

// Shared by the application dialects: services that put a model behind their own API.

/** The part that all application dialects share. `path` matches the paths of its requests. */
export function appDialect(path: RegExp) {
  return {
    framing: 'sse',
    acceptsAnyObject: true,
    options: new Set(['maxTokens', 'temperature'] as const),
    request: appRequest,
    ownsPath: (pathname: string) => path.test(pathname),
    parseRequest: (request: IncomingRequest) => (path.test(request.path) ? parseApp(request) : undefined),
    decodeWhole: (body: string) => decodeDocument(new WholeDecoder(), body),
    encodeWhole: encodeAppWhole,
    encodeError: (status: number, message: string) => jsonBody(appError(message, String(status))),
  } as const satisfies Partial<Dialect>;
}

/** The request to an application. No path is added: the user gives the full URL. */
function appRequest(chat: ChatRequest) {
  const body = {
    model: chat.model,
    message: promptText(chat.messages),
    max_tokens: chat.maxTokens,
    temperature: chat.temperature,
    // A streaming endpoint streams by default.
    stream: chat.stream ? undefined : false,
  };
  return post('', chat, body);
}

/** Parses a request to an application. The prompt may have any of the usual field names. */
function parseApp(request: IncomingRequest): ChatRequest | undefined {
  if (request.method !== 'POST') return undefined;
  const json = asObject(parseJson(request.body));
  if (json === undefined) return undefined;
  const text = asText(json.message) ?? asText(json.prompt) ?? asText(json.query) ?? asText(json.content);
  const messages =
    chatMessages(json.messages) ??
    (text === undefined ? undefined : [{ role: 'user' as const, content: text }]);
  if (messages === undefined) return undefined;
  return {
    model: asText(json.model),
    messages,
    maxTokens: asCount(json.max_tokens) ?? asCount(json.maxTokens),
    temperature: typeof json.temperature === 'number' ? json.temperature : undefined,
    stream: json.stream !== false,
  };
}

/** Token counts under the field names that applications use, unchecked. */
export function readCounts(value: unknown): StatedCounts {
  const usage = asObject(value);
  if (usage === undefined) return {};
  // AI SDK 7 nests the details of a count.
  const [input, output] = [asObject(usage.inputTokenDetails), asObject(usage.outputTokenDetails)];
  return {
    inputTokens: usage.inputTokens ?? usage.input_tokens ?? usage.prompt_tokens,
    outputTokens: usage.outputTokens ?? usage.output_tokens ?? usage.completion_tokens,
    reasoningTokens: output?.reasoningTokens ?? usage.reasoningTokens ?? usage.reasoning_tokens,
    cachedInputTokens: input?.cacheReadTokens ?? usage.cachedInputTokens ?? usage.cached_input_tokens,
    totalTokens: usage.totalTokens ?? usage.total_tokens,
  };
}

/** Token counts as our application dialects write them; undefined without usage. */
export function writeCounts(usage: UsageEvent | undefined): Json | undefined {
  if (usage === undefined) return undefined;
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    cached_input_tokens: usage.cachedInputTokens,
  };
}

/** Encodes the whole answer of an application: one object with `content`. */
function encodeAppWhole(events: readonly StreamEvent[], context: AnswerContext): WireBody {
  const { text, thinking, calls, usage, complete, error } = gather(events);
  if (error !== undefined) return jsonBody(appError(error.message, error.code));
  return jsonBody({
    id: context.id,
    model: context.model,
    content: text,
    thinking: asText(thinking),
    tool_calls: calls.length > 0 ? calls : undefined,
    usage: writeCounts(usage),
    finish_reason: finishWord({}, complete ?? { type: 'complete', finish: 'stop' }),
  });
}

/** A decoder for application dialects that send these events in the same form. */
export abstract class AppDecoder extends JsonDecoder {
  /** Reads an event of this type; false for other types. */
  protected readShared(type: unknown, json: Json, out: StreamEvent[]): boolean {
    switch (type) {
      case 'start':
        this.start(out, asText(json.id), asText(json.model));
        return true;
      case 'step_complete':
        out.push({ type, step: asCount(json.step), data: json.data });
        return true;
      case 'memory_update':
      case 'metadata':
        out.push({ type, data: json.data });
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        return false;
    }
  }
}

/** The error body of an application. */
export function appError(message: string, code?: string): string {
  return JSON.stringify({ error: { message, code } });
}

/** Decodes the whole answer of an application. The text may have any of the usual field names. */
class WholeDecoder extends JsonDecoder {
  protected read(json: Json, out: StreamEvent[]): boolean {
    const text = [json.content, json.response, json.answer, json.text, json.message].find(
      (value) => typeof value === 'string',
    );
    if (text === undefined || readFailure(json) !== undefined) return false;
    this.start(out, asText(json.id), asText(json.model));
    this.thinking(out, json.thinking);
    this.text(out, text);
    for (const entry of asArray(json.tool_calls) ?? []) {
      const call = asObject(entry);
      if (call !== undefined) this.call(out, asText(call.name), asText(call.id), asArguments(call.arguments));
    }
    this.addCounts(readCounts(json.usage));
    this.finish = asText(json.finish_reason);
    this.complete(out);
    return true;
  }
}
