import type { StreamEvent } from '../../model/events.ts';
import { AppDecoder, appDialect, readCounts, writeCounts } from '../app-protocol.ts';
import { finishWord } from '../chat-fields.ts';
import type { AnswerContext, Dialect } from '../dialect.ts';
import { asArguments, asArray, asCount, asObject, asText, type Json } from '../json.ts';

// The event model itself as JSON: `{"type":"message_chunk","content":"..."}`. A stream ends with `complete` or `error`.
// In a batch each event has a `prompt_id`: its answers take turns in one stream, which ends with `batch_complete`.

const PATH = /(\/conversation|\/conversations\/[^/]+\/stream(-debug)?)$/;

/** The stream of `/conversations/{id}/stream`. */
export const conversation: Dialect = {
  ...appDialect(PATH),
  name: 'conversation',
  title: 'application: {"type":"message_chunk"|"thinking"|"tool_call"|...} (SSE)',
  carries: new Set([
    'start',
    'message_chunk',
    'thinking',
    'tool_call',
    'server_tool_call',
    'media',
    'answer_start',
    'tool_result',
    'step_complete',
    'memory_update',
    'metadata',
    'usage',
    'complete',
    'error',
  ]),

  decoder: () => new ConversationDecoder(),

  encoder: (context) => (event) => {
    const payload = encode(event, context);
    return payload === undefined ? [] : [{ data: JSON.stringify(payload) }];
  },
};

function encode(event: StreamEvent, context: AnswerContext): Json | undefined {
  const { type } = event;
  switch (type) {
    case 'start':
      return { type, id: context.id, model: context.model };
    case 'message_chunk':
    case 'thinking':
      return { type, content: event.text };
    case 'tool_call':
    case 'server_tool_call':
    case 'media':
    case 'answer_start':
    case 'tool_result':
    case 'step_complete':
    case 'memory_update':
    case 'metadata':
      return event as unknown as Json;
    case 'usage':
      return { type, ...writeCounts(event) };
    case 'complete':
      return { type, finish_reason: finishWord({}, event) };
    case 'error':
      return { type, message: event.message, code: event.code };
    case 'unknown':
      return undefined;
    default: {
      const impossible: never = type;
      return impossible;
    }
  }
}

class ConversationDecoder extends AppDecoder {
  /** Answers of a batch that have ended. */
  private answers = 0;
  private readonly batchCounts: Record<string, number> = {};

  protected read(json: Json, out: StreamEvent[]): boolean {
    if (json.prompt_id !== undefined && this.readInBatch(json, out)) return true;
    switch (json.type) {
      case 'message_chunk':
        this.text(out, json.content ?? json.text ?? json.delta);
        return true;
      case 'thinking':
        this.thinking(out, json.content ?? json.text ?? json.delta);
        return true;
      case 'tool_call': {
        const index = asCount(json.index) ?? this.calls;
        this.calls = Math.max(this.calls, index + 1);
        out.push({ type: json.type, index, ...callOf(json) });
        return true;
      }
      case 'server_tool_call':
        out.push({ type: json.type, index: asCount(json.index) ?? 0, ...callOf(json) });
        return true;
      case 'media':
        if (json.kind !== 'audio' && json.kind !== 'image' && json.kind !== 'file') return false;
        this.media(out, json.kind, json.data, json.mediaType);
        return true;
      case 'answer_start':
        out.push({ type: 'answer_start', strip: asCount(json.strip) ?? 0 });
        return true;
      case 'tool_result': {
        const [id, name] = [asText(json.id), asText(json.name)];
        out.push({ type: 'tool_result', id, name, result: json.result });
        return true;
      }
      case 'usage':
        this.addCounts(readCounts(json));
        return true;
      case 'complete':
        this.addCounts(readCounts(asObject(json.usage)));
        this.finish = asText(json.finish_reason);
        this.complete(out);
        return true;
      case 'batch_complete':
        this.endBatch(json, out);
        return true;
      default:
        return this.readShared(json.type, json, out);
    }
  }

  /** Reads the events of a batch that end one of its answers. They do not end the stream. */
  private readInBatch(json: Json, out: StreamEvent[]): boolean {
    if (json.type === 'usage') {
      for (const [name, count] of Object.entries(json)) {
        if (typeof count !== 'number') continue;
        this.batchCounts[name] = (this.batchCounts[name] ?? 0) + count;
      }
      return true;
    }
    if (json.type !== 'complete' && json.type !== 'error') return false;
    out.push({ type: 'step_complete', step: ++this.answers, data: json });
    return true;
  }

  private endBatch({ results }: Json, out: StreamEvent[]): void {
    this.addCounts(readCounts(this.batchCounts));
    const all = asArray(results) ?? [];
    const failed = all.filter((result) => asObject(result)?.status !== 'ok');
    if (failed.length === 0) this.complete(out);
    else
      this.fail(out, { code: 'batch_failed', message: `${failed.length} of ${all.length} prompts failed` });
  }
}

function callOf({ id, name, arguments: args }: Json) {
  return { id: asText(id), name: asText(name), arguments: asArguments(args) };
}
