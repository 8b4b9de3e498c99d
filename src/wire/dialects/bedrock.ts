import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { percentDecoded } from '../../model/redaction/url-secrets.ts';
import { BlockTracker } from '../blocks.ts';
import { chatMessages, type FinishWords, finishWord, post, textOf, unlessEmpty } from '../chat-fields.ts';
import { type Dialect, jsonBody } from '../dialect.ts';
import { CORRUPT } from '../framing/aws-event-stream.ts';
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
import { bedrockMessages, bedrockTools } from '../request-parts.ts';
import { argumentsValue, gather } from '../whole-answer.ts';

/** Bedrock's finish reasons. */
const FINISH_WORDS: FinishWords = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
};

/** Event names that report a failure. */
const EXCEPTION_NAME = /(Exception|Error)$/;

/** Decodes the messages of a stream, recorded payloads without headers, and whole answers. */
class BedrockDecoder extends JsonDecoder {
  /** Block number -> index of the tool call in it. */
  private readonly tools = new Map<unknown, number>();

  constructor() {
    super(FINISH_WORDS);
  }

  override decode(frame: Frame): readonly StreamEvent[] {
    if (frame.event === CORRUPT && !this.ended) {
      const out: StreamEvent[] = [];
      this.ended = true;
      this.emitUsage(out);
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
        if (!EXCEPTION_NAME.test(event)) return false;
        this.fail(out, { message: asText(json.message) ?? asText(json.Message) ?? event, code: event });
        return true;
    }
  }

  // A payload without headers has the event name as its key. A whole answer has `output`.
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
        out.push({ type: 'unknown', data: encodeJson(block) });
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
    this.addCounts({
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cachedInputTokens: usage.cacheReadInputTokens,
      cacheWrites: usage.cacheWriteInputTokens,
      cachedOutside: true,
    });
  }
}

// AWS Bedrock Converse: blocks like Anthropic's, in binary messages with the event name in a header. Usage is sent after the
// stop reason, so `metadata` is the last event, if it is sent at all.

const PATH = /\/model\/([^/]+)\/(converse-stream|converse)$/;

/** Bedrock's `converse-stream`. */
export const bedrockConverse: Dialect = {
  name: 'bedrock-converse',
  title: 'AWS Bedrock Converse (AWS event stream)',
  framing: 'aws-event-stream',
  carries: new Set(['start', 'message_chunk', 'thinking', 'tool_call', 'usage', 'complete', 'error']),
  accepts: new Set(['image', 'tools', 'toolResults']),
  options: new Set(['maxTokens', 'temperature', 'stop']),
  finishWords: FINISH_WORDS,

  request(chat) {
    const texts = (role: string) => chat.messages.filter((message) => message.role === role);
    const system = texts('system').map(({ content }) => ({ text: content }));
    const body = {
      system: system.length > 0 ? system : undefined,
      messages: bedrockMessages(chat.messages.filter((message) => message.role !== 'system')),
      toolConfig: bedrockTools(chat.tools),
      inferenceConfig: unlessEmpty({
        maxTokens: chat.maxTokens,
        temperature: chat.temperature,
        stopSequences: chat.stop,
      }),
    };
    const path = `/model/${encodeURIComponent(chat.model ?? '')}/${chat.stream ? 'converse-stream' : 'converse'}`;
    return post(path, chat, body, { accept: 'application/vnd.amazon.eventstream' });
  },

  ownsPath: (pathname) => PATH.test(pathname),

  parseRequest({ method, path, body }) {
    const [, model, operation] = PATH.exec(path) ?? [];
    const json = asObject(parseJson(body));
    const messages = chatMessages(json?.messages);
    if (method !== 'POST' || model === undefined || json === undefined || messages === undefined)
      return undefined;
    const config = asObject(json.inferenceConfig);
    const system = textOf(json.system);
    return {
      model: percentDecoded(model),
      messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
      maxTokens: asCount(config?.maxTokens),
      temperature: asNumber(config?.temperature),
      stream: operation === 'converse-stream',
    };
  },

  decoder: () => new BedrockDecoder(),

  encoder() {
    const blocks = new BlockTracker();
    let usage: UsageEvent | undefined;
    const frame = (event: string, payload: Json): Frame => ({ event, data: JSON.stringify(payload) });
    const stop = (index: number) => frame('contentBlockStop', { contentBlockIndex: index });
    return (event) => {
      const frames: Frame[] = [];
      const transition = blocks.enter(event);
      if (transition?.closed !== undefined) frames.push(stop(transition.closed.index));
      const delta = (fields: Json) =>
        frames.push(frame('contentBlockDelta', { contentBlockIndex: transition?.index ?? 0, delta: fields }));
      switch (event.type) {
        case 'start':
          frames.push(frame('messageStart', { role: 'assistant' }));
          break;
        case 'message_chunk':
          delta({ text: event.text });
          break;
        case 'thinking':
          delta({ reasoningContent: { text: event.text } });
          break;
        case 'tool_call':
          // Only blocks of tool use are announced.
          if (transition?.opened) {
            const toolUse = { toolUseId: event.id ?? `tooluse_${event.index}`, name: event.name ?? '' };
            frames.push(
              frame('contentBlockStart', { contentBlockIndex: transition.index, start: { toolUse } }),
            );
          }
          delta({ toolUse: { input: event.arguments } });
          break;
        case 'usage':
          usage = event;
          break;
        case 'complete': {
          const open = blocks.leave();
          if (open !== undefined) frames.push(stop(open.index));
          frames.push(
            frame('messageStop', { stopReason: finishWord(FINISH_WORDS, event) }),
            frame('metadata', { usage: encodeUsage(usage), metrics: { latencyMs: 0 } }),
          );
          break;
        }
        case 'error':
          frames.push(
            frame(exceptionName(event.code), {
              message: event.message,
            }),
          );
          break;
        default:
          break;
      }
      return frames;
    };
  },

  decodeWhole: (body) => decodeDocument(new BedrockDecoder(), body),

  encodeWhole(events) {
    const { text, thinking, calls, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody({ message: error.message });
    const content: Json[] = [];
    if (thinking !== '') content.push({ reasoningContent: { reasoningText: { text: thinking } } });
    if (text !== '') content.push({ text });
    for (const { index, id = `tooluse_${index}`, name = '', arguments: args } of calls) {
      content.push({ toolUse: { toolUseId: id, name, input: argumentsValue(args) } });
    }
    return jsonBody({
      output: { message: { role: 'assistant', content } },
      stopReason: finishWord(FINISH_WORDS, complete ?? { type: 'complete', finish: 'stop' }),
      usage: encodeUsage(usage),
      metrics: { latencyMs: 0 },
    });
  },

  encodeError: (_status, message) => jsonBody({ message }),
};

/** The code where it is a name of Bedrock's kind: it goes into a header, which has room for less than a code may be long. */
function exceptionName(code = ''): string {
  return /^\w{1,100}$/.test(code) && EXCEPTION_NAME.test(code) ? code : 'internalServerException';
}

function encodeUsage(usage: UsageEvent | undefined): Json {
  const input = usage?.inputTokens ?? 0;
  const output = usage?.outputTokens ?? 0;
  return {
    // Cached tokens are not included.
    inputTokens: Math.max(0, input - (usage?.cachedInputTokens ?? 0)),
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: usage?.cachedInputTokens,
  };
}
