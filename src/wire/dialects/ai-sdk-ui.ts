import type { CompleteEvent, StreamEvent, UsageEvent } from '../../model/events.ts';
import { appError, decodeStreamBody, encodeStreamBody, readCounts } from '../app-protocol.ts';
import { BlockTracker } from '../blocks.ts';
import { type FinishWords, finishWord, post, textOf } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, type Encoder, jsonBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asObject, asText, type Json, parseJson } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';
import { argumentsValue, type WholeCall } from '../whole-answer.ts';

// The UI message stream (v1) of Vercel's AI SDK, from an application's server to its chat front end. Texts and reasoning
// have an id, a start and an end. A tool call's input is sent in pieces and then again, whole. `[DONE]` ends the stream,
// also after an error. Usage is present only if the application adds it to the message's metadata.

const FINISH_WORDS: FinishWords = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  error: 'error',
  other: 'other',
  unknown: 'other',
};

/** The AI SDK's UI message stream. */
export const aiSdkUi: Dialect = {
  name: 'ai-sdk-ui',
  title: 'Vercel AI SDK UI message stream (SSE)',
  framing: 'sse',
  wholeIsStream: true,
  finishWords: FINISH_WORDS,
  responseHeaders: { 'x-vercel-ai-ui-message-stream': 'v1' },
  carries: new Set([
    'start',
    'message_chunk',
    'thinking',
    'tool_call',
    'tool_result',
    'step_complete',
    'metadata',
    'usage',
    'complete',
    'error',
  ]),

  request(chat) {
    const messages = chat.messages.map(({ role, content }, i) => ({
      id: `message-${i}`,
      role,
      parts: [{ type: 'text', text: content }],
    }));
    const body = {
      id: 'streambench',
      messages,
      trigger: 'submit-message',
      model: chat.model,
      stream: chat.stream ? undefined : false,
    };
    return post('', chat, body, { stream: true });
  },

  ownsPath: (pathname) => pathname.endsWith('/ai-sdk-ui'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith('/ai-sdk-ui')) return undefined;
    const json = asObject(parseJson(body));
    const list = asArray(json?.messages);
    if (json === undefined || list === undefined) return undefined;
    const messages = list.map((entry) => {
      const message = asObject(entry);
      const role = message?.role === 'system' || message?.role === 'assistant' ? message.role : 'user';
      return { role, content: textOf(message?.parts ?? message?.content) } as const;
    });
    return { model: asText(json.model), messages, stream: json.stream !== false };
  },

  decoder: () => new UiDecoder(),
  encoder: encodeUi,
  decodeWhole: (body) => decodeStreamBody(new UiDecoder(), body),
  encodeWhole: (events, context) => encodeStreamBody(encodeUi, events, context),
  encodeError: (status, message) => jsonBody(appError(message, String(status))),
};

function encodeUi(context: AnswerContext): Encoder {
  const blocks = new BlockTracker();
  let usage: UsageEvent | undefined;
  let open: WholeCall | undefined;
  const frame = (payload: Json): Frame => ({ data: JSON.stringify(payload) });
  const close = (kind: string, index: number): Frame => {
    if (kind !== 'tool' || open === undefined) {
      return frame({ type: kind === 'thinking' ? 'reasoning-end' : 'text-end', id: String(index) });
    }
    const input = argumentsValue(open.arguments);
    return frame({ type: 'tool-input-available', toolCallId: open.id, toolName: open.name, input });
  };
  return (event) => {
    const frames: Frame[] = [];
    const transition = blocks.enter(event);
    // Events between blocks close the open block, so that a tool's result is not sent inside its call.
    const closed = transition === undefined && BETWEEN.has(event.type) ? blocks.leave() : transition?.closed;
    if (closed !== undefined) frames.push(close(closed.kind, closed.index));
    const id = String(transition?.index);
    switch (event.type) {
      case 'start':
        frames.push(frame({ type: 'start', messageId: context.id }), frame({ type: 'start-step' }));
        break;
      case 'message_chunk':
      case 'thinking': {
        const kind = event.type === 'thinking' ? 'reasoning' : 'text';
        if (transition?.opened) frames.push(frame({ type: `${kind}-start`, id }));
        frames.push(frame({ type: `${kind}-delta`, id, delta: event.text }));
        break;
      }
      case 'tool_call':
        if (transition?.opened || open === undefined) {
          const { index, id: callId = `call_${index}`, name = '' } = event;
          open = { index, id: callId, name, arguments: '' };
          frames.push(frame({ type: 'tool-input-start', toolCallId: open.id, toolName: open.name }));
        }
        open.arguments += event.arguments;
        if (event.arguments !== '') {
          frames.push(
            frame({ type: 'tool-input-delta', toolCallId: open.id, inputTextDelta: event.arguments }),
          );
        }
        break;
      case 'tool_result':
        frames.push(
          frame({ type: 'tool-output-available', toolCallId: event.id ?? '', output: event.result }),
        );
        break;
      case 'step_complete':
        frames.push(frame({ type: 'finish-step' }), frame({ type: 'start-step' }));
        break;
      case 'metadata':
        frames.push(frame({ type: 'message-metadata', messageMetadata: event.data }));
        break;
      case 'usage':
        usage = event;
        break;
      case 'complete':
        frames.push(frame(finishPart(event, usage)), { data: '[DONE]' });
        break;
      case 'error':
        frames.push(frame({ type: 'error', errorText: event.message }), { data: '[DONE]' });
        break;
      default:
        break;
    }
    return frames;
  };
}

function finishPart(event: CompleteEvent, usage: UsageEvent | undefined): Json {
  const messageMetadata = usage === undefined ? undefined : { usage: { ...usage, type: undefined } };
  return { type: 'finish', finishReason: finishWord(FINISH_WORDS, event), messageMetadata };
}

const BETWEEN = new Set<StreamEvent['type']>(['tool_result', 'step_complete', 'complete', 'error']);

/** Parts without information of their own. */
const SILENT: ReadonlySet<unknown> = new Set([
  'start-step',
  'text-start',
  'text-end',
  'reasoning-start',
  'reasoning-end',
]);

class UiDecoder extends JsonDecoder {
  /** Tool call id -> its index, and whether its input has come in pieces. */
  private readonly open = new Map<
    unknown,
    { type: 'tool_call' | 'server_tool_call'; index: number; pieces: boolean }
  >();

  constructor() {
    super(FINISH_WORDS);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'text-delta':
        this.text(out, json.delta);
        return true;
      case 'reasoning-delta':
        this.thinking(out, json.delta);
        return true;
      case 'start':
        this.start(out, asText(json.messageId));
        return true;
      case 'tool-input-start':
        this.open.set(json.toolCallId, { ...this.begin(json, out), pieces: false });
        return true;
      case 'tool-input-delta':
        return this.piece(json.toolCallId, json.inputTextDelta, out);
      case 'tool-input-available': {
        const call = this.open.get(json.toolCallId);
        const args = asArguments(json.input);
        if (call === undefined) this.begin(json, out, args);
        else if (!call.pieces) this.piece(json.toolCallId, args, out);
        return true;
      }
      case 'tool-output-available':
        out.push({ type: 'tool_result', id: asText(json.toolCallId), result: json.output });
        return true;
      case 'file':
        this.media(out, undefined, json.url, json.mediaType);
        return true;
      case 'finish-step':
        out.push({ type: 'step_complete' });
        return true;
      case 'message-metadata':
        out.push({ type: 'metadata', data: json.messageMetadata });
        return true;
      case 'finish': {
        const metadata = asObject(json.messageMetadata);
        this.addCounts(readCounts(metadata?.totalUsage ?? metadata?.usage));
        this.finish = asText(json.finishReason) ?? 'stop';
        return true;
      }
      case 'abort':
        this.fail(out, { message: asText(json.reason) ?? 'aborted', code: 'abort' });
        return true;
      case 'error':
        this.fail(out, json);
        return true;
      default:
        return SILENT.has(json.type);
    }
  }

  // After an error the stream is closed with its usual last parts.
  protected override mayFollowEnd(json: Json): boolean {
    return json.type === 'finish' || json.type === 'finish-step';
  }

  // The model's provider runs some tools itself.
  private begin(json: Json, out: StreamEvent[], args?: string) {
    const [name, id] = [asText(json.toolName), asText(json.toolCallId)];
    return json.providerExecuted === true
      ? { type: 'server_tool_call' as const, index: this.serverCall(out, name, id, args) }
      : { type: 'tool_call' as const, index: this.call(out, name, id, args) };
  }

  private piece(id: unknown, text: unknown, out: StreamEvent[]): boolean {
    const call = this.open.get(id);
    if (call === undefined || typeof text !== 'string') return false;
    if (text !== '') {
      call.pieces = true;
      out.push({ type: call.type, index: call.index, arguments: text });
    }
    return true;
  }
}
