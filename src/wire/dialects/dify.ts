import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import type { ChatRequest } from '../../model/request.ts';
import { readCounts } from '../app-protocol.ts';
import { type FinishWords, post, promptText } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, jsonBody } from '../dialect.ts';
import { asCount, asObject, asText, type Json, parseJson } from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { gather } from '../whole-answer.ts';

// Dify: the payload has the event type as `event`. Chats end with `message_end`, which has the usage, workflows with
// `workflow_finished` and EOF. There is no finish reason.

const FINISH_WORDS: FinishWords = { succeeded: 'stop', 'partial-succeeded': 'stop', stopped: 'other' };

const PATH = '/chat-messages';

/** Dify's `/v1/chat-messages`. Workflow streams are decoded too. */
export const dify: Dialect = {
  name: 'dify',
  title: 'Dify chat and workflow applications (SSE)',
  acceptsAnyObject: true,
  framing: 'sse',
  thinkTags: true,
  carries: new Set(['start', 'message_chunk', 'step_complete', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      inputs: {},
      query: promptText(chat.messages),
      response_mode: chat.stream ? 'streaming' : 'blocking',
      user: 'streambench',
    };
    return post(PATH, chat, body);
  },

  ownsPath: (pathname) => pathname.endsWith(PATH),

  parseRequest({ method, path, body }) {
    if (method !== 'POST' || !path.endsWith(PATH)) return undefined;
    const json = asObject(parseJson(body));
    if (json === undefined || typeof json.query !== 'string') return undefined;
    const messages: ChatRequest['messages'] = [{ role: 'user', content: json.query }];
    return { messages, stream: json.response_mode !== 'blocking' };
  },

  decoder: () => new DifyDecoder(),

  encoder(context) {
    let usage: UsageEvent | undefined;
    const frame = (event: string, more: Json) => ({
      data: JSON.stringify({ event, ...envelope(context), ...more }),
    });
    return (event) => {
      switch (event.type) {
        case 'message_chunk':
          return [frame('message', { answer: event.text })];
        case 'step_complete': {
          const data = { ...asObject(event.data), index: event.step, status: 'succeeded' };
          return [frame('node_finished', { data })];
        }
        case 'usage':
          usage = event;
          return [];
        case 'complete':
          return [frame('message_end', { id: context.id, metadata: metadata(usage) })];
        case 'error':
          return [
            frame('error', {
              status: 500,
              code: event.code ?? 'internal_server_error',
              message: event.message,
            }),
          ];
        default:
          return [];
      }
    };
  },

  decodeWhole: (body) => decodeDocument(new DifyDecoder(true), body),

  encodeWhole(events, context) {
    const { text, usage, error } = gather(events);
    if (error !== undefined) return jsonBody(errorJson(500, error.message, error.code));
    const body = {
      event: 'message',
      ...envelope(context),
      mode: 'chat',
      answer: text,
      metadata: metadata(usage),
    };
    return jsonBody(body);
  },

  encodeError: (status, message) => jsonBody(errorJson(status, message)),
};

/** Events without information of their own. */
const SILENT: ReadonlySet<unknown> = new Set(['ping', 'tts_message', 'tts_message_end']);

class DifyDecoder extends JsonDecoder {
  private readonly isWhole: boolean;

  constructor(isWhole = false) {
    super(FINISH_WORDS);
    this.isWhole = isWhole;
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    const data = asObject(json.data);
    switch (json.event) {
      case 'message':
      case 'agent_message':
        this.begin(json, out);
        this.text(out, json.answer);
        if (this.isWhole) this.endAnswer(json, out);
        return true;
      case 'text_chunk':
        this.begin(json, out);
        this.text(out, data?.text);
        return true;
      case 'workflow_started':
      case 'node_started':
        this.begin(json, out);
        return true;
      case 'node_finished':
        this.begin(json, out);
        out.push(stepOf(data ?? {}));
        return true;
      case 'message_end':
        this.begin(json, out);
        this.endAnswer(json, out);
        return true;
      case 'workflow_finished':
        this.finish = asText(data?.status);
        if (this.finish === 'failed')
          this.fail(out, { message: asText(data?.error) ?? 'the workflow failed' });
        return true;
      case 'error':
        this.fail(out, { message: asText(json.message) ?? 'error', code: json.code });
        return true;
      default:
        return SILENT.has(json.event) || (this.isWhole && this.whole(json, out));
    }
  }

  // An error's body has `message` and `code`; some versions leave `event` out of a whole answer.
  private whole(json: Json, out: StreamEvent[]): boolean {
    if (typeof json.answer === 'string') return this.read({ ...json, event: 'message' }, out);
    if (asText(json.message) === undefined) return false;
    this.fail(out, json);
    return true;
  }

  private begin(json: Json, out: StreamEvent[]): void {
    this.start(out, asText(json.message_id) ?? asText(json.id) ?? asText(json.workflow_run_id));
  }

  private endAnswer(json: Json, out: StreamEvent[]): void {
    this.addCounts(readCounts(asObject(json.metadata)?.usage));
    this.complete(out);
  }
}

function stepOf(data: Json): StreamEvent {
  const step = asCount(data.index);
  const title = asText(data.title) ?? asText(data.node_type);
  return { type: 'step_complete', step, data: title };
}

function envelope(context: AnswerContext): Json {
  const { id } = context;
  return { task_id: id, message_id: id, conversation_id: 'streambench', created_at: context.createdSeconds };
}

function metadata(usage: UsageEvent | undefined): Json {
  if (usage === undefined) return {};
  const input = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  return { usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } };
}

function errorJson(status: number, message: string, code = 'internal_server_error'): string {
  return JSON.stringify({ code, message, status });
}
