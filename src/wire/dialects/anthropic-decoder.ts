import type { ServerToolCallEvent, StreamEvent, ToolCallEvent } from '../../model/events.ts';
import type { FinishWords } from '../chat-fields.ts';
import { asArguments, asArray, asObject, asText, compact, type Json, jsonText } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

/** Anthropic's words for a finish. */
export const ANTHROPIC_FINISH: FinishWords = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  pause_turn: 'other',
};

type ToolPiece = ToolCallEvent | ServerToolCallEvent;

/** Reads the events of a stream, and a whole message. */
export class AnthropicDecoder extends JsonDecoder {
  /** Block number -> the tool call in it. */
  private readonly tools = new Map<unknown, Pick<ToolPiece, 'type' | 'index'>>();

  constructor() {
    super(ANTHROPIC_FINISH);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'content_block_delta':
        return this.delta(json.index, asObject(json.delta) ?? {}, out);
      case 'content_block_start':
        return this.block(json.index, asObject(json.content_block) ?? {}, out);
      case 'message_start':
        return this.message(asObject(json.message) ?? {}, out);
      case 'message':
        return this.message(json, out);
      case 'message_delta':
        this.finish = asText(asObject(json.delta)?.stop_reason) ?? this.finish;
        this.usage(json.usage);
        return true;
      case 'message_stop':
        this.complete(out);
        return true;
      case 'content_block_stop':
      case 'ping':
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        return false;
    }
  }

  // The head of a stream, or a whole answer.
  private message(message: Json, out: StreamEvent[]): boolean {
    this.start(out, asText(message.id), asText(message.model));
    for (const [index, block] of (asArray(message.content) ?? []).entries()) {
      const fields = asObject(block) ?? {};
      if (!this.block(index, fields, out)) unknownBlock(fields, out);
    }
    this.usage(message.usage);
    this.finish = asText(message.stop_reason) ?? this.finish;
    return true;
  }

  private block(index: unknown, block: Json, out: StreamEvent[]): boolean {
    switch (block.type) {
      case 'text':
        this.text(out, block.text);
        return true;
      case 'thinking':
        this.thinking(out, block.thinking);
        return true;
      case 'tool_use':
        this.tools.set(index, { type: 'tool_call', index: this.call(out, ...callOf(block)) });
        return true;
      // Run by Anthropic: the input is generated and sent like any other, but it is no call for the client to make.
      case 'server_tool_use':
      case 'mcp_tool_use':
        this.tools.set(index, { type: 'server_tool_call', index: this.serverCall(out, ...callOf(block)) });
        return true;
      default:
        return block.type === 'redacted_thinking';
    }
  }

  private delta(index: unknown, delta: Json, out: StreamEvent[]): boolean {
    switch (delta.type) {
      case 'text_delta':
        this.text(out, delta.text);
        return true;
      case 'thinking_delta':
        this.thinking(out, delta.thinking);
        return true;
      case 'input_json_delta': {
        const call = this.tools.get(index);
        const piece = asText(delta.partial_json);
        if (call === undefined) return false;
        if (piece !== undefined) out.push({ ...call, arguments: piece });
        return true;
      }
      default:
        return delta.type === 'signature_delta';
    }
  }

  private usage(value: unknown): void {
    const usage = asObject(value);
    if (usage === undefined) return;
    this.count({
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: asObject(usage.output_tokens_details)?.thinking_tokens,
      cachedInputTokens: usage.cache_read_input_tokens,
      cacheWrites: usage.cache_creation_input_tokens,
      cachedOutside: true,
    });
  }
}

/** Name, id and input of a call. In a stream the input is empty here and follows in pieces. */
function callOf(block: Json): [string | undefined, string | undefined, string] {
  const input = asObject(block.input);
  const args = input !== undefined && Object.keys(input).length > 0 ? asArguments(input) : '';
  return [asText(block.name), asText(block.id), args];
}

function unknownBlock(block: Json, out: StreamEvent[]): void {
  out.push(compact<StreamEvent>({ type: 'unknown', name: asText(block.type), data: jsonText(block) }));
}
