import type { StreamEvent, ToolResultEvent, UsageEvent } from '../../model/events.ts';
import { appError, decodeStreamBody, encodeStreamBody, readCounts } from '../app-protocol.ts';
import { type BlockKind, BlockTracker } from '../blocks.ts';
import { chatMessages, finishWord, post } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, type Encoder, jsonBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArray, asCount, asObject, asText, type Json, parseJson } from '../json.ts';
import { JsonDecoder } from '../json-decoder.ts';

// AG-UI: the events of an agent run, with types in capitals. Texts, reasoning and tool calls have start, content and end
// events. `RUN_FINISHED` or `RUN_ERROR` ends the stream; there is no `[DONE]`.

/** The AG-UI protocol over SSE. */
export const agUi: Dialect = {
  name: 'ag-ui',
  title: 'AG-UI agent events (SSE)',
  framing: 'sse',
  wholeIsStream: true,
  accepts: new Set(['tools']),
  carries: new Set([
    'start',
    'message_chunk',
    'thinking',
    'tool_call',
    'tool_result',
    'step_complete',
    'memory_update',
    'metadata',
    'usage',
    'complete',
    'error',
  ]),

  request(chat) {
    const body = {
      threadId: 'streambench',
      runId: 'streambench',
      state: {},
      messages: chat.messages.map((message, i) => ({ id: `message-${i}`, ...message })),
      tools: chat.tools ?? [],
      context: [],
      forwardedProps: { model: chat.model, stream: chat.stream ? undefined : false },
    };
    return post('', chat, body, { stream: true });
  },

  ownsPath: (pathname) => pathname.endsWith('/ag-ui'),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith('/ag-ui')) return undefined;
    const json = asObject(parseJson(body));
    const messages = chatMessages(json?.messages);
    if (json === undefined || messages === undefined) return undefined;
    const props = asObject(json.forwardedProps);
    return { model: asText(props?.model), messages, stream: props?.stream !== false };
  },

  decoder: () => new AgUiDecoder(),
  encoder: encodeAgUi,
  decodeWhole: (body) => decodeStreamBody(new AgUiDecoder(), body),
  encodeWhole: (events, context) => encodeStreamBody(encodeAgUi, events, context),
  encodeError: (status, message) => jsonBody(appError(message, String(status))),
};

function encodeAgUi(context: AnswerContext): Encoder {
  const blocks = new BlockTracker();
  const run = { threadId: 'streambench', runId: context.id };
  let usage: UsageEvent | undefined;
  let toolCallId = '';
  const frame = (type: string, more: object): Frame => ({ data: JSON.stringify({ type, ...more }) });
  const messageId = (index: number) => `${context.id}-${index}`;
  const close = ({ kind, index }: { kind: BlockKind; index: number }) =>
    kind === 'tool'
      ? frame('TOOL_CALL_END', { toolCallId })
      : frame(`${PREFIX[kind]}_END`, { messageId: messageId(index) });
  return (event) => {
    const frames: Frame[] = [];
    const transition = blocks.enter(event);
    const closed = transition === undefined && event.type !== 'usage' ? blocks.leave() : transition?.closed;
    if (closed !== undefined) frames.push(close(closed));
    switch (event.type) {
      case 'start':
        frames.push(frame('RUN_STARTED', run));
        break;
      case 'message_chunk':
      case 'thinking': {
        const [prefix, role] =
          event.type === 'thinking' ? [PREFIX.thinking, 'reasoning'] : [PREFIX.text, 'assistant'];
        const message = { messageId: messageId(transition?.index ?? 0) };
        if (transition?.opened) frames.push(frame(`${prefix}_START`, { ...message, role }));
        frames.push(frame(`${prefix}_CONTENT`, { ...message, delta: event.text }));
        break;
      }
      case 'tool_call':
        if (transition?.opened) {
          toolCallId = event.id ?? `call_${event.index}`;
          frames.push(frame('TOOL_CALL_START', { toolCallId, toolCallName: event.name ?? '' }));
        }
        if (event.arguments !== '')
          frames.push(frame('TOOL_CALL_ARGS', { toolCallId, delta: event.arguments }));
        break;
      case 'tool_result':
        frames.push(frame('TOOL_CALL_RESULT', encodeResult(event)));
        break;
      case 'step_complete':
        // The event model has no start of a step, and AG-UI's client refuses the end of a step that was not started.
        for (const type of ['STEP_STARTED', 'STEP_FINISHED'])
          frames.push(frame(type, { stepName: stepName(event.step, event.data) }));
        break;
      case 'memory_update':
        frames.push(frame('STATE_SNAPSHOT', { snapshot: event.data }));
        break;
      case 'metadata':
        frames.push(frame('CUSTOM', { name: 'metadata', value: event.data }));
        break;
      case 'usage':
        usage = event;
        break;
      case 'complete': {
        const counts = usage === undefined ? undefined : [{ ...readCounts(usage), model: context.model }];
        const result = { finishReason: finishWord({}, event) };
        frames.push(frame('RUN_FINISHED', { ...run, result, usage: counts }));
        break;
      }
      case 'error':
        frames.push(frame('RUN_ERROR', { message: event.message, code: event.code }));
        break;
      default:
        break;
    }
    return frames;
  };
}

function encodeResult({ id = '', result }: ToolResultEvent): Json {
  const content = typeof result === 'string' ? result : JSON.stringify(result);
  return { messageId: `${id}-result`, toolCallId: id, content, role: 'tool' };
}

const PREFIX: Record<Exclude<BlockKind, 'tool'>, string> = {
  text: 'TEXT_MESSAGE',
  thinking: 'REASONING_MESSAGE',
};

/** Events without information of their own. */
const SILENT: ReadonlySet<unknown> = new Set([
  'TEXT_MESSAGE_START',
  'TEXT_MESSAGE_END',
  'REASONING_START',
  'REASONING_END',
  'REASONING_MESSAGE_START',
  'REASONING_MESSAGE_END',
  'THINKING_START',
  'THINKING_END',
  'THINKING_TEXT_MESSAGE_START',
  'THINKING_TEXT_MESSAGE_END',
  'TOOL_CALL_END',
  'STEP_STARTED',
]);

class AgUiDecoder extends JsonDecoder {
  /** Tool call id -> index. */
  private readonly open = new Map<unknown, number>();

  protected read(json: Json, out: StreamEvent[]): boolean {
    switch (json.type) {
      case 'TEXT_MESSAGE_CONTENT':
      case 'TEXT_MESSAGE_CHUNK':
        this.text(out, json.delta);
        return true;
      case 'REASONING_MESSAGE_CONTENT':
      case 'REASONING_MESSAGE_CHUNK':
      case 'THINKING_TEXT_MESSAGE_CONTENT':
        this.thinking(out, json.delta);
        return true;
      case 'RUN_STARTED':
        this.start(out, asText(json.runId));
        return true;
      case 'TOOL_CALL_START':
      case 'TOOL_CALL_ARGS':
      case 'TOOL_CALL_CHUNK':
        return this.tool(json, out);
      case 'TOOL_CALL_RESULT': {
        const id = asText(json.toolCallId);
        out.push({ type: 'tool_result', id, result: resultOf(json.content) });
        return true;
      }
      case 'STEP_FINISHED':
        out.push(stepOf(asText(json.stepName)));
        return true;
      case 'STATE_SNAPSHOT':
      case 'STATE_DELTA':
        out.push({ type: 'memory_update', data: json.snapshot ?? json.delta });
        return true;
      case 'CUSTOM':
        if (json.name !== 'metadata') return false;
        out.push({ type: 'metadata', data: json.value });
        return true;
      case 'RUN_FINISHED':
        this.usage(asArray(json.usage) ?? []);
        this.finish = asText(asObject(json.result)?.finishReason);
        this.complete(out);
        return true;
      case 'RUN_ERROR':
        this.fail(out, { message: asText(json.message) ?? 'the run failed', code: json.code });
        return true;
      default:
        return SILENT.has(json.type);
    }
  }

  private tool(json: Json, out: StreamEvent[]): boolean {
    const { toolCallId } = json;
    const piece = asText(json.delta);
    let index = this.open.get(toolCallId);
    if (index === undefined) {
      const name = asText(json.toolCallName);
      if (name === undefined) return false;
      index = this.call(out, name, asText(toolCallId), piece);
      this.open.set(toolCallId, index);
    } else if (piece !== undefined) {
      out.push({ type: 'tool_call', index, arguments: piece });
    }
    return true;
  }

  // One entry for each model that took part in the run.
  private usage(entries: readonly unknown[]): void {
    const sums: Record<string, number> = {};
    for (const entry of entries) {
      for (const [name, count] of Object.entries(readCounts(entry))) {
        // Invalid counts are not summed: they are refused individually.
        if (asCount(count) === undefined) this.addCounts({ [name]: count });
        else sums[name] = (sums[name] ?? 0) + Number(count);
      }
    }
    this.addCounts(sums);
  }
}

// A result is sent as text. If the text is a JSON object or array, that is the result.
function resultOf(content: unknown): unknown {
  if (typeof content !== 'string') return content;
  const json = parseJson(content);
  return typeof json === 'object' && json !== null ? json : content;
}

function stepName(step: number | undefined, data: unknown): string {
  return typeof data === 'string' ? data : `step ${step ?? ''}`.trim();
}

function stepOf(name: string | undefined): StreamEvent {
  const number = /^step (\d+)$/.exec(name ?? '')?.[1];
  const step = number === undefined ? undefined : asCount(Number(number));
  if (step !== undefined) return { type: 'step_complete', step };
  return name === undefined ? { type: 'step_complete' } : { type: 'step_complete', data: name };
}
