import type {
  FinishReason,
  MediaEvent,
  ServerToolCallEvent,
  StreamEvent,
  ToolCallEvent,
} from '../model/events.ts';
import { type FinishWords, finishOf } from './chat-fields.ts';
import type { Decoder } from './dialect.ts';
import { isFailureName, readError, readFailure } from './errors.ts';
import type { Frame } from './framing/frame.ts';
import { asObject, asText, compact, excerpt, type Json, jsonText, parseJson, unreadable } from './json.ts';
import { type StatedCounts, UsageCounts } from './usage.ts';

/**
 * What the decoders of all dialects with one JSON object a frame have in common: the order of an answer's end, and
 * what becomes of frames that cannot be read. HOT PATH: one call a frame.
 */
export abstract class JsonDecoder implements Decoder {
  /** Nothing counts any more: the answer is complete, or the service reported a failure. */
  protected over = false;
  /** The provider's word for the finish, once it has sent one. `complete` is held until the terminator or EOF. */
  protected finish: string | undefined;
  private readonly words: FinishWords;
  private readonly callsStop: boolean;
  private started = false;
  private counts: UsageCounts | undefined;
  /** Tool calls begun so far. */
  protected calls = 0;
  private serverCalls = 0;

  /** `callsStop`: this dialect says "stop" also of an answer that ends in tool calls for the client to make. */
  constructor(words: FinishWords = {}, callsStop = false) {
    this.words = words;
    this.callsStop = callsStop;
  }

  /** Adds the events of one payload. False when it is of no kind that this dialect knows. */
  protected abstract read(json: Json, out: StreamEvent[], frame: Frame): boolean;

  decode(frame: Frame): readonly StreamEvent[] {
    const out: StreamEvent[] = [];
    if (frame.data === '[DONE]') {
      if (!this.over) this.complete(out);
      return out;
    }
    const json = asObject(parseJson(frame.data));
    if (json === undefined) {
      // Some services keep a connection open with events of nothing, or pad their lines.
      const trimmed = frame.data.trim();
      if (trimmed === '' && frame.event === undefined) return out;
      if (trimmed === '[DONE]') return this.decode({ ...frame, data: trimmed });
    }
    if (this.over) {
      if (json === undefined || !this.isEcho(json)) {
        out.push({ type: 'unknown', name: 'after-end', data: frame.data });
      }
    } else if (json === undefined) {
      if (frame.event !== undefined && isFailureName(frame.event)) this.fail(out, frame.data);
      else out.push(unreadable(frame, 'a JSON object'));
    } else if (!this.read(json, out, frame)) {
      const failed = (frame.event !== undefined && isFailureName(frame.event)) || readFailure(json);
      if (failed) this.fail(out, json);
      else out.push(unknownEvent(frame, json));
    } else if (!this.over && json.base_resp !== undefined && readFailure(json) !== undefined) {
      // MiniMax, which speaks several dialects, says in every one of them how an answer went.
      this.fail(out, json);
    }
    return out;
  }

  end(): readonly StreamEvent[] {
    const out: StreamEvent[] = [];
    if (this.over) return out;
    // The counts of a stream that was cut are still what the provider said last.
    if (this.finish === undefined) this.tellUsage(out);
    else this.complete(out);
    return out;
  }

  /** True for a frame that a proper stream may well send after its end, so that it is not worth a word. */
  protected isEcho(_json: Json): boolean {
    return false;
  }

  protected start(out: StreamEvent[], id?: string, model?: string): void {
    if (this.started) return;
    this.started = true;
    out.push(compact<StreamEvent>({ type: 'start', id, model }));
  }

  protected text(out: StreamEvent[], text: unknown): void {
    if (typeof text === 'string' && text !== '') out.push({ type: 'message_chunk', text });
  }

  protected thinking(out: StreamEvent[], text: unknown): void {
    if (typeof text === 'string' && text !== '') out.push({ type: 'thinking', text });
  }

  /** Begins a tool call and answers with its index. */
  protected call(out: StreamEvent[], name?: string, id?: string, args = ''): number {
    const index = this.calls++;
    out.push(compact<ToolCallEvent>({ type: 'tool_call', index, id, name, arguments: args }));
    return index;
  }

  /** Begins the call of a tool that the service runs itself and answers with its index. */
  protected serverCall(out: StreamEvent[], name?: string, id?: string, args = ''): number {
    const index = this.serverCalls++;
    out.push(compact<ServerToolCallEvent>({ type: 'server_tool_call', index, id, name, arguments: args }));
    return index;
  }

  /** Sound, an image or a file, where there is one. Without a `kind`, the media type tells it. */
  protected media(
    out: StreamEvent[],
    kind: MediaEvent['kind'] | undefined,
    data: unknown,
    mediaType?: unknown,
  ): void {
    if (typeof data !== 'string' || data === '') return;
    const type = asText(mediaType);
    out.push(compact<StreamEvent>({ type: 'media', kind: kind ?? kindOf(type), data, mediaType: type }));
  }

  /** Keeps counts, as they are stated, that a later payload may add to; `tellUsage` checks them and makes the event. */
  protected count(stated: StatedCounts): void {
    this.counts ??= new UsageCounts();
    this.counts.add(stated);
  }

  /** The counts known by now. */
  protected tellUsage(out: StreamEvent[]): void {
    const event = this.counts?.event();
    this.counts = undefined;
    if (event !== undefined) out.push(event);
  }

  protected complete(out: StreamEvent[]): void {
    this.over = true;
    this.tellUsage(out);
    const { finish: raw } = this;
    let finish: FinishReason = raw === undefined ? 'stop' : finishOf(this.words, raw);
    if (this.callsStop && finish === 'stop' && this.calls > 0) finish = 'tool_calls';
    out.push(compact<StreamEvent>({ type: 'complete', finish, raw }));
  }

  protected fail(out: StreamEvent[], error: unknown, fallback = 'error'): void {
    this.over = true;
    // What a failed answer cost is known all the same.
    this.tellUsage(out);
    const read = typeof error === 'string' ? readError(parseJson(error)) : readError(error);
    const text = typeof error === 'string' ? error : jsonText(error ?? null);
    out.push({ type: 'error', ...(read ?? { message: excerpt(text) || fallback }) });
  }
}

function unknownEvent(frame: Frame, json: Json): StreamEvent {
  const name = frame.event ?? (typeof json.type === 'string' ? json.type : undefined);
  return compact<StreamEvent>({ type: 'unknown', name, data: frame.data });
}

function kindOf(mediaType = ''): MediaEvent['kind'] {
  const [kind] = mediaType.split('/', 1);
  return kind === 'audio' || kind === 'image' ? kind : 'file';
}
