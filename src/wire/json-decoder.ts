import type { FinishReason, MediaEvent, StreamEvent } from '../model/events.ts';
import { type FinishWords, finishOf } from './chat-fields.ts';
import type { Decoder } from './dialect.ts';
import { isFailureName, readError, readFailure } from './errors.ts';
import type { Frame } from './framing/frame.ts';
import { asObject, asText, encodeJson, excerpt, type Json, parseJson, unreadable } from './json.ts';
import { type StatedCounts, UsageCounts } from './usage.ts';

/**
 * Base of the decoders for dialects with one JSON object per frame. It emits `usage` before `complete`, and handles frames
 * that cannot be decoded. HOT PATH: one call per frame.
 */
export abstract class JsonDecoder implements Decoder {
  /** The answer is complete, or the service reported a failure. Later frames are ignored. */
  protected ended = false;
  /** The provider's finish reason, once sent. `complete` is emitted at the terminator or at EOF. */
  protected finish: string | undefined;
  private readonly words: FinishWords;
  private readonly callsStop: boolean;
  private started = false;
  private counts: UsageCounts | undefined;
  /** Tool calls started so far. */
  protected calls = 0;
  private serverCalls = 0;

  /** `callsStop`: the dialect's finish reason is "stop" also for an answer that ends with tool calls. */
  constructor(words: FinishWords = {}, callsStop = false) {
    this.words = words;
    this.callsStop = callsStop;
  }

  /** Adds the events of one payload to `out`. False if the payload is not known to this dialect. */
  protected abstract read(json: Json, out: StreamEvent[], frame: Frame): boolean;

  decode(frame: Frame): readonly StreamEvent[] {
    const out: StreamEvent[] = [];
    if (frame.data === '[DONE]') {
      if (!this.ended) this.complete(out);
      return out;
    }
    const json = asObject(parseJson(frame.data));
    if (json === undefined) {
      // Some services send empty events to keep the connection open, or pad their lines.
      const trimmed = frame.data.trim();
      if (trimmed === '' && frame.event === undefined) return out;
      if (trimmed === '[DONE]') return this.decode({ ...frame, data: trimmed });
    }
    if (this.ended) {
      if (json === undefined || !this.mayFollowEnd(json)) {
        out.push({ type: 'unknown', name: 'after-end', data: frame.data });
      }
    } else if (json === undefined) {
      if (frame.event !== undefined && isFailureName(frame.event)) this.fail(out, frame.data);
      else out.push(unreadable(frame, 'a JSON object'));
    } else if (!this.read(json, out, frame)) {
      const failed = (frame.event !== undefined && isFailureName(frame.event)) || readFailure(json);
      if (failed) this.fail(out, json);
      else out.push(unknownEvent(frame, json));
    } else if (!this.ended && json.base_resp !== undefined && readFailure(json) !== undefined) {
      // MiniMax has an API in several dialects and adds its status to the payloads of each.
      this.fail(out, json);
    }
    return out;
  }

  end(): readonly StreamEvent[] {
    const out: StreamEvent[] = [];
    if (this.ended) return out;
    // The last counts of a truncated stream are still valid.
    if (this.finish === undefined) this.emitUsage(out);
    else this.complete(out);
    return out;
  }

  /** True for a frame that regular streams may send after the end. It is ignored, not reported as `unknown`. */
  protected mayFollowEnd(_json: Json): boolean {
    return false;
  }

  protected start(out: StreamEvent[], id?: string, model?: string): void {
    if (this.started) return;
    this.started = true;
    out.push({ type: 'start', id, model });
  }

  protected text(out: StreamEvent[], text: unknown): void {
    if (typeof text === 'string' && text !== '') out.push({ type: 'message_chunk', text });
  }

  protected thinking(out: StreamEvent[], text: unknown): void {
    if (typeof text === 'string' && text !== '') out.push({ type: 'thinking', text });
  }

  /** Starts a tool call and returns its index. */
  protected call(out: StreamEvent[], name?: string, id?: string, args = ''): number {
    const index = this.calls++;
    out.push({ type: 'tool_call', index, id, name, arguments: args });
    return index;
  }

  /** Starts the call of a tool that the service runs, and returns its index. */
  protected serverCall(out: StreamEvent[], name?: string, id?: string, args = ''): number {
    const index = this.serverCalls++;
    out.push({ type: 'server_tool_call', index, id, name, arguments: args });
    return index;
  }

  /** Adds audio, an image or a file, if `data` is not empty. `kind`: default from the media type. */
  protected media(
    out: StreamEvent[],
    kind: MediaEvent['kind'] | undefined,
    data: unknown,
    mediaType?: unknown,
  ): void {
    if (typeof data !== 'string' || data === '') return;
    const type = asText(mediaType);
    out.push({ type: 'media', kind: kind ?? kindOf(type), data, mediaType: type });
  }

  /** Keeps token counts, unchecked. Later payloads may add to them; `emitUsage` checks them and emits the event. */
  protected addCounts(stated: StatedCounts): void {
    this.counts ??= new UsageCounts();
    this.counts.add(stated);
  }

  /** Emits the counts so far, if any. */
  protected emitUsage(out: StreamEvent[]): void {
    const event = this.counts?.event();
    this.counts = undefined;
    if (event !== undefined) out.push(event);
  }

  protected complete(out: StreamEvent[]): void {
    this.ended = true;
    this.emitUsage(out);
    const { finish: raw } = this;
    let finish: FinishReason = raw === undefined ? 'stop' : finishOf(this.words, raw);
    if (this.callsStop && finish === 'stop' && this.calls > 0) finish = 'tool_calls';
    out.push({ type: 'complete', finish, raw });
  }

  protected fail(out: StreamEvent[], error: unknown, fallback = 'error'): void {
    this.ended = true;
    // A failed answer has usage too.
    this.emitUsage(out);
    const read = typeof error === 'string' ? readError(parseJson(error)) : readError(error);
    const text = typeof error === 'string' ? error : encodeJson(error ?? null);
    out.push({ type: 'error', ...(read ?? { message: excerpt(text) || fallback }) });
  }
}

/** The events of an answer that is one JSON document. */
export function decodeDocument(decoder: JsonDecoder, body: string): readonly StreamEvent[] {
  return [...decoder.decode({ data: body }), ...decoder.end()];
}

function unknownEvent(frame: Frame, json: Json): StreamEvent {
  const name = frame.event ?? (typeof json.type === 'string' ? json.type : undefined);
  return { type: 'unknown', name, data: frame.data };
}

function kindOf(mediaType = ''): MediaEvent['kind'] {
  const [kind] = mediaType.split('/', 1);
  return kind === 'audio' || kind === 'image' ? kind : 'file';
}
