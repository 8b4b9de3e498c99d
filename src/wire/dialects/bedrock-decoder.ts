import type { StreamEvent } from '../../model/events.ts';
import { CORRUPT } from '../framing/aws-event-stream.ts';
import type { FinishWords } from '../chat-fields.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asObject, asText, type Json, jsonText } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

/** Bedrock's words for a finish. */
export const BEDROCK_FINISH: FinishWords = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
};

/** Names of events that say that the answer failed. */
export const BEDROCK_EXCEPTION = /(Exception|Error)$/;

/** Reads the messages of a stream, messages kept without their headers, and a whole answer. */
export class BedrockDecoder extends JsonDecoder {
  /** Block number -> index of the tool call in it. */
  private readonly tools = new Map<unknown, number>();

  constructor() {
    super(BEDROCK_FINISH);
  }

  override decode(frame: Frame): readonly StreamEvent[] {
    if (frame.event === CORRUPT && !this.over) {
      const out: StreamEvent[] = [];
      this.over = true;
      this.tellUsage(out);
      return [...out, { type: 'error', malformed: true, message: `broken event stream: ${frame.data}` }];
    }
    return super.decode(frame);
  }

  protected read(json: Json, out: StreamEvent[], frame: Frame): boolean {
    const { event } = frame;
    if (event === undefined) return this.unnamed(json, out);
    switch (event) {
      case 'contentBlockDelta':
        return this.delta(json.contentBlockIndex, asObject(json.delta) ?? {}, out);
      case 'contentBlockStart': {
        const tool = asObject(asObject(json.start)?.toolUse);
        if (tool === undefined) return false;
        this.tools.set(json.contentBlockIndex, this.call(out, asText(tool.name), asText(tool.toolUseId)));
        return true;
      }
      case 'messageStart':
        this.start(out);
        return true;
      case 'messageStop':
        this.finish = asText(json.stopReason);
        return true;
      case 'metadata':
        this.usage(json.usage);
        if (this.finish !== undefined) this.complete(out);
        return true;
      case 'contentBlockStop':
        return true;
      default:
        if (!BEDROCK_EXCEPTION.test(event)) return false;
        this.fail(out, { message: asText(json.message) ?? asText(json.Message) ?? event, code: event });
        return true;
    }
  }

  // Payloads kept without their headers name the event in themselves; a whole answer has all of it.
  private unnamed(json: Json, out: StreamEvent[]): boolean {
    const message = asObject(asObject(json.output)?.message);
    if (message !== undefined) return this.whole(json, message, out);
    const [name] = Object.keys(json);
    const payload = asObject(name === undefined ? undefined : json[name]);
    if (name === undefined || payload === undefined) {
      if (asText(json.message) === undefined) return false;
      this.fail(out, json);
      return true;
    }
    return this.read(payload, out, { event: name, data: '' });
  }

  private whole(json: Json, message: Json, out: StreamEvent[]): boolean {
    this.start(out);
    for (const [index, entry] of (asArray(message.content) ?? []).entries()) {
      const block = asObject(entry) ?? {};
      const tool = asObject(block.toolUse);
      if (tool !== undefined) {
        this.call(out, asText(tool.name), asText(tool.toolUseId), asArguments(tool.input));
      } else if (!this.delta(index, block, out)) {
        out.push({ type: 'unknown', data: jsonText(block) });
      }
    }
    this.usage(json.usage);
    this.finish = asText(json.stopReason) ?? 'end_turn';
    return true;
  }

  private delta(index: unknown, delta: Json, out: StreamEvent[]): boolean {
    if (typeof delta.text === 'string') {
      this.text(out, delta.text);
      return true;
    }
    const reasoning = asObject(delta.reasoningContent);
    if (reasoning !== undefined) {
      this.thinking(out, reasoning.text ?? asObject(reasoning.reasoningText)?.text);
      return true;
    }
    const tool = asObject(delta.toolUse);
    const call = this.tools.get(index);
    if (tool === undefined || call === undefined) return false;
    const args = asText(tool.input);
    if (args !== undefined) out.push({ type: 'tool_call', index: call, arguments: args });
    return true;
  }

  private usage(value: unknown): void {
    const usage = asObject(value);
    if (usage === undefined) return;
    this.count({
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cachedInputTokens: usage.cacheReadInputTokens,
      cacheWrites: usage.cacheWriteInputTokens,
      cachedOutside: true,
    });
  }
}
