import type { StreamEvent, ToolCallEvent } from '../../model/events.ts';
import { type FinishWords, ToolCallIndex } from '../chat-fields.ts';
import { readFailure } from '../errors.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asCount, asObject, asText, compact, type Json, jsonText } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

/** The words for a finish of OpenAI and of those that speak like it. */
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

/** Reads chunks of chat completions, of the older text completions, and whole answers of both. */
export class ChatDecoder extends JsonDecoder {
  private readonly places = new ToolCallIndex();
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
    // HOT PATH: a chunk of the answer has choices, and nothing that tells of a failure.
    const plain = choices !== undefined && choices.length > 0 && json.error == null && !json.base_resp;
    if (frame.event === 'error' || (!plain && readFailure(json) !== undefined)) {
      this.fail(out, json);
      return true;
    }
    return choices !== undefined || usage !== undefined;
  }

  private choices(json: Json, choices: readonly unknown[], out: StreamEvent[]): void {
    const id = asText(json.id);
    // Azure's first chunk has neither id nor choices: it is not the start of the answer yet.
    if (id !== undefined || choices.length > 0) this.start(out, id, asText(json.model));
    for (const entry of choices) {
      const choice = asObject(entry);
      if (choice === undefined) continue;
      // Only the first of several parallel answers is followed; the others would mix into its text.
      if (choice.index !== undefined && choice.index !== 0) {
        out.push({ type: 'unknown', name: 'choice', data: jsonText(choice) });
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
    // One answer may have the same reasoning under several names.
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
    const index = this.places.place(asCount(call.index), id, name);
    this.calls = Math.max(this.calls, index + 1);
    const args = asArguments(fn.arguments ?? fn.input);
    out.push(compact<ToolCallEvent>({ type: 'tool_call', index, id, name, arguments: args }));
  }

  // Sound comes with its transcript, which is the text of the answer.
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
    this.count({
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
