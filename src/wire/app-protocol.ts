import type { StreamEvent, UsageEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import { chatMessages, finishWord, post, promptText } from './chat-fields.ts';
import {
  type AnswerContext,
  type Decoder,
  type Encoder,
  type IncomingRequest,
  jsonBody,
  type WireBody,
} from './dialect.ts';
import { readFailure } from './errors.ts';
import { FRAMINGS } from './framing/framings.ts';
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
} from './json.ts';
import { JsonDecoder } from './json-decoder.ts';
import type { StatedCounts } from './usage.ts';
import { gather } from './whole-answer.ts';

/** For dialects that know no other answer than an SSE stream: the whole answer is the stream, read to its end. */

/** The events of a stream in one piece. */
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

/** A stream in one piece. */
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

/** What the dialects of applications have in common: services that put a model behind an API of their own. */

/** The request to an application: its URL is the user's, so there is no path to add. */
export function appRequest(chat: ChatRequest) {
  const body = {
    model: chat.model,
    message: promptText(chat.messages),
    max_tokens: chat.maxTokens,
    temperature: chat.temperature,
    // Said only when it is not what a streaming endpoint is there for.
    stream: chat.stream ? undefined : false,
  };
  return post('', chat, body);
}

/** What a request asks an application for, under any of the usual names. */
export function parseApp(request: IncomingRequest): ChatRequest | undefined {
  if (request.method !== 'POST') return undefined;
  const json = asObject(parseJson(request.body));
  if (json === undefined) return undefined;
  const text = asText(json.message) ?? asText(json.prompt) ?? asText(json.query) ?? asText(json.content);
  const messages =
    chatMessages(json.messages) ??
    (text === undefined ? undefined : [{ role: 'user' as const, content: text }]);
  if (messages === undefined) return undefined;
  return compact<ChatRequest>({
    model: asText(json.model),
    messages,
    maxTokens: asCount(json.max_tokens) ?? asCount(json.maxTokens),
    temperature: typeof json.temperature === 'number' ? json.temperature : undefined,
    stream: json.stream !== false,
  });
}

/** Token counts in the spellings that applications use, as they are stated. */
export function readCounts(value: unknown): StatedCounts {
  const usage = asObject(value);
  if (usage === undefined) return {};
  // AI SDK 7 has the parts of a count below it.
  const [input, output] = [asObject(usage.inputTokenDetails), asObject(usage.outputTokenDetails)];
  return compact<StatedCounts>({
    inputTokens: usage.inputTokens ?? usage.input_tokens ?? usage.prompt_tokens,
    outputTokens: usage.outputTokens ?? usage.output_tokens ?? usage.completion_tokens,
    reasoningTokens: output?.reasoningTokens ?? usage.reasoningTokens ?? usage.reasoning_tokens,
    cachedInputTokens: input?.cacheReadTokens ?? usage.cachedInputTokens ?? usage.cached_input_tokens,
    totalTokens: usage.totalTokens ?? usage.total_tokens,
  });
}

/** Token counts as our own applications write them; undefined where there are none. */
export function writeCounts(usage: UsageEvent | undefined): Json | undefined {
  if (usage === undefined) return undefined;
  return compact({
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    cached_input_tokens: usage.cachedInputTokens,
  });
}

/** The whole answer of an application: one object with `content`. */
export function encodeAppWhole(events: readonly StreamEvent[], context: AnswerContext): WireBody {
  const { text, thinking, calls, usage, complete, error } = gather(events);
  if (error !== undefined) return jsonBody(appError(error.message, error.code));
  return jsonBody(
    compact({
      id: context.id,
      model: context.model,
      content: text,
      thinking: asText(thinking),
      tool_calls: calls.length > 0 ? calls : undefined,
      usage: writeCounts(usage),
      finish_reason: finishWord({}, complete ?? { type: 'complete', finish: 'stop' }),
    }),
  );
}

/** Reads the whole answer of an application, its text under any of the usual names. */
export function decodeAppWhole(body: string): readonly StreamEvent[] {
  const decoder = new WholeDecoder();
  return [...decoder.decode({ data: body }), ...decoder.end()];
}

/** The body of an application's error. */
export function appError(message: string, code?: string): string {
  return JSON.stringify({ error: compact({ message, code }) });
}

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
    this.count(readCounts(json.usage));
    this.finish = asText(json.finish_reason);
    this.complete(out);
    return true;
  }
}
